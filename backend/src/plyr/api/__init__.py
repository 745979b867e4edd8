"""HTTP: parse, call a service, present. No SQL, no commit, no network."""
