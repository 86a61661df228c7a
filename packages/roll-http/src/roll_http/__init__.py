"""HTTP/1.1 over asyncio: requests, responses, cookies, and the protocol that carries them."""

__version__ = "0.1.0"
