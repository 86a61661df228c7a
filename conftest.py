"""Settings of all tests."""

import asyncio
import signal

from hypothesis import HealthCheck, settings

# The code is not at fault if a machine is slow; under ASAN everything takes several times as long.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


def pytest_configure():
    """Give signals that the caller ignores their default action again.

    `nohup` ignores SIGHUP, and a shell ignores SIGINT and SIGQUIT for jobs in the background. The
    servers that tests start would inherit that, and never stop.
    """
    for name, action in (
        ("SIGHUP", signal.SIG_DFL),
        ("SIGINT", signal.default_int_handler),
        ("SIGQUIT", signal.SIG_DFL),
    ):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, action)


def pytest_runtest_logfinish():
    """Give SIGTERM its default action again: the next test, and its processes, would inherit it.

    uvloop keeps its handlers when it is closed, and `roll run` ignores SIGTERM at its end.
    """
    handler = signal.getsignal(signal.SIGTERM)
    of_loop = isinstance(getattr(handler, "__self__", None), asyncio.AbstractEventLoop)
    if of_loop or handler is signal.SIG_IGN:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
