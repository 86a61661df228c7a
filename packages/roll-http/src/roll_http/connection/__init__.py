"""HTTP/1.1 over asyncio: one connection, from the callbacks of its transport to its responses."""
