"""The lines of an access log, and the descriptors that they are written to."""
