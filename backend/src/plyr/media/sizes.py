"""The sizes every cover comes in."""

COVER_SIZES = (96, 320, 640, 1200)
"""side lengths in pixels; a smaller picture is never blown up"""
