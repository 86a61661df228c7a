from http import HTTPStatus

import pytest
from form import app as form_app

pytestmark = pytest.mark.asyncio


@pytest.fixture
def app():
    return form_app


async def test_form_is_read(client):
    client.content_type = "application/x-www-form-urlencoded"
    response = await client.post("/hello", data={"name": "Zoé", "age": "41"})
    assert response.status == HTTPStatus.OK
    assert response.body == "Hello Zoé, you will be 42".encode()


async def test_missing_field_is_refused(client):
    client.content_type = "application/x-www-form-urlencoded"
    response = await client.post("/hello", data={"age": "41"})
    assert response.status == HTTPStatus.BAD_REQUEST
    assert response.body == b"Missing 'name' key"


async def test_age_must_be_a_number(client):
    client.content_type = "application/x-www-form-urlencoded"
    response = await client.post("/hello", data={"name": "Zoé", "age": "old"})
    assert response.status == HTTPStatus.BAD_REQUEST
