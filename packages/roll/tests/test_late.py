"""The last steps of a response, after all listeners."""

import pytest

from roll import HttpError
from roll.late import unsettled


@pytest.fixture
def transform(app):
    """Let a function change the response last."""

    @app.route("/")
    async def handler(request, response):
        response.body = "made by the handler"

    def transform(call):
        @app.listen("headers")
        def begin(request, response):
            unsettled(request).transforms.append(call)

    return transform


async def test_transforms_run_last_and_in_their_order(app, client, transform):
    async def first(request, response):
        response.body += ", then by the first"

    async def second(request, response):
        response.body += ", then by the second"

    transform(first)
    transform(second)

    @app.listen("response")
    def listen(request, response):
        response.body += ", then by a listener"

    expected = "made by the handler, then by a listener, then by the first, then by the second"
    assert (await client.get("/")).body == expected.encode()


@pytest.mark.parametrize(("error", "status"), [(ValueError("broken"), 500), (HttpError(418), 418)])
async def test_a_transform_that_fails_is_an_error_as_any_other(
    app, client, transform, caplog, error, status
):
    async def fail(request, response):
        raise error

    transform(fail)
    assert (await client.get("/")).status == status
    assert ("broken" in caplog.text) is (status == 500)


async def test_what_ends_the_program_is_not_answered(app, transform):
    class Program(SystemExit):
        pass

    async def end(request, response):
        raise Program

    transform(end)
    request, response = app.Request(app, None), app.Response(app, None)
    request.method, request.path, response.request = "GET", "/", request
    request.body = b""
    with pytest.raises(Program):
        await app(request, response)
