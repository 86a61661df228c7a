from http import HTTPStatus

import pytest
from hello import app as hello_app

pytestmark = pytest.mark.asyncio


@pytest.fixture
def app():
    return hello_app


async def test_says_hello(client):
    response = await client.get("/hello/world")
    assert response.status == HTTPStatus.OK
    assert response.body == b"Hello world"


async def test_unknown_page(client):
    response = await client.get("/nowhere")
    assert response.status == HTTPStatus.NOT_FOUND
