"""Pages that receive events through nginx, while the server behind it restarts."""

import importlib.util
import itertools
import json
import re
import shutil
import signal
import socket
import sqlite3
import sys
import urllib.request
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import urlencode

import pytest

ROOT = Path(__file__).parents[1]
SUPPORT = Path(__file__).parent / "support"
PATIENCE = 60
CLOSED = "source.readyState === EventSource.CLOSED"
OPEN = "source.readyState === EventSource.OPEN"


def load(name):
    spec = importlib.util.spec_from_file_location(name, SUPPORT / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


proxies = load("proxies")


@contextmanager
def held_port():
    """A port that the system gives to nobody else; a server may listen on it meanwhile."""
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(("127.0.0.1", 0))
        yield sock.getsockname()[1]


@pytest.fixture
def port():
    """The port on which the server is started, again and again."""
    with held_port() as port:
        yield port


@pytest.fixture
def front(run, port, tmp_path):
    """The URL of an nginx as docs/proxies.md has it, in front of that port."""
    nginx = proxies.PROXIES["nginx"]
    if nginx.path is None:
        pytest.skip("nginx is not installed")
    folder = tmp_path / "nginx"
    folder.mkdir()
    tmp_path.chmod(0o755)
    with held_port() as own:
        address = f"127.0.0.1:{own}"
        program = run(*nginx.command(folder, address, f"127.0.0.1:{port}"), cwd=folder)
        program.wait_for("start|using the")
        yield f"http://{address}"


@pytest.fixture
def table(run, port, tmp_path):
    """Start examples/live_table.py, with its orders in a file."""

    def start():
        program = run(
            *(sys.executable, "examples/live_table.py"),
            PYTHONPATH=str(SUPPORT),
            ROLL_TEST_PORT=str(port),
            ORDERS=str(tmp_path / "orders.db"),
        )
        program.wait_for_url()
        return program

    return start


ITEMS = "[...document.querySelectorAll('tbody tr')].map(row => row.cells[1].innerText).reverse()"


def order(url, item):
    form = urlencode({"item": item, "amount": 1}).encode()
    with urllib.request.urlopen(f"{url}/orders", form) as answer:
        assert answer.status == 204


def store(path, items):
    with closing(sqlite3.connect(path)) as db, db:
        db.executemany(
            "insert into orders (item, amount) values (?, 1)", [[item] for item in items]
        )


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL], ids=lambda end: end.name)
def test_a_table_misses_no_order_while_its_server_restarts_behind_nginx(
    front, table, browser, tmp_path, end
):
    program = table()
    browser.open(front)
    browser.wait_for(OPEN)
    items = []
    for again in range(2):
        for number in range(3):
            items.append(f"order {again}.{number}")
            order(front, items[-1])
        browser.wait_for(f"{ITEMS}.length >= {len(items)}")
        program.stop(end)
        # The browser connects again, gets a 502, and gives up.
        browser.wait_for(CLOSED)
        missed = [f"missed {again}.{number}" for number in range(3)]
        store(tmp_path / "orders.db", missed)
        items += missed
        program = table()
        browser.wait_for(f"{ITEMS}.length >= {len(items)}")
    items.append("the last one")
    order(front, items[-1])
    browser.wait_for(f"{ITEMS}.includes('the last one')")
    assert browser.evaluate(ITEMS) == items


