"""Files are saved: moved or copied, whole or not at all."""

import asyncio
import io
import os
import sys
import threading

import pytest

from roll_multipart import MemoryFile, Part, SpooledFile, UploadedFile, saving

HEAD = b'Content-Disposition: form-data; name="f"; filename="f.txt"\r\nX-More: 1'
CONTENT = b"content" * 1000
PART = Part(HEAD, "f", "f.txt", "text/plain")
LINUX = sys.platform == "linux"


class Own(UploadedFile):
    """A file of somebody else's: it can be read, and that is all."""

    def __init__(self, part):
        super().__init__(part)
        self.below = io.BytesIO()
        self.write = self.below.write

    def read(self, size=-1, /):
        return self.below.read(size)

    def seek(self, offset, whence=0, /):
        return self.below.seek(offset, whence)

    def tell(self):
        return self.below.tell()


@pytest.fixture(params=["memory", "spooled", "disk", "own"])
def file(request, tmp_path, monkeypatch):
    monkeypatch.setattr(SpooledFile, "directory", str(tmp_path))
    kind = {"memory": MemoryFile, "own": Own}.get(request.param, SpooledFile)
    with kind(PART) as file:
        file.write(CONTENT)
        if request.param == "disk":
            file.rollover()
        file.seek(3)
        yield file


async def save(file, path, wait, **settings):
    if wait:
        await file.save_async(path, **settings)
    else:
        file.save(path, **settings)


both = pytest.mark.parametrize("wait", [False, True], ids=["save", "save_async"])


def test_a_file_has_a_size_and_headers(file):
    assert file.size == len(CONTENT)
    assert file.tell() == 3
    assert file.headers["x-more"] == "1"
    file.seek(0, os.SEEK_END)
    file.write(b"more")
    assert file.size == len(CONTENT) + 4


@both
async def test_a_file_is_saved_whole_wherever_its_position_is(file, tmp_path, wait):
    path = tmp_path / "saved"
    await save(file, path, wait)
    assert path.read_bytes() == CONTENT
    assert file.tell() == 3
    assert file.read(4) == b"tent"
    await save(file, str(tmp_path / "again"), wait)
    assert (tmp_path / "again").read_bytes() == CONTENT
    file.close()
    assert path.read_bytes() == CONTENT
    assert sorted(os.listdir(tmp_path)) == ["again", "saved"]


@both
async def test_nothing_is_overwritten_unless_told_to(file, tmp_path, wait):
    path = tmp_path / "saved"
    path.write_bytes(b"old")
    with pytest.raises(FileExistsError):
        await save(file, path, wait)
    assert path.read_bytes() == b"old"
    await save(file, path, wait, overwrite=True)
    assert path.read_bytes() == CONTENT
    await save(file, tmp_path / "new", wait, overwrite=True)
    await save(file, tmp_path / "new", wait, overwrite=True)  # over itself
    assert sorted(os.listdir(tmp_path)) == ["new", "saved"]


@both
async def test_a_link_is_neither_followed_nor_kept(file, tmp_path, wait):
    target, path = tmp_path / "target", tmp_path / "link"
    path.symlink_to(target)
    with pytest.raises(FileExistsError):
        await save(file, path, wait)
    assert not target.exists()
    await save(file, path, wait, overwrite=True)
    assert not path.is_symlink()
    assert not target.exists()


@both
async def test_a_folder_must_be_there(file, tmp_path, wait):
    with pytest.raises(FileNotFoundError):
        await save(file, tmp_path / "missing" / "f", wait)
    (tmp_path / "folder").mkdir()
    for overwrite in (False, True):
        with pytest.raises(OSError, match="folder"):
            await save(file, tmp_path / "folder", wait, overwrite=overwrite)
    assert os.listdir(tmp_path) == ["folder"]


def test_a_saved_file_has_the_mode_of_any_new_file(file, tmp_path):
    plain = tmp_path / "plain"
    plain.write_bytes(b"")
    file.save(tmp_path / "saved")
    assert (tmp_path / "saved").stat().st_mode == plain.stat().st_mode


@pytest.mark.skipif(not LINUX, reason="Only Linux gives a name to a file without one")
def test_a_file_on_disk_is_moved_without_a_copy(tmp_path, monkeypatch):
    monkeypatch.setattr(SpooledFile, "directory", str(tmp_path))
    with SpooledFile(PART) as file:
        file.write(CONTENT)
        file.rollover()
        inode = os.fstat(file.fileno()).st_ino
        file.save(tmp_path / "saved")
        assert (tmp_path / "saved").stat().st_ino == inode
        file.save(tmp_path / "saved", overwrite=True)
        assert (tmp_path / "saved").stat().st_ino == inode


def test_a_file_that_cannot_be_moved_is_copied(tmp_path, monkeypatch):
    def refuse(*arguments, **settings):
        raise OSError("Another file system")

    monkeypatch.setattr(saving.os, "link", refuse)
    with SpooledFile(PART) as file:
        file.write(CONTENT)
        file.rollover()
        file.seek(3)
        temporary = file._file
        file.save(tmp_path / "saved")
        assert (tmp_path / "saved").read_bytes() == CONTENT
        # As if it had been moved: the copy in the temporary folder is gone.
        assert temporary.closed
        assert os.path.samestat(os.fstat(file.fileno()), (tmp_path / "saved").stat())
        assert file.read(4) == b"tent"
        with pytest.raises(FileExistsError):
            file.save(tmp_path / "saved")


def test_a_system_without_such_files_has_others(tmp_path, monkeypatch):
    monkeypatch.delattr(saving.os, "O_TMPFILE", raising=False)
    monkeypatch.setattr(saving.tempfile, "_O_TMPFILE_WORKS", False, raising=False)
    monkeypatch.setattr(SpooledFile, "directory", str(tmp_path))
    with SpooledFile(PART) as file:
        file.write(CONTENT)
        file.rollover()
        assert file.getvalue() == CONTENT
        file.save(tmp_path / "saved")
    assert (tmp_path / "saved").read_bytes() == CONTENT


def test_half_a_file_is_never_left(tmp_path):
    class Failing(MemoryFile):
        def read(self, size=-1, /):
            if self.tell():
                raise OSError("broken")
            return super().read(10)

    with Failing(PART) as file:
        file.write(CONTENT)
        file.seek(5)
        (tmp_path / "old").write_bytes(b"old")
        for path, overwrite in (("new", False), ("old", True)):
            with pytest.raises(OSError, match="broken"):
                file.save(tmp_path / path, overwrite=overwrite)
        assert file.tell() == 5
    assert os.listdir(tmp_path) == ["old"]
    assert (tmp_path / "old").read_bytes() == b"old"


async def test_the_event_loop_goes_on_while_a_file_is_saved(tmp_path):
    entered, go_on = threading.Event(), threading.Event()

    class Slow(MemoryFile):
        def read(self, size=-1, /):
            entered.set()
            assert go_on.wait(10)
            return super().read(size)

    with Slow(PART) as file:
        file.write(CONTENT)
        saving_task = asyncio.create_task(file.save_async(tmp_path / "saved"))
        await asyncio.to_thread(entered.wait, 10)
        go_on.set()
        await saving_task
    assert (tmp_path / "saved").read_bytes() == CONTENT
