"""The page that a developer sees instead of a 500."""

from __future__ import annotations

import traceback
from collections.abc import Iterable, Iterator
from html import escape
from typing import Any, Final

from ..application import Roll
from ..errors import Unexpected, readable, set_fields
from ..local_hosts import is_asked_locally
from ..settings import check_flag
from .frames import Frame, Shown, chain_of, safe_repr

__all__ = ["error_pages"]

STYLE: Final = """
:root { color-scheme: light dark; --line: #8885; --hit: #e5484d33; }
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem;
       padding: 0 1rem; }
h1 { font-size: 1.4rem; overflow-wrap: anywhere; white-space: pre-wrap; }
h2 { font-size: 1.1rem; margin-top: 2rem; }
p.where { margin: 1rem 0 .25rem; overflow-wrap: anywhere; }
pre { border: 1px solid var(--line); border-radius: 6px; margin: 0; overflow-x: auto;
      padding: .5rem; }
pre mark { background: var(--hit); color: inherit; display: inline-block; min-width: 100%; }
table { border-collapse: collapse; width: 100%; }
td { border-top: 1px solid var(--line); font-family: ui-monospace, monospace; font-size: .85rem;
     overflow-wrap: anywhere; padding: .2rem .6rem .2rem 0; vertical-align: top; }
td:first-child { min-width: 9rem; }
summary { cursor: pointer; }
"""


def error_pages(app: Roll, *, anywhere: bool = False) -> None:
    """Show each unexpected exception to the client: a page to a browser, plain text to others.

    The page shows the source, the local variables and the request. Unless `anywhere` is set, only
    requests whose `Host` is this machine get the page. This prevents DNS rebinding: a site that
    binds its name to a loopback address does not get the page, whatever proxy fields its scripts
    send.

    Raises:
        ValueError: `anywhere` is neither True nor False.
    """
    check_flag("anywhere", anywhere)

    def show(request: Any, response: Any, error: Any) -> None:
        if isinstance(error, Unexpected) and (anywhere or is_asked_locally(request)):
            cause: Any = error.__context__
            is_page = "text/html" in request.headers.get("ACCEPT", "")
            kind, body = ("html", page(request, cause)) if is_page else ("plain", text(cause))
            set_fields(response.headers, {"Content-Type": f"text/{kind}; charset=utf-8"})
            response.body = body.encode(errors="backslashreplace")

    app.listen("error")(show)


def text(error: BaseException) -> str:
    return "".join(traceback.format_exception(error))


def page(request: Any, error: BaseException) -> str:
    """Return the page of an exception; all text on it is escaped."""
    chain = chain_of(error)
    where = f"{request.method} {readable(request.url)}"
    parts = [
        "<!doctype html><html lang=en><meta charset=utf-8>",
        "<meta name=viewport content='width=device-width'>",
        f"<title>{escape(chain[-1].title.partition(chr(10))[0])}</title><style>{STYLE}</style>",
        f"<h1>{escape(chain[-1].title)}</h1><p><code>{escape(where)}</code></p>",
        *(part for shown in reversed(chain) for part in exception(shown, chain[-1] is shown)),
        "<h2>Request</h2>",
        table(request_rows(request)),
        "</html>",
    ]
    return "\n".join(parts)


def exception(shown: Shown, is_last: bool) -> Iterator[str]:
    if not is_last:
        yield f"<h2>{escape(shown.title)}</h2><p>{escape(shown.relation)}</p>"
    for frame in reversed(shown.frames):  # the failed frame comes first
        yield from call(frame)


def call(frame: Frame) -> Iterator[str]:
    yield (
        f"<p class=where><code>{escape(frame.function)}</code> in"
        f" <code>{escape(frame.file)}:{frame.line}</code></p>"
    )
    lines = (
        f"<mark>{number:>5}  {escape(line)}</mark>"
        if number == frame.line
        else f"{number:>5}  {escape(line)}"
        for number, line in frame.source
    )
    yield f"<pre>{chr(10).join(lines)}</pre>"
    yield f"<details><summary>Local variables</summary>{table(frame.variables)}</details>"


def request_rows(request: Any) -> Iterator[tuple[str, str]]:
    yield "path", safe_repr(request.path)
    yield "query string", safe_repr(request.query_string)
    yield "client", safe_repr(request.client)
    route = request.route
    yield "variables", safe_repr(None if route is None else route.vars)
    for name, value in request.headers.items():
        yield name, safe_repr(value)


def table(rows: Iterable[tuple[str, str]]) -> str:
    cells = (f"<tr><td>{escape(name)}<td>{escape(value)}" for name, value in rows)
    return f"<table>{''.join(cells)}</table>"
