"""A program that uses roll-multipart, and what type checkers think of it."""

import csv
import hashlib
import io
import shutil
import tarfile
import tempfile
import zipfile
from typing import IO, assert_type

import roll_multipart
from roll_multipart import (
    FieldError,
    Files,
    Form,
    Limits,
    MemoryFile,
    Multipart,
    Part,
    PushParser,
    Query,
    UploadedFile,
    encode,
    get_boundary,
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
