"""Messages between the wire and the handler."""

import asyncio

from roll_websocket.errors import wake

__all__ = ["Inbox", "Piece"]


class Piece:
    """A part of a message that the handler reads in parts."""

    __slots__ = ("data", "last")

    def __init__(self, data: str | bytes, last: bool) -> None:
        self.data = data
        self.last = last

    def __len__(self) -> int:
        return len(self.data)


class Inbox:
    """The messages nobody has taken yet: at most `most`, or of `limit` bytes, one over it.

    A list: it takes a tenth of the memory of an empty deque, and is short.
    """

    __slots__ = ("limit", "messages", "most", "receiver", "size")

    def __init__(self) -> None:
        self.messages: list[str | bytes | Piece] = []
        self.size = 0
        self.most = 0
        self.limit = 0
        self.receiver: asyncio.Future[None] | None = None

    @property
    def full(self) -> bool:
        """Whether enough messages wait."""
        return self.size >= self.limit or len(self.messages) >= self.most

    @property
    def hungry(self) -> bool:
        """Whether so few wait that more may come."""
        return self.size <= self.limit // 2 and len(self.messages) <= self.most // 2

    @property
    def awaited(self) -> bool:
        """Whether a task waits for the next message."""
        return self.receiver is not None and not self.receiver.done()

    def put(self, message: str | bytes | Piece) -> None:
        """Add the newest."""
        self.messages.append(message)
        self.size += len(message)

    def pop(self) -> str | bytes | Piece:
        """Take the oldest."""
        message = self.messages.pop(0)
        self.size -= len(message)
        return message

    def put_back(self, pieces: list[Piece]) -> None:
        """Let what was taken be the oldest again."""
        self.messages[:0] = pieces
        self.size += sum(map(len, pieces))

    def drop(self) -> None:
        """Forget all of them: nobody is going to take them."""
        self.messages.clear()
        self.size = 0

    async def wait(self) -> None:
        """Wait for a message or the end; RuntimeError when another task waits already."""
        if self.awaited:
            raise RuntimeError("Another task awaits the next message already")
        receiver = self.receiver = asyncio.get_running_loop().create_future()
        try:
            await receiver
        finally:
            receiver.cancel()  # Done, but where the coroutine was closed.

    def wake(self) -> None:
        """Wake the task that waits."""
        wake(self.receiver)
