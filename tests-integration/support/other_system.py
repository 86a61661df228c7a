"""Make an interpreter behave like one on Windows: remove names that Windows lacks.

The standard library itself is loaded before. Imported by `sitecustomize`, it holds for all
processes that a program starts.
"""

import asyncio
import contextlib
import functools
import os
import select
import selectors
import signal
import socket
import subprocess
import sys
import tempfile

MODULES = ("fcntl", "grp", "gunicorn", "pwd", "resource", "termios", "uvloop")
ABSENT = {
    os: (
        *("O_CLOEXEC", "O_NONBLOCK", "O_TMPFILE", "RWF_NOWAIT", "fchmod", "fork", "forkpty"),
        *("getuid", "geteuid", "killpg", "listxattr", "posix_fadvise", "pread", "preadv"),
        *("pwritev", "register_at_fork", "sendfile", "setsid", "sched_getaffinity", "writev"),
    ),
    signal: (
        *("SIGALRM", "SIGCHLD", "SIGHUP", "SIGKILL", "SIGPIPE", "SIGPROF", "SIGQUIT", "SIGUSR1"),
        *("SIGUSR2", "SIGVTALRM", "SIGXCPU", "pthread_kill", "pthread_sigmask", "setitimer"),
    ),
    socket: ("AF_UNIX", "MSG_DONTWAIT", "SCM_RIGHTS", "SO_REUSEPORT", "TCP_INFO"),
    select: ("PIPE_BUF", "poll"),
}
LOOP_METHODS = ("add_signal_handler", "remove_signal_handler", "create_unix_server")


def remove():
    """Remove all of this from the running interpreter."""
    # Windows makes pairs of TCP sockets.
    socket.socketpair = functools.partial(socket.socketpair, socket.AF_UNIX)
    assert selectors.DefaultSelector
    tempfile.TemporaryFile = tempfile.NamedTemporaryFile  # as Windows has it
    assert subprocess
    for module, names in ABSENT.items():
        for name in names:
            with contextlib.suppress(AttributeError):
                delattr(module, name)
    for name in ABSENT[signal]:
        number = signal.Signals._member_map_.pop(name, None)
        if number is not None:
            signal.Signals._member_names_.remove(name)
    for name in LOOP_METHODS:
        setattr(asyncio.SelectorEventLoop, name, getattr(asyncio.AbstractEventLoop, name))
    sys.modules |= dict.fromkeys(MODULES)
