"""A program that uses roll-multipart, as type checkers see it."""

import csv
import hashlib
import io
import shutil
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import IO, Any, assert_type

import roll_multipart
from roll_multipart import (
    AsyncPartReader,
    FieldError,
    Files,
    Form,
    Limits,
    MemoryFile,
    Multipart,
    Part,
    PartReader,
    PushParser,
    Query,
    UploadedFile,
    encode,
    encode_stream,
    encode_stream_async,
    get_boundary,
    parse_form,
    parse_form_async,
    parts,
    parts_async,
)

roll_multipart.Multipartt()  # error: attr-defined

body, content_type = encode({"a": "b"}, {"f": (b"x", "n.txt")})
with Multipart() as multipart:
    form, files = multipart.initialize(content_type)
    multipart.feed_data(body)
assert_type(form, Form)
assert_type(files, Files)
assert_type(form.get("a"), str)
assert_type(form.get("a", None), str | None)
assert_type(form.int("a", None), int | None)
assert_type(form.list("a"), list[str])

file = files.get("f")
assert_type(file, UploadedFile)
assert_type(file.filename, str)
assert_type(file.read(), bytes)
assert_type(next(file), bytes)
anything: IO[bytes] = file
buffered: io.BufferedIOBase = file
csv.reader(io.TextIOWrapper(file))
hashlib.file_digest(file, "sha256")
shutil.copyfileobj(file, io.BytesIO())
with zipfile.ZipFile(file) as archive, tarfile.open(fileobj=file) as other:
    assert archive.namelist() == other.getnames()
for line in file:
    assert_type(line, bytes)


def spooled(part: Part) -> tempfile.SpooledTemporaryFile[bytes]:
    return tempfile.SpooledTemporaryFile()


Multipart(file_factory=MemoryFile)
Multipart(file_factory=spooled)
Multipart(file_factory=Part)  # error: arg-type
PushParser(get_boundary(content_type), Limits(max_parts=10))


class Paged(Query):
    @property
    def page(self) -> int:
        return self.int("page", 1)


assert_type(Paged.parse("page=2"), Paged)
try:
    form.get("missing")
except FieldError as error:
    assert_type(error.message, str)

assert_type(Query([("a", "1")]), Query)
assert_type(Query({"a": ["1"]}, b="2") | {"c": "3"}, Query)
assert_type(form.copy(), Form)
assert_type(form.getlist("a"), list[str])
assert_type(form.cast("day", date.fromisoformat), date)
assert_type(form.cast("day", date.fromisoformat, None), date | None)
assert_type(list(form.items(multi=True)), list[tuple[str, str]])
assert_type(next(iter(form.items())), tuple[str, list[str]])
Query(1)  # error: arg-type


def follow(file: object, size: int) -> None:
    pass


assert_type(parse_form(content_type, body, max_parts=3, progress=follow), tuple[Form, Files])
parse_form(content_type, "text")  # error: arg-type
for part in parts(content_type, io.BytesIO(body)):
    assert_type(part, PartReader)
    assert_type(part.read(), bytes)
    assert_type(part.text(), str)
    assert_type(part.charset, str)
parts(content_type, [body])
stream = encode_stream({"a": 1}, {"f": Path("f")})
pieces: Iterator[bytes] = iter(stream)
assert_type(stream.content_length, int | None)
assert_type(stream.headers, dict[str, str])
file.save(Path("f"), overwrite=True)
assert_type(file.size, int)


async def use(receive: Any) -> None:
    assert_type(await parse_form_async(content_type, receive), tuple[Form, Files])
    async for part in parts_async(content_type, receive):
        assert_type(part, AsyncPartReader)
        assert_type(await part.read_async(), bytes)
        async for piece in part:
            assert_type(piece, bytes)
    async for piece in encode_stream_async(files={"f": b"x"}):
        assert_type(piece, bytes)
    await file.save_async("f")
