"""plyr: audio streaming on the AT Protocol."""
