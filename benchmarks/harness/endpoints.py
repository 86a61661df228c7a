"""What every server answers, and how its answers are checked."""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass, field
from typing import Any

__all__ = ["ENDPOINTS", "Endpoint", "WrongAnswer", "check"]

COOKIE = {"Cookie": "session=4f2a9c"}
BROWSER = {
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "Accept-Language": "en-GB,en;q=0.7,fr;q=0.3",
    "Accept-Encoding": "gzip, deflate, br, zstd",
    "Referer": "http://localhost/elsewhere?page=2",
    "Upgrade-Insecure-Requests": "1",
    "Sec-Fetch-Mode": "navigate",
    "Cache-Control": "max-age=0",
}
JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
PERSON = {"name": "ada", "age": 36, "tags": ["countess", "mathematician"]}


class WrongAnswer(Exception):
    """A server did not do what is to be measured."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One kind of request, and what its answer holds."""

    name: str
    path: str
    says: str
    """What it is about, for the tables."""
    method: str = "GET"
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None
    depth: int = 1
    """How many requests are sent before the first answer is awaited."""
    variants: int = 1
    """How many different `Referer` fields are sent, in turn."""
    status: int = 200
    text: str | None = None
    """The body of the answer."""
    data: Any = None
    """The body of the answer, as JSON."""
    cookie: str | None = None
    """The cookie that is set."""


HELLO = "Hello, World!"

ENDPOINTS = {
    endpoint.name: endpoint
    for endpoint in [
        Endpoint("plain", "/plain", "13 bytes", text=HELLO),
        Endpoint("json", "/json", "JSON of one key", data={"message": HELLO}),
        Endpoint("placeholder", "/hello/ada", "one placeholder", text="ada"),
        Endpoint(
            "cookie",
            "/cookie",
            "a cookie in, a cookie out",
            headers=COOKIE,
            text="4f2a9c",
            cookie="session=4f2a9c-seen",
        ),
        Endpoint("query", "/query?name=ada&age=36", "two query parameters", text="ada 36"),
        Endpoint(
            "all",
            "/all/ada?age=36",
            "placeholder, query, cookies and JSON",
            headers=COOKIE,
            data={"name": "ada", "age": 36, "session": "4f2a9c"},
            cookie="session=4f2a9c-seen",
        ),
        Endpoint("browser", "/plain", "13 bytes, for eight headers", headers=BROWSER, text=HELLO),
        Endpoint(
            "varied",
            "/plain",
            "eight headers, never the same",
            headers=BROWSER,
            variants=5000,
            text=HELLO,
        ),
        Endpoint(
            "echo",
            "/echo",
            "JSON in, JSON out",
            method="POST",
            headers=JSON,
            body=json.dumps(PERSON).encode(),
            data=PERSON,
        ),
        Endpoint(
            "form",
            "/form",
            "an urlencoded form",
            method="POST",
            headers=FORM,
            body=b"name=ada&age=36&city=London&title=Countess+of+Lovelace",
            text="ada 36",
        ),
        Endpoint("sleep", "/sleep", "a handler that awaits sleep(0)", text=HELLO),
        Endpoint("404", "/missing", "a path that is not there", status=404),
        Endpoint("pipelined", "/plain", "13 bytes, 16 requests deep", depth=16, text=HELLO),
    ]
}


def check(endpoint: Endpoint, port: int) -> None:
    """Ask twice on one connection; raises `WrongAnswer` for what is not as it must be."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        for _ in range(2):
            connection.request(endpoint.method, endpoint.path, endpoint.body, endpoint.headers)
            response = connection.getresponse()
            _compare(endpoint, response, response.read())
            if connection.sock is None:
                raise WrongAnswer(f"{endpoint.name}: the connection was closed")
    finally:
        connection.close()


def _compare(endpoint: Endpoint, response: http.client.HTTPResponse, body: bytes) -> None:
    _expect(endpoint, "the status", response.status, endpoint.status)
    if endpoint.text is not None:
        _expect(endpoint, "the body", body.decode(), endpoint.text)
    if endpoint.data is not None:
        kind = response.headers.get_content_type()
        _expect(endpoint, "the content type", kind, "application/json")
        _expect(endpoint, "the body", json.loads(body), endpoint.data)
    if endpoint.cookie is not None:
        cookie = response.headers.get("Set-Cookie", "")
        _expect(endpoint, "the cookie", cookie.partition(";")[0], endpoint.cookie)
        _expect(endpoint, "HttpOnly", "httponly" in cookie.lower(), True)


def _expect(endpoint: Endpoint, what: str, found: object, wanted: object) -> None:
    if found != wanted:
        raise WrongAnswer(f"{endpoint.name}: {what} is {found!r}, not {wanted!r}")
