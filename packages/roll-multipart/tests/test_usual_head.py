"""The short way for usual heads gives the same part as the general way."""

import pytest

from roll_multipart.errors import MultipartError
from roll_multipart.headers import parse_part
from roll_multipart.limits import Limits
from roll_multipart.usual_head import USUAL_HEAD, make_part

PLACES = [b"%bxy", b"x%by", b"xy%b", b"%b", b"%bxy%b", b"%b%bxy", b"\xc3\xa9%b", b"%b\xc3\xa9"]
VALUES = {
    "name": b'name="%b"',
    "filename": b'name="a"; filename="%b"',
    "content type": b'name="a"; filename="b"\r\nContent-Type: %b',
}


def parsed(head):
    """Return what the general way finds."""
    try:
        part = parse_part(head, Limits())
    except MultipartError as error:
        return str(error)
    return part.name, part.filename, part.content_type


def both_ways(value, text):
    """Return what each way finds: None if it leaves the head to the other one."""
    head = b"Content-Disposition: form-data; " + value.replace(b"%b", text)
    match = USUAL_HEAD.match(b"\r\n" + head + b"\r\n\r\n")
    if match is None:
        return None, parsed(head)
    part = make_part(match, head)
    return (part.name, part.filename, part.content_type), parsed(head)


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
@pytest.mark.parametrize("place", PLACES, ids=repr)
def test_usual_heads_have_the_same_part_in_both_ways(value, place):
    taken = 0
    for code in range(128):
        short, general = both_ways(value, place.replace(b"%b", bytes([code])))
        if short is not None:
            taken += 1
            assert short == general, chr(code)
    assert taken >= 26 or (value.endswith(b"Type: %b") and b"\xc3" in place)


@pytest.mark.parametrize(
    "filename", [b" x.txt", b"  ", b"x.txt ", b" \xc3\xa9.txt", b" C:x", b". x"]
)
@pytest.mark.parametrize("space", [b" ", b"  "], ids=["usual", "general"])
def test_spaces_at_the_ends_of_filenames_are_removed_however_the_head_is_written(
    tools, filename, space
):
    usual = b'Content-Disposition: form-data; name="a"; filename="%b"' % filename
    other = usual.replace(b"; filename", b";" + space + b"filename")
    names = []
    for head in (usual, other):
        (((name, _, _),),) = tools.same_for_all_cuts(tools.with_head(head)).files.values()
        names.append(name)
    assert names[0] == names[1] == names[0].strip(" ")