@pytest.fixture
def redis(run):
    """Start a Redis, always on the same port."""
    if shutil.which("redis-server") is None:
        pytest.skip("redis-server is not installed")
    with held_port() as port:

        def start():
            program = run("redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "")
            program.wait_for("Ready to accept connections")
            program.url = f"redis://127.0.0.1:{port}"
            return program

        yield start


@pytest.fixture
def workers(run, port, tmp_path):
    """Start examples/live_table.py with two workers of gunicorn that share a Redis."""

    def start(url):
        program = run(
            *(sys.executable, "-m", "gunicorn", "live_table:app", "--workers", "2"),
            *("--worker-class", "roll.worker.Worker", "--bind", f"127.0.0.1:{port}"),
            cwd=ROOT / "examples",
            ORDERS=str(tmp_path / "orders.db"),
            REDIS=url,
        )
        for _ in range(2):
            program.wait_for("Booting worker")
        return program

    return start


def stream_of(url):
    """Yield the items that a client without a browser gets, over one connection."""
    with urllib.request.urlopen(f"{url}/events", timeout=PATIENCE) as answer:
        for line in answer:
            if line.startswith(b"data: "):
                yield json.loads(line.removeprefix(b"data: "))[1]


def test_tables_of_two_workers_miss_no_order_while_all_restart(
    front, redis, workers, browser, port, tmp_path
):
    server = redis()
    program = workers(server.url)
    browser.open(front)
    browser.wait_for(OPEN)
    items = [f"order {number}" for number in range(20)]
    # Many streams, of both workers, while orders come: each subscribes at another moment.
    streams = []
    for item in items:
        order(front, item)
        streams.append(stream_of(f"http://127.0.0.1:{port}"))
        assert next(streams[-1]) == items[0]
    for stream in streams:
        assert list(itertools.islice(stream, len(items) - 1)) == items[1:]

    # Redis goes and comes back: an order of the meantime is shown afterwards, by both workers.
    server.stop()
    items.append("without Redis")
    order(front, items[-1])
    redis()
    for stream in streams:
        assert next(stream) == items[-1]
        stream.close()

    browser.wait_for(f"{ITEMS}.length >= {len(items)}")
    program.stop(signal.SIGTERM)
    browser.wait_for(CLOSED)
    items.append("without workers")
    store(tmp_path / "orders.db", items[-1:])
    workers(server.url)
    browser.wait_for(f"{ITEMS}.length >= {len(items)}")
    items.append("the last one")
    order(front, items[-1])
    browser.wait_for(f"{ITEMS}.length >= {len(items)}")
    assert browser.evaluate(ITEMS) == items


@pytest.mark.parametrize("made_up", ["x", "9" * 30, "-1", "1; drop table orders", ""])
def test_a_table_is_whole_for_an_id_that_is_made_up(table, port, tmp_path, made_up):
    table()
    store(tmp_path / "orders.db", ["tea"])
    url = f"http://127.0.0.1:{port}/events?{urlencode({'last': made_up})}"
    asked = urllib.request.Request(url, headers={"Last-Event-ID": made_up})
    with urllib.request.urlopen(asked) as answer:
        assert answer.readline() == b"id: 1\n"


@pytest.fixture
def library(run, port, tmp_path):
    """Start the application of the tutorial."""

    def start():
        program = run(
            *(sys.executable, "-m", "roll", "run", "library.app:app", "--port", str(port)),
            cwd=ROOT / "examples",
            LIBRARY_DATABASE=str(tmp_path / "books.db"),
        )
        program.wait_for_url(r"(http://127\.0\.0\.1:\d+)")
        return program

    return start


BOOKS = "[...document.querySelectorAll('#books li')].map(item => item.innerText.split(',')[0])"


def add_book(url, title):
    body = json.dumps({"title": title, "author": "Jane Austen"}).encode()
    with urllib.request.urlopen(f"{url}/api/books", body) as answer:
        assert answer.status == 201


def test_a_page_of_the_library_misses_no_book_while_its_server_restarts(
    front, library, browser, tmp_path
):
    program = library()
    add_book(front, "Emma")
    browser.open(front)
    browser.wait_for(OPEN)
    add_book(front, "Persuasion")
    browser.wait_for(f"{BOOKS}.length >= 2")
    program.stop()
    browser.wait_for(CLOSED)
    with closing(sqlite3.connect(tmp_path / "books.db")) as db, db:
        db.execute("insert into books (title, author) values ('Sanditon', 'Jane Austen')")
    library()
    browser.wait_for(f"{BOOKS}.length >= 3")
    add_book(front, "Lady Susan")
    browser.wait_for(f"{BOOKS}.includes('Lady Susan')")
    assert browser.evaluate(BOOKS) == ["Emma", "Persuasion", "Sanditon", "Lady Susan"]


def blocks_of_the_guide(language):
    page = (ROOT / "docs" / "how-to-streaming.md").read_text()
    return re.findall(rf"```{language}\n(?!# examples)(.*?)```", page, re.DOTALL)


def test_page_of_the_guide_reconnects_after_a_502(front, run, browser, port, tmp_path):
    (page,) = [block for block in blocks_of_the_guide("html") if "follow" in block]
    lines = ["from roll import Roll, extensions", "app = Roll()", *blocks_of_the_guide("python")]
    lines += [
        '@app.route("/")',
        "async def show(request, response):",
        f"    response.html = {page!r}",
    ]
    lines += [f"extensions.simple_server(app, port={port})"]
    (tmp_path / "guide.py").write_text("\n".join(lines))

    def start():
        program = run(sys.executable, "guide.py", cwd=tmp_path)
        program.wait_for_url()
        return program

    program = start()
    browser.open(front)
    browser.wait_for("last >= 3")
    program.stop()
    browser.wait_for(CLOSED)
    seen = browser.evaluate("Number(last)")
    start()
    browser.wait_for(f"last > {seen}")
    shown = browser.evaluate("document.body.innerText").split()
    numbers = [int(word) for word in shown if word != "row"]
    assert numbers == list(range(1, len(numbers) + 1)), json.dumps(shown)
