"""The rules: each finds the lines for a row of `docs/upgrading.md`."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Final

from roll_http.connection.gone import INSTEAD

from ..events import BUILT_IN
from ..old_hooks import OLD_HOOKS
from .code import (
    Function,
    bodies_set_in,
    calls_of,
    decorators_of,
    defined_in,
    first_text,
    has_type,
    imported_by,
    is_attribute,
    is_bytes,
    is_class,
    last_name,
    looks_like_html,
)

__all__ = ["RULES"]

REQUEST_NAMES: Final = frozenset({"_chunk", "_parse_multipart", "_parse_urlencoded", "queue"})

SOCKET_NAMES: Final = frozenset(
    {
        *("abort_pings", "close_connection", "close_transport", "connection_closed_exc", "drain"),
        *("connection_open", "ensure_open", "fail_connection", "host", "keepalive_ping"),
        *("local_address", "open", "port", "read_message", "remote_address", "secure", "side"),
        *("state", "transfer_data", "wait_closed", "write_frame", "write_close_frame"),
        *("is_client", "read_data_frame", "read_frame", "wait_for_connection_lost"),
        *("write_frame_sync", "ALLOWED_METHODS", "NEEDS_UPGRADE"),
    }
)
"""Attributes that a websocket had from the underlying library, and does not have any more."""

SOCKET_HOOKS: Final = OLD_HOOKS["WebsocketProtocol"]

CLIENT_NAMES: Final = frozenset({"encode_body", "handle_files"})
"""The methods that the test client does not call any more."""

PARAMETERS: Final = frozenset(
    {
        *("max_body", "cancel_on_disconnect", "replace", "timeout", "origins", "compression"),
        *("ping_interval", "ping_timeout", "max_size"),
    }
)
"""The extras of a route that are options of Roll now."""

CONVERTED: Final = frozenset({"int", "float", "UUID", "date"})
TYPES: Final = (":int}", ":float}", ":uuid}")
REPLACED: Final = frozenset({"mimetype_match", "multifruits"})

PLAIN: Final = (ast.Constant, type(None))
"""The values of a `return` that do not end the chain of listeners."""

Found = Iterator[tuple[ast.AST, str]]


def default_content_type(node: ast.AST) -> Found:
    if isinstance(node, Function) and not has_type(node):
        for part in bodies_set_in(node):
            if looks_like_html(part.value):
                yield part, "HTML without a Content-Type is shown as text now"


def ujson(node: ast.AST) -> Found:
    if "ujson" in imported_by(node):
        yield node, "is used for JSON only where a subclass of Roll says `JSON = ujson`"


def you_need(node: ast.AST) -> Found:
    for name in REPLACED & imported_by(node):
        yield node, f"`{name}` is not installed with Roll any more"


def gone_names(node: ast.AST) -> Found:
    if isinstance(node, ast.ImportFrom) and node.module and "roll" in imported_by(node):
        for alias in node.names:
            if not importable(node.module, alias.name):
                yield node, f"`{alias.name}` is no longer a name of `{node.module}`"


def importable(module: str, name: str) -> bool:
    try:
        found = import_module(module)
        return name == "*" or hasattr(found, name) or bool(import_module(f"{module}.{name}"))
    except ImportError:
        return False


def text_of_exceptions(node: ast.AST) -> Found:
    for call in decorators_of(node, "listen"):
        if first_text(call) == "error":
            for part in ast.walk(node):
                if isinstance(part, ast.Attribute) and part.attr == "message":
                    yield part, "is the text of an unexpected exception, which may tell secrets"


def errors_are_text(node: ast.AST) -> Found:
    for call in decorators_of(node, "listen"):
        if first_text(call) == "error" and not has_type(node):
            for part in bodies_set_in(node):
                yield part, "is sent as text/plain, because there is no Content-Type"


def content_type_of_a_file(node: ast.AST) -> Found:
    if isinstance(node, ast.Compare):
        sides = [node.left, *node.comparators]
        if any(last_name(side) == "content_type" for side in sides) and any(map(is_bytes, sides)):
            yield node, "is text now, and never equal to bytes"
    elif isinstance(node, ast.Subscript):
        if last_name(node.value) == "params" and is_bytes(node.slice):
            yield node, "has keys and values that are text now"
    elif is_attribute(node, {"decode"}, {"content_type"}):
        yield node, "is text now, which has no `decode`"


def files_are_no_bytesio(node: ast.AST) -> Found:
    if isinstance(node, ast.Attribute) and node.attr == "getbuffer":
        yield node, "a file of a form has no `getbuffer` any more"


def private_names_of_a_request(node: ast.AST) -> Found:
    if is_class(node, "Request"):
        for part, name in defined_in(node):
            if name in REQUEST_NAMES:
                yield part, f"nothing calls `{name}` any more"
    elif is_attribute(node, REQUEST_NAMES, {"request", "req"}):
        yield node, f"a request has no `{last_name(node)}` any more"


def new_parameters(node: ast.AST) -> Found:
    for call in calls_of(node, "route"):
        for keyword in call.keywords:
            if keyword.arg in PARAMETERS:
                yield keyword.value, f"the extra `{keyword.arg}` has a meaning for Roll now"


def arguments_of_handlers(node: ast.AST) -> Found:
    for _ in decorators_of(node, "route"):
        arguments = node.args  # type: ignore[attr-defined]  # it is a function
        for argument in [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]:
            if last_name(argument.annotation) in CONVERTED:
                yield argument, f"`{argument.arg}` is converted as its annotation says"


def new_placeholders(node: ast.AST) -> Found:
    for call in calls_of(node, "route"):
        if any(kind in first_text(call) for kind in TYPES):
            yield call, "`int`, `float` and `uuid` are types now, not regular expressions"


def listeners_of_route_add(node: ast.AST) -> Found:
    for call in calls_of(node, "listen"):
        if first_text(call) == "route:add":
            yield call, "gets the extras of the route, without `protocol` and `lazy_body`"


def static(node: ast.AST) -> Found:
    for call in calls_of(node, "static"):
        if not any(keyword.arg == "dotfiles" for keyword in call.keywords):
            yield call, "serves no dotfiles, and its folder has to be there at startup"


def names_of_http_protocol(node: ast.AST) -> Found:
    if is_class(node, "HTTPProtocol", "HttpProtocol"):
        for part, name in defined_in(node):
            if name in INSTEAD:
                yield part, f"nothing calls or sets `{name}` any more; {INSTEAD[name]}"


def protocol_request(node: ast.AST) -> Found:
    if isinstance(node, ast.Attribute) and last_name(node.value) == "protocol":
        if node.attr in {"request", "response"}:
            yield node, "is None between requests; in the test client, the last one"
        elif node.attr in INSTEAD:
            yield node, f"is gone; {INSTEAD[node.attr]}"


def websocket_names(node: ast.AST) -> Found:
    if is_class(node, "WSProtocol", "WebsocketProtocol"):
        for part, name in defined_in(node):
            if name in SOCKET_HOOKS or name in SOCKET_NAMES:
                instead = SOCKET_HOOKS.get(name, "see the row")
                yield part, f"nothing calls or reads `{name}` any more; {instead}"
    elif is_attribute(node, SOCKET_NAMES, {"ws", "websocket", "socket"}):
        yield node, f"a websocket has no `{last_name(node)}` any more"


def the_test_client(node: ast.AST) -> Found:
    if is_class(node, "Client"):
        for part, name in defined_in(node):
            if name in CLIENT_NAMES:
                yield part, f"nothing calls `{name}` any more; override `request`"


def words_of_booleans(node: ast.AST) -> Found:
    if is_class(node, "Query", "Form"):
        for part, name in defined_in(node):
            if name in OLD_HOOKS["Query"]:
                yield part, f"nothing reads `{name}` any more; {OLD_HOOKS['Query'][name]}"


def hooks_of_multipart(node: ast.AST) -> Found:
    if is_class(node, "Multipart"):
        for part, name in defined_in(node):
            if name in OLD_HOOKS["Multipart"]:
                yield part, f"nothing calls `{name}` any more; {OLD_HOOKS['Multipart'][name]}"


def true_results(node: ast.AST) -> Found:
    for call in decorators_of(node, "listen"):
        if first_text(call) in BUILT_IN:
            for part in ast.walk(node):
                if isinstance(part, ast.Return) and not isinstance(part.value, PLAIN):
                    yield part, "a true result other than True causes a warning; see the row"


def cors(node: ast.AST) -> Found:
    for call in calls_of(node, "cors"):
        given = {keyword.arg: keyword.value for keyword in call.keywords}
        origin = given.get("origin", call.args[1] if len(call.args) > 1 else None)
        if is_constant(given.get("credentials"), True) and (
            origin is None or is_constant(origin, "*")
        ):
            yield call, "is a ValueError now: name the origins that may send credentials"
        if has_no_scheme(origin):
            yield (
                call,
                "is a ValueError now: write the origin with its scheme, as browsers send it",
            )


def has_no_scheme(origin: ast.AST | None) -> bool:
    value = origin.value if isinstance(origin, ast.Constant) else None
    return isinstance(value, str) and value not in {"*", "null"} and "://" not in value


def autoroutes_itself(node: ast.AST) -> Found:
    if is_attribute(node, {"root", "dump"}, {"routes"}):
        yield node, f"`{last_name(node)}` is there with `Routes = autoroutes.Routes` only"


def is_constant(node: ast.AST | None, value: object) -> bool:
    return isinstance(node, ast.Constant) and node.value == value


RULES: Final[list[tuple[str, Callable[[ast.AST], Found]]]] = [
    ("Default Content-Type", default_content_type),
    ("ujson", ujson),
    ("You need", you_need),
    ("Names that are gone", gone_names),
    ("Text of exceptions", text_of_exceptions),
    ("Errors are text", errors_are_text),
    ("Content type of a file", content_type_of_a_file),
    ("Files are not BytesIO", files_are_no_bytesio),
    ("Words of booleans", words_of_booleans),
    ("Hooks of Multipart", hooks_of_multipart),
    ("Private names of a request", private_names_of_a_request),
    ("New parameters", new_parameters),
    ("Arguments of handlers", arguments_of_handlers),
    ("New placeholders", new_placeholders),
    ("Autoroutes itself", autoroutes_itself),
    ("Listeners of route:add", listeners_of_route_add),
    ("True results of listeners", true_results),
    ("static", static),
    ("cors", cors),
    ("The test client", the_test_client),
    ("Names of HttpProtocol", names_of_http_protocol),
    ("protocol.request", protocol_request),
    ("Websocket names", websocket_names),
]
"""The marked rows of `docs/upgrading.md`, each with the function that finds its lines."""
