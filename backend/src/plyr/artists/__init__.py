"""People: every account that ever signed in or published, and the profile of those who set one up."""
