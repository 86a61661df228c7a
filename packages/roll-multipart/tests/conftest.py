"""Shared tools of the tests: build a body, cut it and parse it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from roll_multipart import Multipart, MultipartError, Part, PushParser

BOUNDARY = "boundary"
CONTENT_TYPE = f"multipart/form-data; boundary={BOUNDARY}"
CLIENTS = Path(__file__).parent / "data" / "clients"


@dataclass
class Result:
    """The results of a parse, in a form that can be compared."""

    fields: dict[str, list[str]] = field(default_factory=dict)
    files: dict[str, list[tuple[str, str, bytes]]] = field(default_factory=dict)
    error: tuple[type[Exception], int, str] | None = None


def parse(
    chunks: bytes | Iterable[bytes], content_type: str = CONTENT_TYPE, **limits: Any
) -> Result:
    """Parse chunks, or a whole body; an error becomes part of the result."""
    multipart = Multipart(**limits)
    form, files = multipart.initialize(content_type)
    error = None
    try:
        for chunk in [chunks] if isinstance(chunks, bytes) else chunks:
            multipart.feed_data(chunk)
        multipart.close()
    except MultipartError as caught:
        error = type(caught), caught.status, caught.message
        assert all(file.closed for group in files.values() for file in group)
        return Result(dict(form), {name: [] for name in files}, error)
    found = {
        name: [(file.filename, file.content_type, file.read()) for file in group]
        for name, group in files.items()
    }
    files.close()
    return Result(dict(form), found)


def part(
    name: str = "a", content: bytes = b"x", *lines: str, filename: str | None = None
) -> bytes:
    """One part, its boundary in front."""
    disposition = f'Content-Disposition: form-data; name="{name}"'
    if filename is not None:
        disposition += f'; filename="{filename}"'
    head = "\r\n".join([disposition, *lines])
    return f"--{BOUNDARY}\r\n{head}\r\n\r\n".encode() + content + b"\r\n"


def body(*parts: bytes) -> bytes:
    """A whole body of parts, or of one with the given head."""
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


def with_head(head: str | bytes, content: bytes = b"x") -> bytes:
    """A body of one part with the given fields."""
    head = head if isinstance(head, bytes) else head.encode()
    return body(b"--boundary\r\n" + head + b"\r\n\r\n" + content + b"\r\n")


def two_way(data: bytes) -> Iterator[list[bytes]]:
    """Every cut into two chunks."""
    for position in range(len(data) + 1):
        yield [data[:position], data[position:]]


def pieces(data: bytes, size: int = 1) -> list[bytes]:
    """Chunks of one size."""
    return [data[start : start + size] for start in range(0, len(data), size)]


def same_for_all_cuts(data: bytes, content_type: str = CONTENT_TYPE, **limits: Any) -> Result:
    """Parse the data whole, byte by byte and in every two-way cut; the result of all of them."""
    whole = parse(data, content_type, **limits)
    assert parse(pieces(data), content_type, **limits) == whole
    assert parse(pieces(data, 7), content_type, **limits) == whole
    for chunks in two_way(data):
        assert parse(chunks, content_type, **limits) == whole
    return whole


class Recorder(PushParser):
    """Keeps what it is called with."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.parts: list[tuple[Part, bytearray]] = []
        self.ended = 0
        self.calls = 0

    def part_begin(self, part: Part) -> None:
        self.calls += 1
        self.parts.append((part, bytearray()))

    def part_data(self, data: bytes | memoryview) -> None:
        assert len(data)
        self.calls += 1
        self.parts[-1][1].extend(data)

    def part_end(self) -> None:
        self.calls += 1
        self.ended += 1


@pytest.fixture(scope="session")
def tools() -> SimpleNamespace:
    """The helpers, since test modules cannot import one another."""
    return SimpleNamespace(
        parse=parse,
        part=part,
        body=body,
        with_head=with_head,
        two_way=two_way,
        pieces=pieces,
        same_for_all_cuts=same_for_all_cuts,
        result=Result,
        recorder=Recorder,
    )


@pytest.fixture(params=sorted(CLIENTS.glob("*.http")), ids=lambda path: path.stem)
def client(request: pytest.FixtureRequest) -> tuple[str, str, bytes]:
    """Name, content type and body of a client, as `data/record.py` took them."""
    content_type, _, data = request.param.read_bytes().partition(b"\r\n")
    return request.param.stem, content_type.decode(), data
