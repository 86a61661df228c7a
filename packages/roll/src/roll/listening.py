"""Listening sockets: TCP addresses, Unix sockets, and sockets inherited from another process."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from .settings import check_flag

__all__ = ["Place", "checked_port"]

HIGHEST_PORT: Final = 65535

MISSING: Final = frozenset({errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT})
"""Errors for an address that `getaddrinfo` returns but the machine lacks, often that of IPv6."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a server listens: `host` and `port`, or the path `unix`, or open descriptors `fds`.

    Port 0 means any free port. With `reuse_port`, several processes can listen on one port.

    Raises:
        ValueError: more than one place is given, or a value is invalid.
    """

    host: str = "127.0.0.1"
    port: int = 3579
    unix: str | os.PathLike[str] | None = None
    fds: Sequence[int] = ()
    reuse_port: bool = False

    def __post_init__(self) -> None:
        check_host(self.host)
        check_flag("reuse_port", self.reuse_port)
        if self.unix is not None and self.fds:
            raise ValueError("Give either `unix` or `fd`: a server listens in one place")
        if self.reuse_port and (self.unix is not None or self.fds):
            raise ValueError("`reuse_port` needs `host` and `port`")
        if self.reuse_port and not hasattr(socket, "SO_REUSEPORT"):
            raise ValueError("This system cannot share a port: leave `reuse_port` out")
        if self.unix is not None:
            check_unix(self.unix)
        for fd in self.fds:
            check_descriptor(fd)

    @contextlib.contextmanager
    def listening(self) -> Iterator[list[socket.socket]]:
        """Bind and yield the sockets, and close them afterwards.

        A host with several addresses has several sockets.

        Raises:
            SystemExit: no server can listen there; the message says why.
        """
        sockets = self.bind()
        try:
            with removed_at_end(self.unix):
                yield sockets
        finally:
            close(sockets)

    def bind(self) -> list[socket.socket]:
        """Bind and return the sockets.

        The caller must close them, and must remove the file of a Unix socket.

        Raises:
            SystemExit: no server can listen there; the message says why.
        """
        try:
            return self._bind()
        except UnicodeError:  # a label of more than 63 characters, or a lone surrogate
            raise SystemExit(f"Cannot listen on {self}: that is not a valid host name") from None
        except OSError as error:
            raise SystemExit(f"Cannot listen on {self}: {reason(error)}") from None

    def _bind(self) -> list[socket.socket]:
        if self.fds:
            return [inherited(fd) for fd in self.fds]
        if self.unix is not None:
            return [bind_unix(Path(self.unix))]
        return bind_tcp(self.host, self.port, self.reuse_port)

    def __str__(self) -> str:
        if self.fds:
            return " and ".join(f"the descriptor {fd}" for fd in self.fds)
        if self.unix is not None:
            return f"unix:{os.fspath(self.unix)}"
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def checked_port(port: Any) -> int:
    """Return a port as a number; text is allowed, because environment variables are text.

    Raises:
        ValueError: the value is not a port.
    """
    text = str(port)
    digits = len(text) <= len(str(HIGHEST_PORT)) and text.isascii() and text.isdigit()
    if not digits or int(text) > HIGHEST_PORT:
        raise ValueError(f"`port` is a number from 0 to {HIGHEST_PORT}, not {port!r}")
    return int(text)


def check_host(host: Any) -> None:
    if not isinstance(host, str) or "\0" in host:
        raise ValueError(f"`host` is a name or an address, not {host!r}")


def check_unix(path: Any) -> None:
    if not hasattr(socket, "AF_UNIX"):
        raise ValueError("This system has no Unix sockets: give `host` and `port`")
    name = os.fspath(path) if isinstance(path, str | os.PathLike) else None
    if not isinstance(name, str) or not name or "\0" in name:
        raise ValueError(f"`unix` is the path of a socket, not {path!r}")


def check_descriptor(fd: Any) -> None:
    if not isinstance(fd, int) or isinstance(fd, bool) or fd < 0:
        raise ValueError(f"`fd` is the number of an open descriptor, not {fd!r}")


def reason(error: OSError) -> str:
    # The socket module appends the address, which the message already names.
    return (error.strerror or str(error)).partition(" (while attempting")[0]


def bind_tcp(host: str, port: int, reuse_port: bool) -> list[socket.socket]:
    bound: list[socket.socket] = []
    failure = None
    for family, address in addresses(host, port):
        # With a port of 0, all addresses get the port that the first one got.
        number = port or (bound[0].getsockname()[1] if bound else 0)
        try:
            sock = socket.create_server((address, number), family=family, reuse_port=reuse_port)
            bound.append(sock)
        except OSError as error:
            failure = error
            if error.errno not in MISSING:
                break
    if failure is not None and (failure.errno not in MISSING or not bound):
        close(bound)
        raise failure
    return bound


def addresses(host: str, port: int) -> list[tuple[int, str]]:
    found = socket.getaddrinfo(
        host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )
    return list(dict.fromkeys((family, str(address[0])) for family, _, _, _, address in found))


def bind_unix(path: Path) -> socket.socket:
    remove_dead(path)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.bind(os.fspath(path))
    except BaseException:
        sock.close()
        raise
    return sock


def remove_dead(path: Path) -> None:
    """Remove the file of a Unix socket on which no process listens any more.

    Raises:
        OSError: a process listens there, or the file is not a socket.
    """
    try:
        kind = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(kind):
        raise FileExistsError(0, "the file exists, but is not a socket")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(os.fspath(path))
        except ConnectionRefusedError:
            path.unlink()
        else:
            raise OSError(0, "another process listens there")


def inherited(fd: int) -> socket.socket:
    try:
        sock = socket.socket(fileno=fd)
    except (OSError, OverflowError):
        raise OSError(0, "the descriptor is not an open socket") from None
    try:
        check_listening(sock)
    except OSError:
        sock.detach()  # leave the descriptor open: another part of the process may use it
        raise
    return sock


def check_listening(sock: socket.socket) -> None:
    """Make a bound socket listen, unless it does already: a second `listen` can be forbidden."""
    if sock.type != socket.SOCK_STREAM:
        raise OSError(0, "the socket is not a stream socket")
    if is_listening(sock):
        return
    try:
        sock.listen()
    except OSError:
        raise OSError(0, "the socket is a connection, not a listening socket") from None


def is_listening(sock: socket.socket) -> bool:
    try:
        return bool(sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))
    except (OSError, AttributeError):  # some systems do not have this option
        return False


@contextlib.contextmanager
def removed_at_end(path: str | os.PathLike[str] | None) -> Iterator[None]:
    """Remove the file of a Unix socket at the end, unless another process has replaced it."""
    if path is None:
        yield
        return
    file = Path(path)
    made = file.stat().st_ino
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            if file.stat().st_ino == made:
                file.unlink()


def close(sockets: Sequence[socket.socket]) -> None:
    for sock in sockets:
        sock.close()
