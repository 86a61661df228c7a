"""The response does not depend on how the input is cut into packets or joined."""

import asyncio
import contextlib
import re
import runpy
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roll_http import HTTPProtocol, Limits
from roll_http.h1.state import ANSWERING

App = runpy.run_path(str(Path(__file__).parents[1] / "support" / "probe_app.py"))["App"]
# What is cut everywhere is bounded: there are as many runs as bytes.
CUT_AT_MOST = 300
DATE = re.compile(rb"Date: [^\r]+\r\n")


def can_be_cut(case):
    """What a cut changes rightly: a 100 is sent when the body is awaited and not there."""
    return 0 < len(case.sent) < CUT_AT_MOST and b"Expect" not in case.sent


WANTED = {"test_cut_anywhere": can_be_cut}


class Memory(asyncio.Transport):
    """A transport that keeps what is written, for a fast reader."""

    def __init__(self):
        super().__init__({"peername": ("client", 1)})
        self.data = b""
        self.closed = False

    def write(self, data):
        self.data += data

    def is_closing(self):
        return self.closed

    def close(self):
        if not self.closed:
            self.closed = True
            asyncio.get_running_loop().call_soon(self.protocol.connection_lost, None)

    abort = write_eof = close

    def can_write_eof(self):
        return True

    def get_write_buffer_size(self):
        return 0

    def pause_reading(self):
        pass

    resume_reading = pause_reading


class Served:
    """An application that answers what is fed to it, without a socket."""

    def __init__(self):
        self.app = App(Limits())
        self.transport = Memory()
        self.protocol = self.transport.protocol = HTTPProtocol(self.app)
        self.protocol.connection_made(self.transport)

    async def feed(self, *pieces):
        for piece in pieces:
            if not self.transport.closed and piece:
                self.protocol.data_received(piece)
                await self.settle()

    async def settle(self):
        """Until a few turns of the loop have changed nothing."""
        quiet = 0
        while quiet < 3:
            before = len(self.transport.data), self.transport.closed
            await asyncio.sleep(0)
            same = before == (len(self.transport.data), self.transport.closed)
            quiet = quiet + 1 if same and not self.waiting else 0

    @property
    def waiting(self):
        """A handler runs that does not wait for the client."""
        body = self.protocol.reader.body
        return self.protocol.state == ANSWERING and not (body and body.awaited)

    async def end(self):
        """All that came back, what was run, and whether the connection is closed."""
        closed = self.transport.closed
        self.protocol.eof_received()
        self.transport.close()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        data = DATE.sub(b"", self.transport.data)
        return data, self.app.ran["1"], closed


async def answers(*pieces):
    served = Served()
    await served.feed(*pieces)
    return await served.end()


def comparable(result):
    """An error's text may depend on how much was seen of it; its answer does not."""
    data, ran, closed = result
    if not closed:
        return result
    head, _, last = data.rpartition(b"HTTP/1.1 ")
    return (head, last.split(b" ")[0]), ran, closed


async def test_cut_anywhere(case):
    whole = await answers(case.sent)
    for at in range(1, len(case.sent)):
        cut = await answers(case.sent[:at], case.sent[at:])
        assert comparable(cut) == comparable(whole), case.sent[:at]


async def test_the_end_of_input_is_the_end_of_the_connection(cases):
    """What was asked is answered, though the end came while it was; what was not whole is not."""
    for case in cases:
        if case.ends:
            served = Served()
            if case.sent:
                served.protocol.data_received(case.sent)
            stays = served.protocol.eof_received()
            await served.settle()
            data, ran, closed = await served.end()
            assert closed or not stays, case
            assert len(ran) == len(re.findall(r"[0-9] [A-Z]", case.back)) == data.count(b"X-Ran")


@pytest.fixture(scope="module")
def short(cases):
    return list(filter(can_be_cut, cases))


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_joined_and_cut_at_random(short, data):
    """Requests sent in one go, in any pieces, are answered as each by itself."""
    kept = [case for case in short if case.back.endswith("kept") and "/late" not in case.back]
    chosen = data.draw(st.lists(st.sampled_from(kept), min_size=1, max_size=5))
    last = data.draw(st.sampled_from(short))
    sent = b"".join(case.sent for case in [*chosen, last])
    cuts = sorted(data.draw(st.sets(st.integers(1, len(sent) - 1), max_size=8)))
    pieces = [sent[a:b] for a, b in zip([0, *cuts], [*cuts, None], strict=True)]

    async def run():
        alone = [await answers(case.sent) for case in chosen]
        return alone, await answers(last.sent), await answers(*pieces)

    with contextlib.closing(asyncio.new_event_loop()) as loop:
        alone, (end, end_ran, closed), together = loop.run_until_complete(run())
    expected = b"".join(data for data, _, _ in alone) + end
    ran = [line for _, lines, _ in alone for line in lines] + end_ran
    assert comparable(together) == comparable((expected, ran, closed))
