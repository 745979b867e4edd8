"""Who somebody is: sign-in, sessions, and calls to a user's PDS in their name."""
