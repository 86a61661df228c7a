"""Use of the options: the application, its address and its TLS."""

from __future__ import annotations

import argparse
import ipaddress
import os
import socket
import ssl
from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any, Final

from roll_http import Limits

from ..extensions.proxy_headers import ProxyHeaders, proxy_headers
from ..extensions.server import announce
from ..extensions.trusting import TrustsProxies
from ..listening import Place, checked_port
from .accesses import log_accesses
from .loading import load, target_of

__all__ = ["given_limits", "is_local", "load_application", "place_of", "say", "tls_of"]

ADDRESSED: Final = frozenset({socket.AF_INET, socket.AF_INET6})


def load_application(options: argparse.Namespace) -> Any:
    """Load the application, and apply the options.

    Raises:
        LoadError: the application was not found, or its code raised.
    """
    app = load(target_of(options.application))
    app.limits = replace(app.limits, **given_limits(options))
    if options.forwarded_allow_ips is not None:
        trust_proxies(app, options.forwarded_allow_ips.split(","))
    if options.debug or options.debug_anywhere:
        debug(app, options)
    log_accesses(app, options.access_log)
    return app


def trust_proxies(app: Any, names: list[str]) -> None:
    """Turn on the extension `proxy_headers`, unless the application has done so."""
    known = [one for one in app.hooks.get("headers", ()) if isinstance(one, TrustsProxies)]
    for listener in known:
        listener.trust(names)
    if not any(isinstance(one, ProxyHeaders) for one in known):
        proxy_headers(app, trusted=names)


def debug(app: Any, options: argparse.Namespace) -> None:
    """Turn on all the aids for development."""
    from ..debug import error_pages, log_unawaited, report, watch_loop  # noqa: PLC0415 - rarely needed

    app.add_late_routes()
    for line in report(app):
        say(line)
    error_pages(app, anywhere=options.debug_anywhere)
    watch_loop(app)
    log_unawaited()


def given_limits(options: argparse.Namespace) -> Mapping[str, Any]:
    """Return the limits that the command line gives, by their names."""
    names = (field.name for field in fields(Limits))
    return {name: vars(options)[f"limit_{name}"] for name in names if f"limit_{name}" in options}


def place_of(options: argparse.Namespace) -> Place:
    """Return where to listen; raise a `ValueError` if an option has no valid value."""
    if not options.host:  # a variable that is not set, in a script
        raise ValueError(
            "--host is empty: 0.0.0.0 and :: are all addresses, 127.0.0.1 is this machine"
        )
    # A reloaded process inherits the sockets of its parent, whatever the options say.
    unix = None if options.reloaded else options.unix
    return Place(
        host=options.host,
        port=checked_port(options.port),
        unix=unix,
        fds=tuple(dict.fromkeys(options.fd)),
    )


def tls_of(options: argparse.Namespace) -> ssl.SSLContext | None:
    """Return the context for TLS, or None without `--cert`."""
    if options.cert is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(options.cert, options.key, password=refuse_password)
    except (OSError, ssl.SSLError) as error:
        files = " and ".join(filter(None, (options.cert, options.key)))
        why = getattr(error, "strerror", None) or error
        raise ValueError(f"--cert and --key: {files} cannot be used: {why}") from None
    return context


def refuse_password() -> str:
    # Without this function, OpenSSL asks for the password on the terminal in each worker.
    raise OSError(0, "the key is encrypted, and Roll does not ask for its password")


def is_local(options: argparse.Namespace) -> bool:
    """Tell whether only clients on this machine can connect."""
    if options.fd:
        return all(map(is_local_socket, options.fd))
    return options.unix is not None or is_loopback(options.host)


def is_local_socket(fd: int) -> bool:
    try:
        with socket.socket(fileno=os.dup(fd)) as sock:
            host = sock.getsockname()[0] if sock.family in ADDRESSED else "localhost"
    except OSError:
        return False
    return is_loopback(host)


def is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def say(line: str) -> None:
    """Write a line to the terminal; do nothing if its reader is gone."""
    announce(line)
