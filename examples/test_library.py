from http import HTTPStatus

import pytest
from library.app import make_app

PNG = b"\x89PNG\r\n\x1a\n and so on"
DUNE = {"title": "Dune", "author": "Frank Herbert"}

pytestmark = pytest.mark.asyncio


@pytest.fixture
def app(tmp_path):
    return make_app(tmp_path / "books.db")


async def test_added_book_is_listed(client):
    response = await client.post("/api/books", json=DUNE)
    assert response.status == HTTPStatus.CREATED
    response = await client.get("/api/books")
    assert response.json == [{"id": 1, **DUNE, "has_cover": 0}]


async def test_book_needs_a_title(client):
    response = await client.post("/api/books", json={"author": "Frank Herbert"})
    assert response.status == HTTPStatus.BAD_REQUEST
    assert response.text == "title must be a text"


async def test_unknown_book_is_a_404(client):
    for number in ("7", "9" * 30):
        response = await client.get(f"/api/books/{number}")
        assert response.status == HTTPStatus.NOT_FOUND


async def test_form_adds_a_book_with_its_cover(client):
    response = await client.post("/books", data=DUNE, files={"cover": (PNG, "dune.png")})
    assert response.status == HTTPStatus.SEE_OTHER
    response = await client.get("/covers/1")
    assert response.headers["Content-Type"] == "image/png"
    assert response.body == PNG


async def test_script_is_no_cover(client):
    files = {"cover": (b"<svg onload='alert(1)'/>", "dune.png")}
    response = await client.post("/books", data=DUNE, files=files)
    assert response.status == HTTPStatus.BAD_REQUEST
    assert (await client.get("/api/books")).json == []


async def test_title_is_shown_as_text(client):
    await client.post("/api/books", json={"title": "<b>Dune", "author": "Frank Herbert"})
    assert "&lt;b&gt;Dune" in (await client.get("/")).text


async def test_form_of_another_site_is_refused(client):
    client.content_type = "application/x-www-form-urlencoded"
    headers = {"Sec-Fetch-Site": "cross-site"}
    response = await client.post("/books", data=DUNE, headers=headers)
    assert response.status == HTTPStatus.FORBIDDEN


async def test_open_page_gets_the_books_that_it_has_not_seen(client):
    await client.post("/api/books", json={"title": "Emma", "author": "Jane Austen"})
    async with client.stream("GET", "/live", params={"last": 1}) as response:
        events = response.events()
        await client.post("/api/books", json=DUNE)
        event = await anext(events)
    assert event.id == "2"
    assert event.json["title"] == "Dune"
