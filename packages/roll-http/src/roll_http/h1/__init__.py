"""HTTP/1.1 as bytes: heads, bodies and responses, and the states of a connection. No I/O."""
