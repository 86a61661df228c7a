"""A request costs time and memory in proportion to its length, whatever it contains.

Each header, target, body and frame that Roll parses is filled with each of a list of separators,
at three lengths, and sent to a real server. `ROLL_FAULTS=full` holds the ceilings that are
promised; a run among the other tests leaves a margin for slow and busy machines.
"""

import contextlib
import functools
import itertools
import os
import socket
import struct
import sys
from pathlib import Path

import pytest

SUPPORT = Path(__file__).parent / "support"
FULL = os.environ.get("ROLL_FAULTS") == "full"
KIB = 1024
MIB = 1024 * KIB
PATIENCE = 60

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")

# Ceilings, in seconds of CPU. A head is at most 32 KiB long, by the default limits.
MARGIN = 1 if FULL else 3
HEAD_CEILING = 0.05 * MARGIN
BODY_CEILING = 1.5 * MARGIN
# Bytes of memory for each byte of a body, the body itself apart.
MEMORY_A_BYTE = 8
# What the allocator and the buffers of one connection take, however short the body is.
MEMORY_SLACK = 3 * MIB

# Growth: four times the length may cost so many times as much. Below `NOISE` seconds, a cost says
# more about the machine than about the parser.
PROPORTION = 4 * 2
NOISE = 0.01

HEAD_SIZES = (1_875, 7_500, 30_000)
LINE_SIZES = (500, 2_000, 8_000)
BODY_SIZES = (62_500, 250_000, 1_000_000) if FULL else (15_625, 62_500, 250_000)

# What stands between the parts of anything that HTTP, forms, cookies or JSON have.
FILLERS = [
    *",;=\"\\%&+/?:.-*'([{@ \t09a",
    *("%4", "%41", "%zz", "%20", ",;", "; ", ", ", " ,\t", "=;", '";', '"\\', '\\"', '="', "''"),
    *("a=", "a=b;", "a=b,", "a=b&", "&=", ";=", "W/", '"a",', "0-,", "q=", "-,", "a/b,"),
    *("100-continue,", "close,", "chunked,", "../", "//", "./"),
]

# The fields that any part of Roll reads, and what makes it read on in each.
FIELDS = {
    "Accept": ["", "text/html;", "text/html;q="],
    "Access-Control-Request-Headers": [""],
    "Access-Control-Request-Method": [""],
    "Connection": ["", "close, "],
    "Content-Length": ["", "1, "],
    "Content-Type": [
        "",
        "multipart/form-data; boundary=",
        "multipart/form-data; ",
        "text/plain; ",
    ],
    "Cookie": ["", "a=b; ", 'a="', "a=%", "a"],
    "Expect": ["", "100-continue"],
    "Host": ["", "a", "a:", "["],
    "If-Match": ["", '"'],
    "If-Modified-Since": ["", "Mon, 01 Jan ", "Mon, "],
    "If-None-Match": ["", '"', "W/"],
    "If-Range": ["", "Mon, 01 Jan 2024 "],
    "If-Unmodified-Since": ["", "Mon, 01 Jan "],
    "Keep-Alive": [""],
    "Origin": ["", "http://"],
    "Proxy-Connection": [""],
    "Range": ["", "bytes=", "bytes=0-", "bytes=-"],
    "Referer": [""],
    "TE": [""],
    "Trailer": [""],
    "Transfer-Encoding": ["", "chunked, "],
    "Upgrade": ["", "websocket, "],
    "User-Agent": [""],
    "X-Any": [""],
}
# Where a field is read, if not at "/look".
TARGET_OF = {"Accept": "/negotiated", "Range": "/static/a.txt"} | {
    name: "/static/a.txt" for name in FIELDS if name.startswith("If-")
}
HANDSHAKE = {
    "Connection": ["Upgrade, "],
    "Origin": ["", "http://"],
    "Sec-WebSocket-Extensions": ["", "permessage-deflate; ", "permessage-deflate, "],
    "Sec-WebSocket-Key": [""],
    "Sec-WebSocket-Protocol": ["", "chat, "],
    "Sec-WebSocket-Version": ["", "13, "],
    "Upgrade": ["", "websocket, "],
}
NO_SPACES = str.maketrans({" ": "+", "\t": "+"})
TRAILERS = [b"", b"1;", b"0\r\n", b"0\r\na: ", b'1;a="']
JSONS = [b"", b"[", b'"', b'{"a":', b"1", b"-", b"1e"]
TARGETS = ["/", "/look/", "/look?", "/look?a=", "/look?a", "/static/", "/chat/", "http://a/", "*"]
# The filler stands where the mark is.
MARK = b"<>"
MULTIPART = [
    b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n<>\r\n--b--\r\n',
    b'--b\r\nContent-Disposition: form-data; name="a"; filename="f"\r\n\r\n<>\r\n--b--\r\n',
    b'<>--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--b--\r\n',
    b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--b--<>',
]
PART_HEADERS = [
    b"Content-Disposition: <>",
    b"Content-Disposition: form-data; <>",
    b"Content-Disposition: form-data; name=<>",
    b'Content-Disposition: form-data; name="<>',
    b'Content-Disposition: form-data; name="a"; filename="<>"',
    b"Content-Disposition: form-data; name=\"a\"; filename*=utf-8''<>",
    b'Content-Disposition: form-data; name="a"; filename*=<>',
    b'Content-Type: text/plain; <>\r\nContent-Disposition: form-data; name="a"',
    b'Content-Transfer-Encoding: <>\r\nContent-Disposition: form-data; name="a"',
]
BODY_FILLERS = [
    *FILLERS,
    *("\r\n", "\r", "\n", "\r\n\r\n", "\r\n-", "\r\n--", "\r\n--b", "--b\r\n", "\r\n--c\r\n"),
    *("\r\n--b\r\n", "\r\n--b\r\n\r\n", "\0", "é", "]", "[]", '{"a":', "1,", '"",', "a=%&"),
]


