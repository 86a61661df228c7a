"""`sessions`: the data that an application keeps about a user."""

from __future__ import annotations

from typing import Any, Final

from roll_http.shown import shown

from ...application import Roll
from ...callables import is_generator, refuse_misfit
from .keepers import MOST, CookieKeeper, Settings, StoreKeeper
from .signing import KeySigner, Secret, SessionSigner
from .stores import SessionStore

__all__ = ["sessions"]

TWO_WEEKS: Final = 14 * 24 * 60 * 60

CALLS: Final = {"load": ("key",), "save": ("key", "data", "seconds"), "delete": ("key",)}
"""The methods of a store, with their arguments."""

OPTIONAL: Final = {"replace": ("key", "data", "seconds")}
"""The methods that a store may have, with their arguments."""

LONGEST: Final = 1024
"""The most bytes of a path or a domain (RFC 6265bis 5.6). A name leaves 3,072 for the value."""


def sessions(
    app: Roll,
    secret: Secret,
    *,
    store: SessionStore | None = None,
    cookie: str = "session",
    max_age: int = TWO_WEEKS,
    secure: bool = True,
    samesite: str = "Lax",
    domain: str | None = None,
    path: str = "/",
) -> None:
    """Give each request a `session`, a mapping that is kept for the user's next request.

    The session is kept in a cookie that is signed with `secret`, and that scripts cannot read.
    With a `store`, the cookie has only the signed key of the session. If there are several
    secrets, the first one signs, and all of them are accepted. To replace a secret, put the new
    one first, and remove the old one after `max_age` seconds. The life of a session begins again
    at each change, and at a use in its second half.

    `cookie`, `secure`, `samesite`, `domain` and `path` are the parameters of `cookies.set`. A
    browser sends a secure cookie over HTTPS and to `localhost` only; `secure=False` is for other
    tests.

    Raises:
        ValueError: an option cannot work, a secret is short, or the application has sessions.
        MissingExtra: itsdangerous is not installed.
    """
    check_first(app)
    check_age(max_age)
    settings = Settings(cookie, max_age, secure, samesite, domain, path)
    check(app, settings)
    check_lengths(cookie=cookie, path=path, domain=domain)
    keeper: Any
    if store is None:
        keeper = CookieKeeper(settings, SessionSigner(secret, max_age))
    else:
        check_store(store)
        keeper = StoreKeeper(settings, KeySigner(secret, max_age), store)
    # This listener is the first one, so that all others can use the session.
    app.hooks.setdefault("headers", []).insert(0, keeper.begin)
    app.listen("response")(keeper.keep)
    close = getattr(store, "close", None)
    if close is not None:
        app.listen("shutdown")(close)


def check_first(app: Roll) -> None:
    """Refuse a second call: each of the two would take the cookie of the other for its own."""
    owners = (getattr(listener, "__self__", None) for listener in app.hooks.get("headers", ()))
    if any(isinstance(owner, CookieKeeper | StoreKeeper) for owner in owners):
        raise ValueError("`sessions` was called before: call it once, with all its options")


def check_age(max_age: Any) -> None:
    if not isinstance(max_age, int) or isinstance(max_age, bool) or max_age < 1:
        raise ValueError(f"`max_age` is a number of seconds, at least 1, not {max_age!r}")


def check(app: Roll, settings: Settings) -> None:
    """Raise a `ValueError` for settings that a cookie cannot have."""
    try:
        settings.set(app.Response(app, None), "x", settings.max_age)
    except TypeError as error:
        raise ValueError(str(error)) from None


def check_lengths(**given: str | None) -> None:
    """Raise a `ValueError` for text that browsers ignore, or that leaves no room for a session."""
    for option, text in given.items():
        if text and len(text) > LONGEST:
            raise ValueError(
                f"`{option}` has at most {LONGEST} characters, not {len(text)}: browsers keep"
                f" {MOST} bytes of a cookie's name and value, and {LONGEST} of its path and domain"
            )


def check_store(store: Any) -> None:
    missing = [name for name in ("load", "save", "delete") if not hasattr(store, name)]
    if missing or isinstance(store, type):
        raise ValueError(
            f"`store` is an object with `load`, `save` and `delete`, such as MemoryStore(), not"
            f" {store!r}"
        )
    for name, arguments in (CALLS | OPTIONAL).items():
        if name in CALLS or hasattr(store, name):
            check_method(getattr(store, name), arguments, f"`store.{name}`")


def check_method(method: Any, arguments: tuple[str, ...], what: str) -> None:
    if not callable(method):
        raise ValueError(f"{what} is a method, not {shown(method)}")  # noqa: TRY004 - as every wrong option
    if is_generator(method):
        raise ValueError(f"{what} is a generator, which never runs: {shown(method)}")
    refuse_misfit(method, arguments, what)
