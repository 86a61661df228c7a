"""Files in memory and on disk behave alike."""

import csv
import gc
import hashlib
import io
import os
import shutil
import weakref
import zipfile

import pytest

from roll_multipart import MemoryFile, Part, SpooledFile, UploadedFile

HEAD = b'Content-Disposition: form-data; name="f"; filename="a/f.txt"'
CONTENT = b"one\ntwo\nthree"


def on_disk(part):
    file = SpooledFile(part)
    file.rollover()
    return file


@pytest.fixture(params=[MemoryFile, SpooledFile, on_disk])
def file(request):
    with request.param(Part(HEAD, "f", "f.txt", "text/plain")) as file:
        assert file.write(CONTENT) == len(CONTENT)
        assert file.seek(0) == 0
        yield file


def test_repr_of_a_file_describes_it(file):
    assert (file.filename, file.content_type) == ("f.txt", "text/plain")
    assert file.params == {"name": "f", "filename": "a/f.txt"}


def test_a_file_can_be_read(file):
    assert file.read(3) == b"one"
    assert file.tell() == 3
    assert file.read() == CONTENT[3:]
    assert file.read(None) == b""
    assert file.seek(-5, io.SEEK_END) == len(CONTENT) - 5
    assert file.read1(2) == b"th"
    assert file.getvalue() == CONTENT
    assert file.read() == b"ree"


def test_a_file_has_lines(file):
    assert list(file) == [b"one\n", b"two\n", b"three"]
    file.seek(0)
    assert file.readline() == b"one\n"
    assert file.readline(2) == b"tw"
    assert file.readline(None) == b"o\n"
    assert file.readlines() == [b"three"]


def test_a_file_can_be_changed(file):
    file.seek(4)
    file.write(memoryview(b"TWO"))
    file.flush()
    assert file.getvalue() == CONTENT.replace(b"two", b"TWO")
    assert file.truncate(3) == 3
    file.seek(0)
    assert file.truncate() == 0
    assert file.getvalue() == b""


def test_a_file_is_closed_by_its_context(file):
    assert not file.closed
    with file as same:
        assert same is file
    assert file.closed
    with pytest.raises(ValueError, match="closed"):
        file.read()


def test_a_file_works_with_the_standard_library(file):
    assert file.readable()
    assert file.writable()
    assert file.seekable()
    target = io.BytesIO()
    shutil.copyfileobj(file, target)
    assert target.getvalue() == CONTENT
    file.seek(0)
    with io.TextIOWrapper(file, encoding="utf-8", newline="") as text:
        assert list(csv.reader(text)) == [["one"], ["two"], ["three"]]


def zipped(**members):
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return target.getvalue()


def test_a_file_is_a_binary_file(file):
    assert isinstance(file, io.BufferedIOBase)
    assert isinstance(file, UploadedFile)
    assert iter(file) is file
    assert next(file) == b"one\n"
    buffer = bytearray(3)
    assert file.readinto(buffer) == 3
    assert buffer == b"two"
    assert file.readinto1(buffer) == 3
    assert buffer == b"\nth"
    assert file.readlines(None) == [b"ree"]
    file.writelines([b"!", b"?"])
    assert file.getvalue() == CONTENT + b"!?"
    assert not file.isatty()
    with pytest.raises(io.UnsupportedOperation):
        file.detach()


def test_a_file_has_a_descriptor_on_disk_alone(file):
    if getattr(file, "in_memory", True):
        with pytest.raises(io.UnsupportedOperation):
            file.fileno()
    else:
        assert os.fstat(file.fileno()).st_size == len(CONTENT)


def test_a_file_can_be_buffered_and_hashed(file):
    digest = hashlib.file_digest(file, "sha256")
    assert digest.digest() == hashlib.sha256(CONTENT).digest()
    file.seek(0)
    with io.BufferedReader(file) as reader:
        assert reader.peek(3)[:3] == b"one"
        assert reader.readline() == b"one\n"


@pytest.mark.parametrize("kind", [MemoryFile, SpooledFile, on_disk])
def test_an_archive_can_be_opened(kind):
    with kind(Part(HEAD, "f", "f.zip", "application/zip")) as file:
        file.write(zipped(a="text"))
        with zipfile.ZipFile(file) as archive:
            assert archive.read("a") == b"text"


def test_custom_file_needs_only_read_seek_and_tell():
    class Fixed(UploadedFile):
        def __init__(self, part):
            super().__init__(part)
            self.below = io.BytesIO(CONTENT)

        def read(self, size=-1, /):
            return self.below.read(size)

        def seek(self, offset, whence=0, /):
            return self.below.seek(offset, whence)

        def tell(self):
            return self.below.tell()

    file = Fixed(Part(HEAD, "f", "f.txt", "text/plain"))
    assert file.filename == "f.txt"
    file.seek(3)
    assert file.getvalue() == CONTENT
    assert file.tell() == 3


def test_rolling_over_keeps_content_and_position():
    with SpooledFile(Part(HEAD, "f", "f.txt", "")) as file:
        file.write(CONTENT)
        file.seek(4)
        assert file.in_memory
        file.rollover()
        file.rollover()
        assert not file.in_memory
        assert file.tell() == 4
        assert file.read(3) == b"two"
        assert file.getvalue() == CONTENT
        file.write(b"!")
        assert file.getvalue() == b"one\ntwo!three"


def test_temporary_file_is_deleted_with_the_object():
    file = on_disk(Part(HEAD, "f", "f.txt", ""))
    below = file._file
    assert not below.closed
    del file
    assert below.closed


def test_a_spooled_file_shows_its_name():
    file = SpooledFile(Part(HEAD, "f", "f.txt", "text/plain"))
    assert repr(file) == "<SpooledFile 'f.txt' 'text/plain'>"


def test_a_part_without_a_filename_makes_a_file_without_a_name():
    head = b"Content-Disposition: form-data; name=f"
    assert MemoryFile(Part(head, "f", None, "")).filename == ""


def test_files_are_freed_without_the_garbage_collector(tools):
    made = []

    def factory(part):
        file = SpooledFile(part)
        made.append(weakref.ref(file))
        return file

    gc.disable()
    try:
        for content in (b"x", b"y" * 10_000):
            data = tools.body(tools.part("f", content, filename="f"))
            tools.parse(tools.pieces(data, 3000), file_factory=factory, file_memory=9)
        assert [reference() for reference in made] == [None, None]
    finally:
        gc.enable()
