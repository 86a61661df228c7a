"""Signed tokens: whole sessions, or the keys of sessions in a store."""

from __future__ import annotations

import json
import logging
import time
import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from traceback import clear_frames
from typing import Any, Final

from ...extras import need
from .session import NOTHING, Kept

__all__ = ["LONGEST", "KeySigner", "Secret", "SessionSigner", "decode", "encode"]

logger = logging.getLogger("roll")

Secret = str | bytes | Sequence[str | bytes]

SHORTEST: Final = 16
"""Minimum bytes of a secret: a shorter one can be guessed."""

LONGEST: Final = 16 * 1024
"""The most bytes of a session before it is compressed.

A compressed session of 4 KB could have 4 MB, which each request would parse.
"""


def encode(data: dict[str, Any]) -> str:
    """Return a session as JSON.

    Raises:
        TypeError, ValueError: JSON cannot hold a value.
    """
    return json.dumps(data, separators=(",", ":"), allow_nan=False)


def decode(text: str) -> dict[str, Any] | None:
    """Return a session from JSON, or log a warning and return None if it cannot be read.

    Python may write JSON that it cannot read: reading nested lists takes a deeper stack. An error
    would last as long as the cookie, and the handler could not even clear the session.
    """
    try:
        data: dict[str, Any] = json.loads(text)
    except (RecursionError, ValueError) as error:
        logger.warning("A session cannot be read, so it counts as empty: %s", error)
        return None
    return data


def checked_secrets(secret: Any) -> list[str | bytes]:
    """Return the secrets as itsdangerous wants them: the last one signs."""
    found = [secret] if isinstance(secret, str | bytes) else secret
    sound = isinstance(found, Sequence) and all(isinstance(one, str | bytes) for one in found)
    if not sound or not found:
        raise ValueError("`secret` is text or bytes, or a list of these, the newest first")
    if any(len(one) < SHORTEST for one in found):
        raise ValueError(
            f"A secret has {SHORTEST} characters or more: `python -c 'import secrets;"
            " print(secrets.token_urlsafe())'` makes one"
        )
    return list(reversed(found))


class Signer:
    """A signer of text with a time: a token is valid for `max_age` seconds."""

    salt: str

    def __init__(self, secret: Secret, max_age: int) -> None:
        dangerous = need("itsdangerous", "sessions", "sessions")
        self._bad = dangerous.BadData
        self._signer = dangerous.TimestampSigner(
            checked_secrets(secret), salt=self.salt, **sha256()
        )
        self._max_age = max_age

    def _signed(self, text: str | bytes) -> str:
        token: str = self._signer.sign(text).decode()
        return token

    def _unsigned(self, token: str) -> tuple[bytes, float] | None:
        """Return the text in a token, and its age in seconds; None when we have not signed it."""
        try:
            text, signed = self._signer.unsign(token, self._max_age, return_timestamp=True)
        except self._bad as error:
            # itsdangerous keeps the error in a variable of the frame that raised it. Through such
            # a cycle, the request stays in memory until the next garbage collection.
            clear_frames(error.__traceback__)
            return None
        return text, time.time() - signed.timestamp()


class SessionSigner(Signer):
    """A signer of whole sessions, which are compressed if that makes them shorter."""

    salt = "roll.session"

    def read(self, token: str) -> Kept:
        """Return the session in a token.

        Return `NOTHING` when it is forged, damaged, too old, or its JSON cannot be read.
        """
        found = self._unsigned(token)
        text = None if found is None else unpacked(found[0])
        data = None if text is None else decode(text)
        if found is None or text is None or data is None:
            return NOTHING
        return Kept(data, text, found[1], None)

    def write(self, text: str) -> str:
        """Return the token of a session in JSON, of at most `LONGEST` bytes."""
        return self._signed(packed(text.encode()))


class KeySigner(Signer):
    """A signer of the keys of sessions in a store: only keys that we signed are looked up."""

    salt = "roll.session.key"

    def read(self, token: str) -> tuple[str, float] | None:
        """Return the key in a token, and its age in seconds; None when we have not signed it."""
        found = self._unsigned(token)
        return None if found is None else (found[0].decode(), found[1])

    def write(self, key: str) -> str:
        """Return the token of a key."""
        return self._signed(key)


def packed(text: bytes) -> bytes:
    """Return text in base64 for URLs; a "." at the beginning says that it is compressed."""
    shorter = zlib.compress(text)
    if len(shorter) < len(text) - 1:
        return b"." + urlsafe_b64encode(shorter).rstrip(b"=")
    return urlsafe_b64encode(text).rstrip(b"=")


def unpacked(data: bytes) -> str | None:
    """Return the text that `packed` got; None if it is longer than a session may be.

    The limit is needed although we have signed the text: an earlier version had none.
    """
    compressed = data.startswith(b".")
    content = data[1:] if compressed else data
    text = urlsafe_b64decode(content + b"=" * (-len(content) % 4))
    if compressed:
        text = zlib.decompressobj().decompress(text, LONGEST + 1)
    return text.decode() if len(text) <= LONGEST else None


def sha256() -> dict[str, Any]:
    import hashlib  # noqa: PLC0415 - only with this extension

    return {"key_derivation": "hmac", "digest_method": hashlib.sha256}
