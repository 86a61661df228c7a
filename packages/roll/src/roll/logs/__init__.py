"""The lines of an access log, and the descriptor that they are written to."""
