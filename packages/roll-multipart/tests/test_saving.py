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
    """A foreign file that can only be read."""

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

    def truncate(self, size=None, /):
        return self.below.truncate(size)


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
async def test_existing_file_is_not_overwritten_by_default(file, tmp_path, wait):
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


linux = pytest.mark.skipif(not LINUX, reason="Only Linux gives a name to a file without one")


@pytest.fixture
def on_disk(tmp_path, monkeypatch):
    """Make a file that is on disk, and that saving can move."""
    monkeypatch.setattr(SpooledFile, "directory", str(tmp_path))
    with SpooledFile(PART) as file:
        file.write(CONTENT)
        file.rollover()
        file.seek(3)
        yield file


@linux
def test_a_file_on_disk_is_moved_without_a_copy(on_disk, tmp_path):
    inode = os.fstat(on_disk.fileno()).st_ino
    on_disk.save(tmp_path / "saved")
    assert (tmp_path / "saved").stat().st_ino == inode


@linux
def test_a_file_on_disk_is_moved_over_an_old_one(on_disk, tmp_path):
    (tmp_path / "saved").write_bytes(b"old")
    inode = os.fstat(on_disk.fileno()).st_ino
    on_disk.save(tmp_path / "saved", overwrite=True)
    assert (tmp_path / "saved").stat().st_ino == inode


def write_here(file):
    file.write(b"!!")


def write_at_the_end(file):
    file.seek(0, os.SEEK_END)
    file.write(b"!!")


def write_much(file):
    file.write(b"!" * 100_000)


def cut(file):
    file.truncate()


CHANGES = [write_here, write_at_the_end, write_much, cut]


@both
@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("overwrite", [False, True])
async def test_writing_to_the_upload_changes_no_saved_file(
    file, tmp_path, wait, change, overwrite
):
    first, second, third = (tmp_path / name for name in ("first", "second", "third"))
    await save(file, first, wait, overwrite=overwrite)
    await save(file, second, wait, overwrite=overwrite)
    changed = io.BytesIO(CONTENT)
    for target in (file, changed):
        target.seek(3)
        change(target)
    assert file.tell() == changed.tell()
    await save(file, third, wait, overwrite=overwrite)
    for _ in range(2):
        write_at_the_end(file)
        file.flush()
        write_at_the_end(changed)
    assert first.read_bytes() == second.read_bytes() == CONTENT
    assert third.read_bytes() == changed.getvalue()[:-4]
    assert file.getvalue() == changed.getvalue()


def test_no_two_saved_files_are_one(file, tmp_path):
    paths = [tmp_path / str(number) for number in range(3)]
    for path in paths:
        file.save(path)
        file.save(path, overwrite=True)
    with paths[0].open("r+b") as first:
        first.write(b"!!")
    assert paths[1].read_bytes() == paths[2].read_bytes() == CONTENT


@linux
def test_the_descriptor_of_a_saved_file_is_for_reading(on_disk, tmp_path):
    on_disk.save(tmp_path / "saved")
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.write(on_disk.fileno(), b"!")
    descriptor = on_disk.fileno()
    on_disk.write(b"!")
    on_disk.flush()
    assert on_disk.fileno() == descriptor
    assert os.fstat(descriptor).st_nlink == 0
    assert not os.get_inheritable(descriptor)


def test_a_disk_that_is_too_full_for_a_copy_is_an_error_of_the_write(
    on_disk, tmp_path, monkeypatch
):
    def refuse(*arguments):
        raise OSError(28, "No space left on device")

    on_disk.save(tmp_path / "saved")
    monkeypatch.setattr(saving.shutil, "copyfileobj", refuse)
    on_disk.write(b"!!!")
    for _ in range(2):
        with pytest.raises(OSError, match="No space left"):
            on_disk.flush()
    monkeypatch.undo()
    assert (tmp_path / "saved").read_bytes() == CONTENT
    on_disk.flush()
    assert on_disk.getvalue() == CONTENT[:3] + b"!!!" + CONTENT[6:]


def test_a_saved_file_that_is_deleted_can_be_read_and_saved_on(file, tmp_path):
    file.save(tmp_path / "saved")
    (tmp_path / "saved").unlink()
    assert file.getvalue() == CONTENT
    file.save(tmp_path / "saved")
    assert (tmp_path / "saved").read_bytes() == CONTENT


