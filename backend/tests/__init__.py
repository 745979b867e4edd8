"""tests of the backend: real postgres, real local network, real files."""
