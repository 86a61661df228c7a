"""The bodies that are parsed: what clients send, and what an attacker would."""

import os
import random
from collections.abc import Callable
from dataclasses import dataclass

BOUNDARY = "----WebKitFormBoundaryzK8cLhqGkJy5dQeT"
CONTENT_TYPE = f"multipart/form-data; boundary={BOUNDARY}"
KIB, MIB = 2**10, 2**20


@dataclass(frozen=True)
class Body:
    """A body with what a parser must find in it."""

    data: bytes
    fields: int
    files: int
    content: int  # bytes in fields and files
    names: tuple[str, ...]
    hostile: bool = False


class Chunks(list[bytes]):
    """A body in pieces; some parsers must be told the names beforehand."""

    def __init__(self, body: Body, size: int) -> None:
        super().__init__(
            body.data[start : start + size] for start in range(0, len(body.data), size)
        )
        self.names = body.names


Part = tuple[str, str | None, bytes]


def build(*parts: Part, hostile: bool = False) -> Body:
    """Encode parts (name, filename, content) as browsers do."""
    body = bytearray()
    for name, filename, content in parts:
        head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"'
        if filename is not None:
            head += f'; filename="{filename}"\r\nContent-Type: application/octet-stream'
        body += f"{head}\r\n\r\n".encode() + content + b"\r\n"
    body += f"--{BOUNDARY}--\r\n".encode()
    files = sum(filename is not None for _, filename, _ in parts)
    size = sum(len(content) for *_, content in parts)
    names = tuple(dict.fromkeys(name for name, *_ in parts))
    return Body(bytes(body), len(parts) - files, files, size, names, hostile)


def small() -> Body:
    """Three fields: a login, a comment."""
    return build(
        ("csrf", None, b"5f3759df2a1b"),
        ("name", None, "Zoé".encode()),
        ("message", None, b"Hello, this is a short message.\r\nRegards"),
    )


def browser() -> Body:
    """A profile form with a picture, a document and an input left empty."""
    noise = random.Random(1)
    fields: list[Part] = [(f"field{i}", None, b"some value %d" % i) for i in range(8)]
    picture = ("picture", "me.jpg", noise.randbytes(48 * KIB))
    text = ("document", "cv.txt", b"A line of some text, as there are many.\r\n" * 400)
    return build(*fields, picture, text, ("other", "", b""))


def many_fields() -> Body:
    """1,000 fields of a table."""
    return build(*((f"row-{i}", None, b"value %d of the table" % i) for i in range(1000)))


def many_files() -> Body:
    """100 files of 4 KiB."""
    noise = random.Random(2)
    return build(*(("files", f"{i}.bin", noise.randbytes(4 * KIB)) for i in range(100)))


def upload(size: int = 64 * MIB) -> Body:
    """One big file without a structure."""
    return build(("file", "big.bin", os.urandom(MIB) * (size // MIB)))


def mixed() -> Body:
    """Fields and files of all sizes, text and binary, in turn."""
    noise = random.Random(3)
    parts: list[Part] = []
    for i in range(40):
        parts.append((f"field{i}", None, b"x" * noise.randrange(2000)))
        content = noise.randbytes(noise.randrange(100 * KIB))
        parts.append((f"file{i}", f"{i}.dat", content if i % 2 else content.hex().encode()))
    return build(*parts)


def flood(pattern: bytes, size: int) -> Body:
    """A file of one pattern, repeated."""
    content = pattern * (size // len(pattern))
    return build(("file", "flood.bin", content), hostile=True)


def cr_flood(size: int = MIB) -> Body:
    return flood(b"\r", size)


def lf_flood(size: int = MIB) -> Body:
    return flood(b"\n", size)


def crlf_flood(size: int = MIB) -> Body:
    return flood(b"\r\n", size)


def dash_flood(size: int = MIB) -> Body:
    return flood(b"\r\n--", size)


def prefix_flood(size: int = MIB) -> Body:
    return flood(b"\r\n--" + BOUNDARY[:-1].encode(), size)


def tail_flood(size: int = MIB) -> Body:
    return flood(BOUNDARY.encode(), size)


SCENARIOS: dict[str, Callable[[], Body]] = {
    "small form": small,
    "browser form": browser,
    "1,000 fields": many_fields,
    "100 files": many_files,
    "64 MiB upload": upload,
    "mixed": mixed,
}
HOSTILE: dict[str, Callable[[int], Body]] = {
    "CR flood": cr_flood,
    "LF flood": lf_flood,
    "CRLF flood": crlf_flood,
    "CRLF-- flood": dash_flood,
    "prefix flood": prefix_flood,
    "boundary flood": tail_flood,
}
