"""A request to an ASGI application: the messages in both directions, and their end."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Final

from roll_http import ClientDisconnected
from roll_http.body import again

from .._core.bases import CONCLUDING, DONE, OPEN, STARTED
from ..errors import ends_task, log_error, take_note, what
from .sending import Sending

__all__ = ["Exchange"]


class Exchange(Sending):
    """An exchange: a request, and the response that the application sends in messages.

    The response ends with its last message. The application may run on after that. Once its call
    has ended too, its tasks can send nothing more: the connection may serve the next request.

    Raises:
        HttpError: 413 for a body that is known to be larger than `max_body`.
    """

    __slots__ = ()

    def ended(self) -> Any:
        """Return the response of an application that has returned.

        Raises:
            HttpError: the body of the request was refused.
            ClientDisconnected: the client has disconnected before a response.
            RuntimeError: there is no response, or it is incomplete.
        """
        state = self._close()
        if state == DONE or (state == OPEN and self.connection.gone):
            return self.response
        if state in {STARTED, CONCLUDING}:
            reset(self.response)
        if self.refusal is not None and state != OPEN:
            raise again(self.refusal)
        if self.connection.gone:
            self._give_up()
            raise ClientDisconnected("The client has gone")
        what_is_missing = f"{self.host} has returned {MISSING[state]}"
        if state == OPEN:
            return self._cut(RuntimeError(what_is_missing))
        raise RuntimeError(what_is_missing)

    def take_error(self, error: BaseException) -> bool:
        """End the exchange after an error of the application; return whether to raise it again.

        It is raised again if it can be answered, or if it ends the task. An error after the head
        of a response is logged, because it cannot be answered.

        Raises:
            HttpError: the body of the request was refused.
        """
        state = self._close()
        if ends_task(error, self.request):
            if state == OPEN and self.outgoing is not None:
                self.outgoing.cut()  # a task may send it, and would wait for its end
            return True
        if self.refusal is not None and state not in {OPEN, DONE}:
            if state in {STARTED, CONCLUDING}:
                reset(self.response)
            raise again(self.refusal) from None
        if isinstance(error, ClientDisconnected) and self.connection.gone:
            if state not in {OPEN, DONE}:
                self._give_up()
            return False
        if state == OPEN:
            self._cut(error)
        elif state == DONE:
            self._report(error)
        else:
            reset(self.response)
            return True
        return False

    def _close(self) -> int:
        """Refuse what tasks of the application still send; return the state until now.

        A late message would be written into the response to the next request.
        """
        state = self.state
        self._finish()
        return state

    def _cut(self, error: BaseException) -> Any:
        assert self.outgoing is not None  # the response is open
        self.outgoing.cut()
        return self._report(error)

    def _report(self, error: BaseException) -> Any:
        take_note(error)
        if self.app.log_errors:
            log_error(what(self.request), error)
        return self.response

    def _give_up(self) -> None:
        """Reset the connection of a client that has disconnected after its request.

        A half-closed client could still read a response, and would take that for the one of the
        application. If its request is incomplete, that gets a 400.
        """
        stream: Any = self.request._stream  # noqa: SLF001 - roll-http shares it
        abort = getattr(self.connection, "abort", None)  # there is none over ASGI
        if abort is not None and (stream is None or stream.complete):
            abort()


MISSING: Final = (
    "without a response: it has sent no 'http.response.start'",
    "within a response: it has sent no 'http.response.body'",
    "within a response: its last 'http.response.body' has `more_body`",
    "",
    "within a response: the listeners of `response` still ran",
)


def reset(response: Any) -> None:
    """Reset the status and the fields of a response that was not sent."""
    response.status = HTTPStatus.OK
    response.headers.clear()
    response.body = b""
