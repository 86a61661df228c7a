"""Listening sockets: addresses, Unix sockets, descriptors."""

import os
import re
import socket

import pytest

from roll.listening import Place, addresses


@pytest.fixture
def path():
    """A path for a Unix socket: these are short, whatever the folder of the tests."""
    import tempfile

    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        yield f"{folder}/s"


def test_host_with_several_addresses_has_one_port(monkeypatch):
    both = [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET, "127.0.0.2")]
    monkeypatch.setattr("roll.listening.addresses", lambda host, port: both)
    with Place(host="both.example", port=0).listening() as (one, two):
        assert one.getsockname()[0] == "127.0.0.1"
        assert two.getsockname() == ("127.0.0.2", one.getsockname()[1])


def test_empty_host_is_every_address():
    with Place(host="", port=0).listening() as sockets:
        hosts = {sock.getsockname()[0] for sock in sockets}
    assert hosts & {"0.0.0.0", "::"}


def test_address_that_the_machine_lacks_is_skipped(monkeypatch):
    known = [(socket.AF_INET, "192.0.2.1"), (socket.AF_INET, "127.0.0.1")]
    monkeypatch.setattr("roll.listening.addresses", lambda host, port: known)
    with Place(host="some.example", port=0).listening() as (sock,):
        assert sock.getsockname()[0] == "127.0.0.1"


@pytest.mark.parametrize(
    ("host", "message"),
    [
        ("192.0.2.1", r"Cannot listen on 192.0.2.1:0: .*assign requested address\Z"),
        ("no.such.host.invalid", r"Cannot listen on no.such.host.invalid:0: "),
        ("x" * 64, r"Cannot listen on x{64}:0: that is not a valid host name\Z"),
        ("\ud800", r":0: that is not a valid host name\Z"),
        ("a..b", r"Cannot listen on a..b:0: "),
    ],
)
def test_unavailable_address_is_an_error(host, message):
    with pytest.raises(SystemExit, match=message), Place(host=host, port=0).listening():
        pass


def test_port_in_use_is_an_error_and_the_other_sockets_are_closed(monkeypatch):
    with socket.create_server(("127.0.0.2", 0)) as taken:
        port = taken.getsockname()[1]
        both = [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET, "127.0.0.2")]
        monkeypatch.setattr("roll.listening.addresses", lambda host, port: both)
        with (
            pytest.raises(SystemExit, match=rf"127.0.0.1:{port}: Address already in use\Z"),
            Place(port=port).listening(),
        ):
            pass
        socket.create_server(("127.0.0.1", port)).close()


def test_port_can_be_shared():
    with (
        Place(port=0, reuse_port=True).listening() as (one,),
        Place(port=one.getsockname()[1], reuse_port=True).listening() as (two,),
    ):
        assert one.getsockname() == two.getsockname()


def test_reuse_port_is_an_error_on_systems_without_it(monkeypatch):
    monkeypatch.delattr(socket, "SO_REUSEPORT")
    with pytest.raises(ValueError, match="This system cannot share a port"):
        Place(reuse_port=True)


def test_inherited_socket_listens_where_the_system_does_not_tell(monkeypatch):
    monkeypatch.delattr(socket, "SO_ACCEPTCONN")
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        with Place(fds=(os.dup(bound.fileno()),)).listening():
            socket.create_connection(bound.getsockname()).close()


def test_addresses_of_a_name_are_each_given_once():
    found = addresses("127.0.0.1", 80)
    assert found == [(socket.AF_INET, "127.0.0.1")]


def test_unix_socket_is_removed_at_the_end(path):
    with Place(unix=path).listening():
        assert os.path.exists(path)
    assert not os.path.exists(path)


def test_unix_socket_that_another_process_has_replaced_is_kept(path):
    with Place(unix=path).listening():
        os.unlink(path)
        other = socket.socket(socket.AF_UNIX)
        # An inode may be used again at once: keep the first one busy.
        open(f"{path}.other", "w").close()
        other.bind(path)
    assert os.path.exists(path)
    other.close()


def test_unix_socket_that_was_removed_meanwhile_is_ignored(path):
    with Place(unix=path).listening():
        os.unlink(path)


