"""Lists: albums, playlists and what somebody liked, each a record with its items in order."""
