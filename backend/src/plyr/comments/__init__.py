"""Comments: remarks at moments of tracks, whether or not we know the track yet."""