@pytest.mark.parametrize("umask", [0o022, 0o077, 0o002, 0o000])
@pytest.mark.parametrize("overwrite", [False, True])
def test_the_umask_decides_when_a_file_is_saved(file, tmp_path, umask, overwrite):
    plain = tmp_path / "plain"
    old = os.umask(umask)
    try:
        plain.write_bytes(b"")
        file.save(tmp_path / "saved", overwrite=overwrite)
    finally:
        os.umask(old)
    assert (tmp_path / "saved").stat().st_mode == plain.stat().st_mode


@linux
@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="Needs another group")
def test_a_folder_decides_about_the_group(file, tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    os.chown(folder, -1, 12345)
    folder.chmod(0o2775)
    file.save(folder / "saved")
    assert (folder / "saved").stat().st_gid == 12345
    assert (folder / "saved").read_bytes() == CONTENT


def test_errors_name_the_requested_path(file, tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "old").write_bytes(b"old")
    for name, overwrite in [
        *[("old", False), ("folder", False), ("folder", True)],
        *[("missing/f", False), ("missing/f", True), ("old/f", False), ("old/f", True)],
    ]:
        path = tmp_path / name
        with pytest.raises(OSError, match=r"folder|missing|old") as caught:
            file.save(path, overwrite=overwrite)
        assert (caught.value.filename, caught.value.filename2) == (str(path), None)
        assert str(caught.value).endswith(f": {str(path)!r}")
    assert sorted(os.listdir(tmp_path)) == ["folder", "old"]


def test_a_path_may_be_bytes_or_relative(file, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    file.save(b"bytes")
    file.save(b"bytes", overwrite=True)
    file.save("relative")
    assert (tmp_path / "bytes").read_bytes() == (tmp_path / "relative").read_bytes() == CONTENT


@pytest.mark.parametrize("path", [None, 5, True, ["f"], io.BytesIO()], ids=repr)
async def test_saving_to_another_type_than_a_path_is_refused(file, path):
    with pytest.raises(TypeError, match=r"path must be text, bytes or an os.PathLike, not "):
        file.save(path)
    with pytest.raises(TypeError, match=r"path must be text, bytes or an os.PathLike, not "):
        await file.save_async(path)
    with pytest.raises(TypeError, match="overwrite must be True or False, not str"):
        file.save("f", overwrite="no")


def refuse(*arguments, **settings):
    raise OSError("Not here")


@pytest.mark.parametrize("name", ["link", "fchmod", "fstat", "listxattr", "O_TMPFILE"])
def test_a_file_that_cannot_be_moved_is_copied(on_disk, tmp_path, monkeypatch, name):
    if name == "O_TMPFILE":
        monkeypatch.delattr(saving.os, name, raising=False)
    else:
        monkeypatch.setattr(saving.os, name, refuse, raising=False)
    temporary = on_disk._file
    on_disk.save(tmp_path / "saved")
    monkeypatch.undo()
    assert (tmp_path / "saved").read_bytes() == CONTENT
    # As if it had been moved: the copy in the temporary folder is gone.
    assert temporary.closed
    assert os.path.samestat(os.fstat(on_disk.fileno()), (tmp_path / "saved").stat())
    assert on_disk.read(4) == b"tent"
    with pytest.raises(FileExistsError):
        on_disk.save(tmp_path / "saved")


def test_a_system_that_cannot_open_a_file_again_by_its_descriptor_copies(
    on_disk, tmp_path, monkeypatch
):
    def open_saved(path, *arguments):
        if path.startswith("/proc/"):
            raise FileNotFoundError(path)
        return opened(path, *arguments)

    opened = saving.open_saved
    monkeypatch.setattr(saving, "open_saved", open_saved)
    on_disk.save(tmp_path / "saved")
    assert (tmp_path / "saved").read_bytes() == on_disk.getvalue() == CONTENT


def test_removing_a_saved_copy_keeps_the_temporary_file(on_disk, tmp_path, monkeypatch):
    def copy_and_delete(file, path):
        copy(file, path)
        os.unlink(path)

    copy = saving.copy
    monkeypatch.setattr(saving.os, "link", refuse, raising=False)
    monkeypatch.setattr(saving, "copy", copy_and_delete)
    on_disk.save(tmp_path / "saved")
    assert on_disk.getvalue() == CONTENT


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


async def test_event_loop_is_not_blocked_while_a_file_is_saved(tmp_path):
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
