"""Signed tokens: whole sessions, or the keys of sessions in a store."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from typing import Any, Final

from ...extras import need
from .session import NOTHING, Kept

__all__ = ["KeySigner", "Secret", "SessionSigner", "encode"]

Secret = str | bytes | Sequence[str | bytes]

SHORTEST: Final = 16
"""Minimum bytes of a secret: a shorter one can be guessed."""


def encode(data: dict[str, Any]) -> str:
    """Return a session as JSON.

    Raises:
        TypeError, ValueError: JSON cannot hold a value.
    """
    return json.dumps(data, separators=(",", ":"), allow_nan=False)


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


class SessionSigner:
    """A signer of whole sessions: a token is valid for `max_age` seconds."""

    def __init__(self, secret: Secret, max_age: int) -> None:
        dangerous = need("itsdangerous", "sessions", "sessions")
        self._bad = dangerous.BadData
        self._signer = dangerous.URLSafeTimedSerializer(
            checked_secrets(secret), salt="roll.session", signer_kwargs=sha256()
        )
        self._max_age = max_age

    def read(self, token: str) -> Kept:
        """Return the session in a token; `NOTHING` when it is forged, damaged or too old."""
        try:
            data, signed = self._signer.loads(token, self._max_age, return_timestamp=True)
        except self._bad:
            return NOTHING
        return Kept(data, encode(data), time.time() - signed.timestamp(), None)

    def write(self, data: dict[str, Any]) -> str:
        """Return the token of a session."""
        token: str = self._signer.dumps(data)
        return token


class KeySigner:
    """A signer of the keys of sessions in a store: only keys that we signed are looked up."""

    def __init__(self, secret: Secret, max_age: int) -> None:
        dangerous = need("itsdangerous", "sessions", "sessions")
        self._bad = dangerous.BadData
        self._signer = dangerous.TimestampSigner(
            checked_secrets(secret), salt="roll.session.key", **sha256()
        )
        self._max_age = max_age

    def read(self, token: str) -> tuple[str, float] | None:
        """Return the key in a token, and its age in seconds; None when we have not signed it."""
        try:
            key, signed = self._signer.unsign(token, self._max_age, return_timestamp=True)
        except self._bad:
            return None
        return key.decode(), time.time() - signed.timestamp()

    def write(self, key: str) -> str:
        """Return the token of a key."""
        token: str = self._signer.sign(key).decode()
        return token


def sha256() -> dict[str, Any]:
    import hashlib  # noqa: PLC0415 - only with this extension

    return {"key_derivation": "hmac", "digest_method": hashlib.sha256}
