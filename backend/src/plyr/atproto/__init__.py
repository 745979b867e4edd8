"""The AT Protocol as we speak it: guarded network, identity, OAuth, XRPC, lexicons."""
