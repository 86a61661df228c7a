"""The content codings in which responses are compressed: zstd, br and gzip."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from importlib import import_module
from typing import Any, Final, Protocol

__all__ = ["Encoder", "encoders", "stream_encoders"]

GZIP_LEVEL: Final = 6
BROTLI_QUALITY: Final = 4
"""Higher levels take ten times as long, and save only a few percent."""
ZSTD_LEVEL: Final = 3

STREAM_WINDOW: Final = 17
"""The binary logarithm of the window for streams, in bytes.

A compressor stays in memory as long as its stream. With the usual windows, one of br took 1.2 MB
and one of zstd 1.4, with this one 0.8 and 0.6.
"""

# zlib writes the header and the checksum of gzip (RFC 1952) when 16 is added to its window.
GZIP_WINDOW: Final = 16 + zlib.MAX_WBITS


class Encoder(Protocol):
    """An encoder compresses one body in pieces."""

    def encode(self, data: bytes) -> bytes:
        """Compress data, and return the output that is ready."""
        ...

    def flush(self) -> bytes:
        """Return the rest of the output, so that the client can decode all data so far."""
        ...

    def end(self) -> bytes:
        """Return the rest of the output, and the end of the coding."""
        ...


class Gzip:
    """An encoder of gzip (RFC 1952)."""

    def __init__(self) -> None:
        self._compressor = zlib.compressobj(GZIP_LEVEL, wbits=GZIP_WINDOW)
        self.encode = self._compressor.compress
        self.end = self._compressor.flush

    def flush(self) -> bytes:
        return self._compressor.flush(zlib.Z_SYNC_FLUSH)


class Brotli:
    """An encoder of Brotli (RFC 7932)."""

    def __init__(self, brotli: Any, **options: int) -> None:
        compressor = brotli.Compressor(quality=BROTLI_QUALITY, **options)
        self.encode: Callable[[bytes], bytes] = compressor.process
        self.flush: Callable[[], bytes] = compressor.flush
        self.end: Callable[[], bytes] = compressor.finish


class Zstandard:
    """An encoder of zstd (RFC 8878); all clients accept its window of 2 MiB (RFC 9659)."""

    def __init__(self, zstd: Any, **options: int) -> None:
        given = {zstd.CompressionParameter[name]: value for name, value in options.items()}
        given[zstd.CompressionParameter.compression_level] = ZSTD_LEVEL
        self._compressor = zstd.ZstdCompressor(options=given)
        self.encode: Callable[[bytes], bytes] = self._compressor.compress
        self.end: Callable[[], bytes] = self._compressor.flush

    def flush(self) -> bytes:
        flushed: bytes = self._compressor.flush(self._compressor.FLUSH_BLOCK)
        return flushed


def encoders() -> dict[str, Callable[[], Encoder]]:
    """Return the encoder classes of the installed codings by name, the best one first."""
    zstd, brotli = imported("compression.zstd", "backports.zstd"), imported("brotli")
    found: dict[str, Callable[[], Encoder]] = {}
    if zstd is not None:
        found["zstd"] = lambda: Zstandard(zstd)
    if brotli is not None:
        found["br"] = lambda: Brotli(brotli)
    return {**found, "gzip": Gzip}


def stream_encoders() -> dict[str, Callable[[], Encoder]]:
    """Return the encoder classes for streams, the one that takes the least memory first."""
    zstd, brotli = imported("compression.zstd", "backports.zstd"), imported("brotli")
    found: dict[str, Callable[[], Encoder]] = {"gzip": Gzip}
    if brotli is not None:
        found["br"] = lambda: Brotli(brotli, lgwin=STREAM_WINDOW - 1)
    if zstd is not None:
        small = STREAM_WINDOW - 2  # the tables of positions take more than the window
        options = {"window_log": STREAM_WINDOW, "hash_log": small, "chain_log": small}
        found["zstd"] = lambda: Zstandard(zstd, **options)
    return found


def imported(*names: str) -> Any:
    """Return the first installed module; None if there is none."""
    for name in names:
        try:
            return import_module(name)
        except ImportError:
            continue
    return None
