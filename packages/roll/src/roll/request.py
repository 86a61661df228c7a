"""The request of an application: the request of roll-http, with a query, a form and files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import Any, Final, cast

from roll_http import HttpError
from roll_multipart import MultipartError

from ._core import cycle
from .advice import advise
from .containers import Query, made_of
from .forms import ReadsForms
from .identity import Identified
from .sse import number_of

__all__ = ["Request"]

NO_KEYS: Final = (
    "A request is iterated as a dict, and has no keys: write `async for chunk in request` for its"
    " body, and `request.keys()` if keys are meant"
)


class Request(Identified, ReadsForms):
    """A request. It is also a dict for the application: Roll never uses its keys."""

    __slots__ = ("_query", "after_functions", "forwarded", "known_id")

    after_functions: list[Callable[[], Any]]
    """The functions given to `response.after`."""

    forwarded: Any
    """The client as a trusted proxy reports it; None without one (see `proxy_headers`)."""

    _query: Query | None  # None at first, as the other slots

    @property
    def _shared(self) -> tuple[str, ...]:
        return (*super()._shared, "after_functions")

    def __iter__(self) -> Iterator[str]:
        """Iterate over the keys, as any dict does.

        Warns with a `RollWarning` if the request has no keys but a body: use `async for` then.
        """
        if not self and (self._stream is not None or self._whole or self._body):
            advise(NO_KEYS)
        return super().__iter__()

    @property
    def client(self) -> tuple[str, int] | None:
        """The address of the client: host and port.

        None over a Unix socket, and if a trusted proxy hides it. With `proxy_headers`, the port
        is 0 if the proxy does not send it.
        """
        found: tuple[str, int] | None
        found = super().client if self.forwarded is None else self.forwarded.client
        return found

    @property
    def scheme(self) -> str:
        """`"http"`, or `"https"` over TLS; with `proxy_headers`, what the client used."""
        told = None if self.forwarded is None else self.forwarded.scheme
        return told or super().scheme

    @property
    def session(self) -> Any:
        """The session of the user, a mapping; it needs the extension `sessions`.

        Setting it to a mapping replaces all its values.
        Raises `RuntimeError` without the extension.
        """
        try:
            found = self.kwargs["session"]
        except KeyError:
            raise RuntimeError(
                "`request.session` needs an extension: `extensions.sessions(app, SECRET)`"
            ) from None
        if hasattr(found, "session_for"):  # nothing has asked for the session yet
            found = self.kwargs["session"] = found.session_for(self)
        return found

    @session.setter
    def session(self, values: Any) -> None:
        kept: Any = self.session if "session" in self.kwargs else None
        if hasattr(kept, "renew"):  # Roll's own session, which knows the stored values
            values = dict(values)  # a copy, because `values` may be the session itself
            kept.clear()
            kept.update(values)
        else:
            self.kwargs["session"] = values

    @property
    def base_url(self) -> str:
        """The beginning of the URLs of this application, such as `https://example.org`.

        It includes the prefix of a trusted proxy, see `proxy_headers`.
        """
        prefix = None if self.forwarded is None else self.forwarded.prefix
        return f"{self.scheme}://{self.host}{prefix or ''}"

    # A subclass declares the application's own classes for type checkers: `query: MyQuery`.

    @property
    def query(self) -> Query:
        """The parameters of the query string; raises `HttpError` 400 when there are too many."""
        if self._query is None:
            try:
                found = Query.parse(self.query_string)
            except MultipartError as error:
                raise HttpError(HTTPStatus.BAD_REQUEST, error.message) from error
            make = Query if self.app is None else self.app.Query
            self._query = found if make is Query else made_of(found, make)
        return self._query

    @property
    def last_event_id(self) -> str:
        """The id of the last event that a client of server-sent events has seen, or an empty str.

        A browser sends it when it connects again (WHATWG HTML 9.2.4), in UTF-8.
        """
        text = self.headers.get("LAST-EVENT-ID", "")
        try:
            return text.encode("latin-1").decode()
        except UnicodeError:  # the client is not a browser, or a test created the request
            return text

    def last_event_number(self, query: str | None = None) -> int:
        """Return the number of the last event that a client has seen; 0 if there is none.

        It is `last_event_id`, or else the parameter `query` of the query string: a page that
        makes a new `EventSource` can send the id only there. An id that is not a whole number of
        64 bits, such as one that somebody made up, is ignored.
        Raises what `query` raises, if the parameter is needed.
        """
        number = number_of(self.last_event_id)
        if number is None and query is not None:
            number = number_of(self.query.get(query, ""))
        return number or 0


query_in_python: Any = cast("property", vars(Request)["query"]).fget

if cycle is not None:
    Request.query = property(cycle.get_query, doc=query_in_python.__doc__)  # type: ignore[method-assign, assignment]