def test_socket_that_a_dead_process_left_is_replaced(path):
    dead = socket.socket(socket.AF_UNIX)
    dead.bind(path)
    dead.close()
    with Place(unix=path).listening() as (sock,):
        assert sock.getsockname() == path


def test_socket_of_a_living_process_is_kept(path):
    with socket.socket(socket.AF_UNIX) as alive:
        alive.bind(path)
        alive.listen()
        with (
            pytest.raises(SystemExit, match="another process listens there"),
            Place(unix=path).listening(),
        ):
            pass
    assert os.path.exists(path)


def test_file_that_is_not_a_socket_is_kept(path):
    with open(path, "w") as file:
        file.write("kept")
    with (
        pytest.raises(SystemExit, match=rf"unix:{path}: the file exists, but is not a socket"),
        Place(unix=path).listening(),
    ):
        pass
    with open(path) as file:
        assert file.read() == "kept"


def test_unix_socket_in_a_missing_folder_is_an_error(path):
    with (
        pytest.raises(SystemExit, match="No such file or directory"),
        Place(unix=f"{path}/none/s").listening(),
    ):
        pass


def test_descriptor_of_another_process_is_used():
    with (
        socket.create_server(("127.0.0.1", 0)) as made,
        Place(fds=(os.dup(made.fileno()),)).listening() as (sock,),
    ):
        assert sock.getsockname() == made.getsockname()


def test_descriptor_that_is_not_a_socket_is_an_error(tmp_path):
    with open(tmp_path / "file", "w") as file:
        place = Place(fds=(file.fileno(),))
        where = f"Cannot listen on the descriptor {file.fileno()}"
        message = rf"{where}: the descriptor is not an open socket"
        with pytest.raises(SystemExit, match=message), place.listening():
            pass


def test_datagram_socket_is_an_error_and_left_open():
    with socket.socket(type=socket.SOCK_DGRAM) as sock:
        place = Place(fds=(sock.fileno(),))
        with (
            pytest.raises(SystemExit, match="the socket is not a stream socket"),
            place.listening(),
        ):
            pass
        assert sock.getsockname()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"host": None}, "`host` is a name or an address, not None"),
        ({"unix": "s", "fds": (3,)}, "Give either `unix` or `fd`"),
        ({"unix": "s", "reuse_port": True}, "`reuse_port` needs `host` and `port`"),
        ({"fds": (3,), "reuse_port": True}, "`reuse_port` needs `host` and `port`"),
        ({"unix": ""}, "`unix` is the path of a socket, not ''"),
        ({"unix": 3}, "`unix` is the path of a socket, not 3"),
        ({"fds": ("3",)}, "`fd` is the number of an open descriptor, not '3'"),
        ({"fds": (True,)}, "`fd` is the number of an open descriptor, not True"),
        ({"fds": (-1,)}, "`fd` is the number of an open descriptor, not -1"),
    ],
)
def test_wrong_place_is_refused_at_once(options, message):
    with pytest.raises(ValueError, match=message):
        Place(**options)


def test_unix_is_an_error_on_systems_without_unix_sockets(monkeypatch):
    monkeypatch.delattr(socket, "AF_UNIX")
    with pytest.raises(ValueError, match="This system has no Unix sockets"):
        Place(unix="s")


@pytest.mark.parametrize(
    ("place", "text"),
    [
        (Place(), "127.0.0.1:3579"),
        (Place(host="::1", port=80), "[::1]:80"),
        (Place(unix="/run/s"), "unix:/run/s"),
        (Place(fds=(3, 4)), "the descriptor 3 and the descriptor 4"),
    ],
)
def test_place_is_shown_as_it_is_written(place, text):
    assert str(place) == text


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"host": "a\0b"}, "`host` is a name or an address, not 'a\\x00b'"),
        ({"unix": "\0abstract"}, "`unix` is the path of a socket, not '\\x00abstract'"),
        ({"unix": b"path"}, "`unix` is the path of a socket, not b'path'"),
        ({"unix": True}, "`unix` is the path of a socket, not True"),
        *(
            ({"reuse_port": value}, f"`reuse_port` is True or False, not {value!r}")
            for value in ("no", 1, 0, None, [])
        ),
    ],
)
def test_invalid_place_is_an_error_where_it_is_given(options, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        Place(**options)
