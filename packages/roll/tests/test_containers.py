"""Multidicts that answer 400, and the parser that fills them."""

import pytest

from roll import Files, Form, HttpError, Multidict, Multipart, Query
from roll.testing import encode_multipart


@pytest.mark.parametrize("kind", [Multidict, Query, Form, Files])
def test_a_missing_key_is_a_400(kind):
    for get in (kind().get, kind().list):
        with pytest.raises(HttpError) as caught:
            get("key")
        assert (caught.value.status, caught.value.message) == (400, "Missing 'key' key")
        assert get("key", None) is None


@pytest.mark.parametrize("kind", [Query, Form])
def test_value_that_cannot_be_cast_is_a_400(kind):
    values = kind({"key": ["x"]})
    for cast in (values.int, values.float, values.bool):
        with pytest.raises(HttpError) as caught:
            cast("key")
        assert caught.value.status == 400
        assert cast("other", None) is None


def test_multipart_fills_the_containers_of_this_package():
    body, content_type = encode_multipart({"a": "1", "f": (b"content", "f")})
    parser = Multipart()
    form, files = parser.initialize(content_type)
    parser.feed_data(body)
    parser.close()
    assert (type(form), type(files)) == (Form, Files)
    assert form.get("a") == "1"
    assert files.get("f").read() == b"content"