def filled(filler, size):
    return (filler * (size // len(filler) + 1))[:size]


class Server:
    """A server process, with what it uses of the machine."""

    def __init__(self, run, folder):
        (folder / "a.txt").write_text("a")
        program = run(sys.executable, SUPPORT / "growth_app.py", folder)
        self.port = int(program.wait_for_url().rpartition(":")[2])
        self.proc = Path(f"/proc/{program.process.pid}")
        for _ in range(20):  # do not count what is compiled or cached at the first use
            assert b" 200 OK" in self.send(head({"Host": "a", "Cookie": "a=b"}))
        self.least = self.memory("VmRSS")

    def cpu(self):
        """Seconds of CPU that the process has used, to the nanosecond while it waits."""
        return int((self.proc / "schedstat").read_text().split()[0]) / 1e9

    def memory(self, name):
        lines = (self.proc / "status").read_text().splitlines()
        return next(int(line.split()[1]) * KIB for line in lines if line.startswith(name + ":"))

    def send(self, raw):
        """Send a whole input, and read until the server has closed."""
        address = ("127.0.0.1", self.port)
        early = contextlib.suppress(ConnectionError)  # an answer that ends the connection
        with socket.create_connection(address, PATIENCE) as sock, early:
            sock.sendall(raw)
            sock.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: sock.recv(64 * KIB), b""))

    def cost(self, raw):
        """The seconds of CPU that an input takes, and the bytes of memory beyond the least.

        What the allocator keeps of earlier inputs counts, so that it can hide nothing.
        """
        (self.proc / "clear_refs").write_text("5")
        before = self.cpu()
        self.send(raw)
        return self.cpu() - before, self.memory("VmHWM") - self.least


def head(fields, target="/look", method="GET"):
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"{method} {target} HTTP/1.1\r\n{lines}\r\n".encode()


def field(name, prefix, filler, size, **request):
    value = prefix + filled(filler, size)
    return head({"Host": "a", **request.pop("fields", {}), name: value}, **request)


