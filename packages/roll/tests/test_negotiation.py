"""The extension `content_negociation`."""

import pytest

from roll.extensions import content_negociation


@pytest.fixture
def status(app, client):
    """Give the status of the answer to an `Accept`, from a route that offers two types."""
    content_negociation(app)
    app.route("/", accepts=["text/html", "application/json"])(lambda request, response: None)

    async def status(accept=None):
        headers = {} if accept is None else {"Accept": accept}
        return (await client.get("/", headers=headers)).status

    return status


@pytest.mark.parametrize("accept", ["text/html", "image/png", "*/*", ""])
async def test_response_varies_with_accept_whatever_its_status(status, client, accept):
    await status(accept)
    response = await client.get("/", headers={"Accept": accept})
    assert response.status in {200, 406}
    assert response.headers["Vary"] == "Accept"


async def test_route_that_offers_no_types_does_not_vary(status, app, client):
    app.route("/any")(lambda request, response: None)
    assert "Vary" not in (await client.get("/any", headers={"Accept": "a/b"})).headers


async def test_each_method_has_its_own_media_types(status, app, client):
    app.route("/", methods=["POST"])(lambda request, response: None)
    app.routes.add("/", PUT=lambda request, response: None)
    app.routes.add("/given", GET=lambda request, response: None, accepts="text/html")
    assert await status("image/png") == 406
    assert (await client.head("/", headers={"Accept": "image/png"})).status == 406
    assert (await client.post("/")).status == 200
    assert (await client.put("/")).status == 406
    assert (await client.get("/given")).status == 406


@pytest.mark.parametrize(
    "accept",
    [
        "text/html",
        "application/json",
        "TEXT/HTML",
        "image/png, text/html",
        "text/*",
        "*/*",
        "text/html;level=1",
        "text/html; q=0.1",
        "text/html;q=1.000",
        "text/html;Q=0.5",
        "\ttext/html\t;\tq\t=\t0.5\t",
        "image/png;q=0.9,application/json ; q=0.5",
        "nonsense, text/html",
        ",,text/html,",
        "text/html;q=nonsense, */*;q=0.1",
        "text/html;q=0, application/*",
        "text/html;q=0, text/html;q=0.5",
        'text/html;a=",";q=0.5',
        'text/html;a=";q=0"',
        'text/html;a=",text/html;q=0,"',
        r'text/html;a="\";q=0,\"";q=1',
        r'text/html;a="\\";q=1',
        'image/png;a=",,", text/html',
        'text/html;a=""',
        'text/html, image/png;a="',
    ],
)
async def test_accepted_media_type_is_served(status, accept):
    assert await status(accept) == 200


@pytest.mark.parametrize(
    "accept",
    [
        "",
        "image/png",
        "text/plain",
        "text/html;q=0",
        "text/html;q=0, application/json;q=0.000, */*",
        "text/*;q=0, application/*;q=0",
        "nonsense",
        "*",
        "*/html",
        "text/html;q=2",
        "text/html;q=0.1234",
        "text/html;q=\u0661",
        "text/html;q=0.\u0665",
        "text/html;q=\u00b9",
        "text/html;q=\uff11",
        "text/html;q=nan",
        "text/html;q=inf",
        "text/html;q=1e0",
        "text/html;q=+1",
        "text/html;q=",
        f"text/html;q={'1' * 5001}",
        f"text/html;q=0.{'0' * 5001}1",
        "\u2003text/html",
        "text/html\u00a0",
        "text/html;q=\u20031",
        "text/ht ml",
        'text/html;a=",";q=0',
        'text/html;a=";";q=0',
        'text/html;a="b";q=0',
        r'text/html;a="\",";q=0',
        r'text/html;a="\\";q=0',
        'x/y;a=",text/html,"',
        'x/y;a=";",text/plain;b=",text/html,"',
        r'x/y;a="\",text/html,\""',
        'x/y;a=",text/html',
        'x/y;a=", text/html, application/json',
        'text/html;a="',
        'text/html;a="\\',
        r'text/html;a="\"',
        '"text/html"',
        '",text/html,"',
        'text/html;q="1"',
    ],
)
async def test_media_type_that_is_not_offered_is_a_406(status, accept):
    assert await status(accept) == 406


async def test_a_sign_that_is_a_letter_in_lower_case_is_none(app, client, status):
    app.route("/markdown", accepts="text/markdown")(lambda request, response: None)
    for accept, expected in (("text/MARKDOWN", 200), ("text/mar\u212adown", 406)):
        assert (await client.get("/markdown", headers={"Accept": accept})).status == expected


async def test_no_accept_is_a_406(status):
    assert await status() == 406


async def test_a_route_that_offers_nothing_takes_all(app, client, status):
    app.route("/any")(lambda request, response: None)
    assert (await client.get("/any", headers={"Accept": "image/png"})).status == 200
    assert (await client.get("/any")).status == 200
    assert (await client.get("/nowhere")).status == 404


async def test_a_single_type_may_be_offered(app, client, status):
    app.route("/one", accepts="text/html; charset=utf-8")(lambda request, response: None)
    assert (await client.get("/one", headers={"Accept": "text/html"})).status == 200
