"""what a developer's machine needs around the product: postgres, the local network, one command that runs it all."""
