import json
from http import HTTPStatus

import pytest
from upload import app as upload_app

NOTES = b"one, two, three"

pytestmark = pytest.mark.asyncio


@pytest.fixture
def app():
    return upload_app


async def test_file_is_received(client):
    response = await client.post(
        "/upload",
        data={"title": "Notes"},
        files={"document": (NOTES, "notes.txt")},
    )
    received = json.loads(response.body)
    assert received["title"] == "Notes"
    assert received["filename"] == "notes.txt"
    assert received["size"] == len(NOTES)


async def test_no_file_is_refused(client):
    client.content_type = "multipart/form-data"
    response = await client.post("/upload", data={"title": "Notes"})
    assert response.status == HTTPStatus.BAD_REQUEST
    assert response.body == b"Missing 'document' key"
