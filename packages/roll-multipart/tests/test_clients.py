"""Bodies that real clients sent: whole, byte by byte and in every two-way cut."""

BINARY = bytes(range(256)) + b"\r\n--\r\n" * 3
FIELDS = {
    "text": ["Grüße, 世界 & co = 100 %"],
    "empty": [""],
    "choice": ["one", "two"],
    "lines": ["first\r\n--second\r\n"],
    'quo"ted': ["a name with a quote"],
}
FILES = {
    "document": [('résumé "1".txt', "text/plain", b"A text.\r\nTwo lines.")],
    "binary": [
        ("data.bin", "application/octet-stream", BINARY),
        ("nothing.bin", "application/octet-stream", b""),
    ],
}
# What a browser sends for a file input where nothing was chosen.
UNSELECTED = {"unselected": [("", "application/octet-stream", b"")]}


def test_a_client_is_understood_however_its_body_is_cut(tools, client):
    name, content_type, data = client
    result = tools.same_for_all_cuts(data, content_type)
    assert result.error is None
    assert result.fields == FIELDS
    assert result.files == (FILES | UNSELECTED if name in {"chromium", "firefox"} else FILES)


def test_a_client_cut_short_is_an_error_and_no_form(tools, client):
    _, content_type, data = client
    end = data.rindex(b"--")
    for length in range(end + 2):
        assert tools.parse(data[:length], content_type).error is not None
    assert tools.parse(data[: end + 2], content_type).error is None
