"""The examples of docs/examples.md, used by a browser as a person would."""

import json
import os
import socket
import subprocess
import urllib.request
from urllib.parse import urlsplit

import pytest


def click(browser, selector):
    browser.run(f"document.querySelector({json.dumps(selector)}).click()")


def fill(browser, selector, text):
    browser.run(f"document.querySelector({json.dumps(selector)}).value = {json.dumps(text)}")


def test_a_stopped_answer_costs_no_more_tokens(example, browser):
    program = example("token_stream.py")
    browser.open(program.url)
    fill(browser, "input", "<b>why</b>?")
    click(browser, "button")
    browser.wait_for("answer.textContent.split(' ').length > 5")
    assert browser.evaluate("stop.disabled") is False
    click(browser, "#stop")
    made = int(program.wait_for(r"(\d+) tokens made")[1])
    assert 5 <= made < 90
    assert browser.evaluate("stop.disabled") is True
    assert browser.evaluate("answer.textContent").startswith("You ask: <b>why</b>? There")


def test_a_whole_answer_ends_by_itself(example, browser):
    program = example("token_stream.py")
    browser.open(program.url)
    fill(browser, "input", "why?")
    click(browser, "button")
    assert int(program.wait_for(r"(\d+) tokens made")[1]) == 93
    assert browser.wait_for("stop.disabled && answer.textContent").endswith("let me talk. ")
    assert browser.evaluate("source.readyState") == 2  # closed


ROWS = "[...document.querySelectorAll('tbody tr')].map(row => row.innerText)"


def test_a_table_shows_each_order_once(example, browser):
    program = example("live_table.py")
    browser.open(program.url)
    for item in ("tea", "<b>bread"):
        fill(browser, "[name=item]", item)
        click(browser, "button")
        browser.wait_for(f"document.body.innerText.includes({json.dumps(item)})")
    assert browser.evaluate(ROWS) == ["2\t<b>bread\t1", "1\ttea\t1"]
    browser.open(program.url)  # a page that comes later sees all of them
    browser.wait_for(f"{ROWS}.length === 2")
    # The connection is lost, and the browser comes back by itself.
    browser.run("source.close()")
    browser.open(program.url)
    browser.wait_for(f"{ROWS}.length === 2")
    assert program.stop() == 0


def test_page_shows_the_text_of_its_path(example, browser):
    url = example("single_page.py").url
    browser.open(url)
    browser.wait_for("document.querySelectorAll('li').length === 2")
    browser.run("document.querySelector('form').text.value = 'Call <i>Ada'")
    browser.run("document.querySelector('form').requestSubmit()")
    browser.wait_for("document.querySelectorAll('li').length === 3")
    click(browser, "li:last-child a")
    browser.wait_for("document.querySelector('main').innerText === 'Call <i>Ada'")
    assert browser.evaluate("location.pathname") == "/notes/3"
    browser.open(f"{url}/notes/2")  # as a bookmark
    browser.wait_for("document.querySelector('main').innerText === 'Read a book'")
    browser.open(f"{url}/notes/9")
    browser.wait_for("document.querySelector('main').innerText === 'There is no such note'")
    missing = "fetch('/missing.js').then(response => response.status)"
    assert browser.evaluate(missing) == 404


@pytest.fixture
def large(tmp_path):
    path = tmp_path / "große Datei.bin"
    path.write_bytes(os.urandom(30 * 2**20))
    return path


def test_upload_shows_its_progress_and_download_resumes(example, browser, large, tmp_path):
    url = example("file_transfer.py").url
    browser.open(url)
    browser.run("window.seen = []; new MutationObserver(() => 0)")
    browser.run("""
        const value = Object.getOwnPropertyDescriptor(HTMLProgressElement.prototype, "value")
        Object.defineProperty(progress, "value", {
            get() { return value.get.call(this) },
            set(part) { seen.push(part); value.set.call(this, part) },
        })
    """)
    root = browser.ask("DOM.getDocument")["root"]["nodeId"]
    field = browser.ask("DOM.querySelector", nodeId=root, selector="input")["nodeId"]
    browser.ask("DOM.setFileInputFiles", nodeId=field, files=[str(large)])
    browser.wait_for("document.querySelectorAll('li').length === 1")
    assert browser.evaluate("document.querySelector('li').innerText") == "große Datei.bin"
    progress = browser.evaluate("seen")
    assert progress == sorted(progress)
    assert progress[-1] == 1

    link = browser.evaluate("document.querySelector('li a').href")
    folder = tmp_path / "downloads"
    folder.mkdir()
    assert browser.download(link, folder) == "große Datei.bin"
    assert (folder / "große Datei.bin").read_bytes() == large.read_bytes()

    cut = tmp_path / "cut"
    cut.write_bytes(large.read_bytes()[: 10 * 2**20])
    command = ["curl", "--silent", "--noproxy", "*", "-C", "-", "-o", str(cut), link]
    subprocess.run(command, check=True, timeout=60)
    assert cut.read_bytes() == large.read_bytes()


def test_upload_that_is_broken_off_leaves_no_file(example, tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    program = example("file_transfer.py")
    with socket.create_connection(("127.0.0.1", urlsplit(program.url).port)) as peer:
        peer.sendall(b"PUT /files/half HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nhalf")
        peer.shutdown(socket.SHUT_WR)
        assert peer.recv(1000).startswith(b"HTTP/1.1 400 ")  # the handler has ended then
    (folder,) = tmp_path.iterdir()
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("name", ["..%2Fx", ".hidden", "a%00b", "%2Fetc%2Fpasswd"])
def test_an_upload_stays_in_its_folder(example, name):
    request = urllib.request.Request(
        f"{example('file_transfer.py').url}/files/{name}", b"x", method="PUT"
    )
    with pytest.raises(urllib.error.HTTPError) as told:
        urllib.request.urlopen(request)
    told.value.close()
    assert told.value.code in {400, 404, 405}
