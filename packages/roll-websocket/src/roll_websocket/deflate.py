"""Compression (RFC 7692) with streams that can end, and that are made when needed."""

import zlib
from collections.abc import Sequence
from typing import Any

from websockets.exceptions import ProtocolError
from websockets.extensions.base import Extension
from websockets.extensions.permessage_deflate import (
    PerMessageDeflate,
    ServerPerMessageDeflateFactory,
)
from websockets.frames import CTRL_OPCODES, Frame, Opcode
from websockets.typing import ExtensionParameter

from roll_websocket.inflate import TAIL, Inflate

__all__ = ["FACTORIES"]


class Deflate(PerMessageDeflate):
    """The compression of one connection.

    `Inflate` decompresses what is received. The layer would ignore all data after the end of a
    stream.
    """

    def __init__(
        self,
        remote_no_context_takeover: bool,
        local_no_context_takeover: bool,
        remote_max_window_bits: int,
        local_max_window_bits: int,
        compress_settings: dict[str, Any] | None,
    ) -> None:
        # Skip the constructor of the layer, which begins both streams: they take 30 KiB, and an
        # idle connection needs none.
        self.remote_no_context_takeover = remote_no_context_takeover
        self.local_no_context_takeover = local_no_context_takeover
        self.remote_max_window_bits = remote_max_window_bits
        self.local_max_window_bits = local_max_window_bits
        self.compress_settings = compress_settings or {}
        self.decode_cont_data = False
        self.inflate = Inflate(remote_max_window_bits)
        self.dropping = False
        """Whether the content of received frames is dropped: this side has closed."""

    def encode(self, frame: Frame) -> Frame:
        """Compress a frame; begin a stream if there is none."""
        if not (self.local_no_context_takeover or hasattr(self, "encoder")):
            self.encoder = self.new_encoder()
        return super().encode(frame)

    def new_encoder(self) -> "zlib._Compress":
        """Return a new stream for what is sent."""
        return zlib.compressobj(wbits=-self.local_max_window_bits, **self.compress_settings)

    def pack_alone(self, payload: bytes) -> bytes:
        """Compress a message without reference to earlier ones, for any peer with this window.

        Each connection that sends it must call `restart`.
        """
        encoder = self.new_encoder()
        return (encoder.compress(payload) + encoder.flush(zlib.Z_SYNC_FLUSH))[: -len(TAIL)]

    def restart(self) -> None:
        """Forget what was sent before; this frees 20 KiB until the next message."""
        if hasattr(self, "encoder"):
            del self.encoder

    def drop(self) -> None:
        """Drop the content of frames from now on, and free the memory of the stream."""
        self.dropping = True
        self.inflate.forget()

    def take_cost(self) -> int:
        """Return the work of decompression since the last call, in bytes of content."""
        cost, self.inflate.cost = self.inflate.cost, 0
        return cost

    def decode(self, frame: Frame, *, max_size: int | None = None) -> Frame:
        """Decompress a frame; raise PayloadTooBig, or ProtocolError for malformed data."""
        if not self.is_compressed(frame):
            return frame
        if self.dropping:
            return Frame(frame.opcode, b"", frame.fin, False, frame.rsv2, frame.rsv3)
        inflated = self.inflate.take(frame.data, frame.fin, max_size)
        if frame.fin:
            self.decode_cont_data = False
            if self.remote_no_context_takeover:
                self.inflate.forget()  # It has 4 KiB and more, and the next message needs none.
        return Frame(frame.opcode, inflated, frame.fin, False, frame.rsv2, frame.rsv3)

    def is_compressed(self, frame: Frame) -> bool:
        """Return whether a frame is compressed: the first of a message decides (RFC 7692 6)."""
        if frame.opcode in CTRL_OPCODES:
            return False
        if frame.opcode is not Opcode.CONT:
            self.decode_cont_data = frame.rsv1
        elif frame.rsv1 and self.decode_cont_data:
            raise ProtocolError("RSV1 bit set in continuation frame")
        return self.decode_cont_data


class Factory(ServerPerMessageDeflateFactory):
    """Negotiates compression as the layer does."""

    def process_request_params(
        self, params: Sequence[ExtensionParameter], accepted_extensions: Sequence[Extension]
    ) -> tuple[list[ExtensionParameter], PerMessageDeflate]:
        """Return the parameters of the answer, and the extension."""
        agreed, layer = super().process_request_params(params, accepted_extensions)
        return agreed, Deflate(
            layer.remote_no_context_takeover,
            layer.local_no_context_takeover,
            layer.remote_max_window_bits,
            layer.local_max_window_bits,
            layer.compress_settings,
        )


# Windows of 4 KiB both ways: about 43 KiB for a connection, instead of the 99 of the default
# windows, for a few percent of the ratio.
FACTORIES = (
    Factory(
        server_max_window_bits=12, client_max_window_bits=12, compress_settings={"memLevel": 5}
    ),
)
