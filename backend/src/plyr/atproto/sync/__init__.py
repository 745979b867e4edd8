"""What happens in repos: heard live from a relay, a PDS or Jetstream, or read whole from the repo's own host."""
