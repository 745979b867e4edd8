"""Where audio and images lie: one protocol over a folder and over S3, and a row of ownership for every object."""