def many_fields(name, size):
    """As many lines as a head may have, within the length."""
    line = f"{name}: a=b\r\n".encode()
    return head({"Host": "a"})[:-2] + line * min(90, size // len(line)) + b"\r\n"


def target(start, filler, size):
    return head({"Host": "a"}, target=start + filled(filler, size).translate(NO_SPACES))


def post(content_type, body):
    fields = {"Host": "a", "Content-Type": content_type, "Content-Length": len(body)}
    return head(fields, method="POST") + body


def urlencoded(prefix, filler, size):
    body = prefix + filled(filler, size).encode()
    return post("application/x-www-form-urlencoded", body)


def json_body(prefix, filler, size):
    return post("application/json", prefix + filled(filler, size).encode())


def multipart(template, filler, size):
    body = template.replace(MARK, filled(filler, size).encode())
    return post("multipart/form-data; boundary=b", body)


def part_headers(template, filler, size):
    """As many parts as there is room for, the headers of each as long as they may be."""
    header = template.replace(MARK, filled(filler, 4000).encode())
    part = b"--b\r\n%s\r\n\r\n1\r\n" % header
    body = part * (size // len(part) + 1) + b"--b--\r\n"
    return post("multipart/form-data; boundary=b", body)


def chunked(chunk_size, filler, size):
    data = filled(filler, size).encode()
    chunks = [data[start : start + chunk_size] for start in range(0, len(data), chunk_size)]
    body = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks)
    fields = {"Host": "a", "Transfer-Encoding": "chunked"}
    return head(fields, method="POST") + body + b"0\r\n\r\n"


def trailers(prefix, filler, size):
    fields = {"Host": "a", "Transfer-Encoding": "chunked"}
    rest = filled(filler, size).encode()
    return head(fields, method="POST") + prefix + rest + b"\r\n\r\n"


UPGRADE = {
    "Host": "a",
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Extensions": "permessage-deflate",
}
CLOSE = b"\x88\x80\0\0\0\0"


def frame(first, payload):
    """A frame of a client, masked with zeros."""
    size = len(payload)
    length = bytes([0x80 | size]) if size < 126 else struct.pack("!BQ", 0xFF, size)
    return bytes([first]) + length + bytes(4) + payload


def fragments(piece, count):
    first = frame(0x01, piece)
    return first + frame(0x00, piece) * (count - 2) + frame(0x80, piece)


FRAMES = {
    "one message": lambda size: frame(0x81, b"a" * size),
    "short messages": lambda size: frame(0x81, b"a") * (size // 7),
    "empty messages": lambda size: frame(0x81, b"") * (size // 6),
    "fragments": lambda size: fragments(b"a", size // 7),
    "empty fragments": lambda size: fragments(b"", size // 6),
    "pings": lambda size: frame(0x89, b"a") * (size // 7),
    "pongs": lambda size: frame(0x8A, b"a" * 100) * (size // 106),
    "compressed messages": lambda size: frame(0xC1, b"\x02\x00") * (size // 8),
    "not UTF-8": lambda size: frame(0x81, b"\xff" * size),
}


def converse(frames, size):
    """A handshake, frames, and a close."""
    return head(UPGRADE, target="/chat") + FRAMES[frames](size) + CLOSE


# Each case: its name, and a function of the length that gives what is sent.


def cases(function, *choices):
    return [
        (" ".join(map(repr, chosen)), functools.partial(function, *chosen))
        for chosen in itertools.product(*choices)
    ]


def field_cases(name):
    target = TARGET_OF.get(name, "/look")
    return [
        *cases(functools.partial(field, target=target), [name], FIELDS[name], FILLERS),
        *cases(many_fields, [name]),
    ]


def handshake_cases(name):
    upgrade = functools.partial(field, target="/chat", fields=UPGRADE)
    return cases(upgrade, [name], HANDSHAKE[name], FILLERS)


BODIES = {
    "urlencoded": cases(urlencoded, [b"", b"a=", b"%"], BODY_FILLERS),
    "multipart": cases(multipart, MULTIPART, BODY_FILLERS),
    "part headers": cases(part_headers, PART_HEADERS, FILLERS),
    "chunks": cases(chunked, [16, 4096, MIB], ["a", "\r\n", "\r\n\r\n", "\n", "0\r\n\r\n", "\r"]),
    "trailers": cases(trailers, TRAILERS, [*FILLERS, "\r\n", "a: b\r\n"]),
    "frames": cases(converse, FRAMES),
}


def check(server, inputs, sizes, ceiling, memory=None):
    """Fail with all that costs too much, once it did so three times."""
    found = [
        f"{name}: {told}"
        for name, make in inputs
        if (told := excess(server, make, sizes, ceiling, memory))
    ]
    assert not found, "\n".join(found)


def excess(server, make, sizes, ceiling, memory):
    for _ in range(3):
        told = measure(server, [make(size) for size in sizes], ceiling, memory)
        if told is None:
            return None
    return told


def measure(server, inputs, ceiling, memory):
    """What is wrong with the costs of three inputs, each four times as long as the one before."""
    costs = [server.cost(raw) for raw in inputs]
    first, second, last = (cpu for cpu, _ in costs)
    text = f"{first * 1e3:.1f}, {second * 1e3:.1f}, {last * 1e3:.1f} ms"
    if last > ceiling:
        return f"above {ceiling * 1e3:.0f} ms: {text}"
    if last > PROPORTION * second + NOISE or second > PROPORTION * first + NOISE:
        return f"out of proportion: {text}"
    if memory is not None and costs[-1][1] > memory:
        return f"{costs[-1][1] / len(inputs[-1]):.0f} bytes of memory a byte"
    return None


@pytest.fixture
def server(run, tmp_path):
    return Server(run, tmp_path)


@pytest.mark.parametrize("name", FIELDS)
def test_field_costs_in_proportion_to_its_length(server, name):
    check(server, field_cases(name), HEAD_SIZES, HEAD_CEILING)


@pytest.mark.parametrize("name", HANDSHAKE)
def test_field_of_a_handshake_costs_in_proportion_to_its_length(server, name):
    check(server, handshake_cases(name), HEAD_SIZES, HEAD_CEILING)


@pytest.mark.parametrize("start", TARGETS)
def test_target_costs_in_proportion_to_its_length(server, start):
    check(server, cases(target, [start], FILLERS), LINE_SIZES, HEAD_CEILING)


@pytest.mark.parametrize("name", BODIES)
def test_body_costs_in_proportion_to_its_length(server, name):
    most = BODY_SIZES[-1] * (1 + MEMORY_A_BYTE) + MEMORY_SLACK
    check(server, BODIES[name], BODY_SIZES, BODY_CEILING, most)


def test_json_costs_in_proportion_to_its_length(server):
    """Its memory is that of Python's objects."""
    check(server, cases(json_body, JSONS, BODY_FILLERS), BODY_SIZES, BODY_CEILING)
