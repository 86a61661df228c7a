"""Keepers: they read sessions before a request, and keep them after it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from inspect import isawaitable
from typing import Any, Final

from ...fields import vary_on
from .session import NOTHING, Kept, Session
from .signing import LONGEST, KeySigner, SessionSigner, decode, encode
from .stores import SessionStore

__all__ = ["MOST", "CookieKeeper", "Settings", "StoreKeeper"]

MOST: Final = 4096
"""Maximum bytes of a cookie's name and value that browsers keep (RFC 6265 6.1)."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The cookie of a session."""

    cookie: str
    max_age: int
    secure: bool
    samesite: str
    domain: str | None
    path: str

    def set(self, response: Any, token: str, max_age: int) -> None:
        """Set the cookie; an age of 0 deletes it."""
        response.cookies.set(
            self.cookie,
            token,
            max_age=max_age,
            secure=self.secure,
            httponly=True,
            samesite=self.samesite,
            domain=self.domain,
            path=self.path,
        )

    def is_due(self, session: Session, text: str) -> bool:
        """Tell whether to write a session: it was changed or renewed, or is past half its life."""
        kept = session.kept
        return text != kept.text or session.renewed or kept.age > self.max_age / 2


def session_of(request: Any) -> Session | None:
    """Return the session of a request, if something has used it."""
    found = request.kwargs.get("session")
    return found if isinstance(found, Session) and found.used else None


def nothing() -> Kept:
    """Return the session of a request without a cookie."""
    return NOTHING


def new_key() -> str:
    """Return a new key of a session in a store, which cannot be guessed."""
    from secrets import token_urlsafe  # noqa: PLC0415 - the import takes 3 ms

    return token_urlsafe(32)


async def settled(result: Any) -> Any:
    """Return the result of a store, whose methods may be async or not."""
    return await result if isawaitable(result) else result


class CookieKeeper:
    """A keeper of sessions in signed cookies: users can read a session, but not change it."""

    def __init__(self, settings: Settings, signer: SessionSigner) -> None:
        self.settings = settings
        self._signer = signer

    def begin(self, request: Any) -> None:
        """Give a request its session, which `request.session` makes at its first use."""
        request.kwargs["session"] = self

    def session_for(self, request: Any) -> Session:
        """Return the session of a request, which is read at its first use.

        It must not refer to the request: the two would stay in memory, with the body, until the
        next garbage collection.
        """
        token = request.cookies.get(self.settings.cookie)
        return Session(partial(self._signer.read, token) if token else nothing)

    def __repr__(self) -> str:
        return "<Session: not read>"  # also for those that show all values of a request

    def keep(self, request: Any, response: Any) -> None:
        """Set the cookie if the session has changed."""
        session = session_of(request)
        if session is None:
            return
        vary_on(response.headers, "Cookie")
        settings = self.settings
        if not session:
            if settings.cookie in request.cookies:
                settings.set(response, "", 0)
            return
        text = encode(session.data)
        if settings.is_due(session, text):
            settings.set(response, self._token(text), settings.max_age)

    def _token(self, text: str) -> str:
        # Check the text too: compressed, megabytes of it may fit into a cookie.
        token = self._signer.write(text) if len(text) <= LONGEST else text
        if len(self.settings.cookie) + len(token) > MOST:
            raise ValueError(
                f"A session of {len(token)} bytes is too large for a cookie, which has {MOST}:"
                " give `sessions` a `store`"
            )
        return token


class StoreKeeper:
    """A keeper of sessions in a store; the cookie has the signed key."""

    def __init__(self, settings: Settings, signer: KeySigner, store: SessionStore) -> None:
        self.settings = settings
        self._signer = signer
        self.store = store

    async def begin(self, request: Any) -> None:
        """Load the session of a request that has the cookie."""
        kept = await self._load(request.cookies.get(self.settings.cookie))
        request.kwargs["session"] = Session(lambda: kept)

    async def _load(self, token: str | None) -> Kept:
        found = self._signer.read(token) if token else None
        if found is None:
            return NOTHING
        key, age = found
        text = await settled(self.store.load(key))
        data = None if text is None else decode(text)
        return NOTHING if text is None or data is None else Kept(data, text, age, key)

    async def keep(self, request: Any, response: Any) -> None:
        """Save the session if it has changed, and set the cookie when it needs another one."""
        session = session_of(request)
        if session is None:
            return
        vary_on(response.headers, "Cookie")
        if session:
            await self._save(session, response)
        else:
            await self._forget(session)
            if self.settings.cookie in request.cookies:
                self.settings.set(response, "", 0)

    async def _save(self, session: Session, response: Any) -> None:
        text = encode(session.data)
        if not self.settings.is_due(session, text):
            return
        former = session.kept.key
        if former is None or session.renewed:
            key = new_key()
            await settled(self.store.save(key, text, self.settings.max_age))
        elif await self._replace(former, text):
            key = former
        else:  # another request has ended the session: a logout, or `renew`
            return
        self.settings.set(response, self._signer.write(key), self.settings.max_age)
        if session.renewed:
            await self._forget(session)  # last: if the save fails, the user keeps the old one

    async def _replace(self, key: str, text: str) -> bool:
        """Save a session again; return False, and save nothing, if the store no longer has it."""
        if has_replace(type(self.store)):
            replace = self.store.replace  # type: ignore[attr-defined]  # it is optional
            return bool(await settled(replace(key, text, self.settings.max_age)))
        await settled(self.store.save(key, text, self.settings.max_age))
        return True

    async def _forget(self, session: Session) -> None:
        if session.kept.key is not None:
            await settled(self.store.delete(session.kept.key))


def has_replace(kind: type) -> bool:
    """Tell whether a class of stores has a `replace` that goes with its `save`.

    A subclass may override `save` alone, to encrypt the data: then the inherited `replace` would
    save them as they are.
    """
    owner = next((each for each in kind.__mro__ if {"replace", "save"} & vars(each).keys()), None)
    return owner is not None and "replace" in vars(owner)
