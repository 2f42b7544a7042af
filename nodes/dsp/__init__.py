"""Signal processing on audio streams."""
