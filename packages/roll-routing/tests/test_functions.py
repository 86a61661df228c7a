"""The generated match functions are correct, however large, deep or odd the table is."""

from itertools import product

import pytest

from roll_routing import Routes

pytestmark = pytest.mark.usefixtures("either")


def table(*patterns: str) -> Routes:
    routes = Routes()
    for pattern in patterns:
        routes.add(pattern, route=pattern)
    return routes


def test_a_table_may_be_deep() -> None:
    start = "/{a}-{b}/{c}.json/{d:int}/{e}"
    routes = table(*(start + "/x" * size + "/{f}" for size in range(120)))
    path = "/1-2/3.json/4/5"
    for size in (0, 30, 119):
        payload, values = routes.match(path + "/x" * size + "/6")
        assert payload == {"route": start + "/x" * size + "/{f}"}
        assert values == {"a": "1", "b": "2", "c": "3", "d": "4", "e": "5", "f": "6"}
    assert routes.match(path + "/x" * 120 + "/6") == (None, None)


@pytest.mark.parametrize(
    ("segment", "part"),
    [("/x", "/x"), ("/{N}", "/1"), ("/{aN}.{bN}", "/1.2"), ("/{N:int}-", "/1-")],
)
def test_routes_of_all_the_segments_a_pattern_may_have_are_found(segment: str, part: str) -> None:
    middle = "".join(segment.replace("N", str(number)) for number in range(198))
    # With so many ways on, which of the two kinds wins is decided by going down both.
    kinds = ("int", "digit")
    routes = table(*(f"/{{x:{kind}}}{middle}/r{end}" for end in range(40) for kind in kinds))
    payload, values = routes.match("/1" + part * 198 + "/r7")
    assert payload == {"route": f"/{{x:int}}{middle}/r7"}
    assert values["x"] == "1"
    assert routes.match("/1" + part * 198 + "/r40") == (None, None)
    assert routes.match("/1" + part * 500) == (None, None)


@pytest.mark.parametrize("texts", ["abc", "abcdefghij"])
def test_a_table_may_be_wide_at_each_place(texts: str) -> None:
    routes = table(*(f"/{a}/{{x}}/{b}/{{y:int}}/{c}" for a, b, c in product(texts, repeat=3)))
    for a, b, c in product(texts, repeat=3):
        payload, values = routes.match(f"/{a}/0/{b}/1/{c}")
        assert payload == {"route": f"/{a}/{{x}}/{b}/{{y:int}}/{c}"}
        assert values == {"x": "0", "y": "1"}
    assert routes.match("/a/0/b/1/z") == (None, None)
    assert routes.match("/a/0/b/z/a") == (None, None)


def test_many_branches_may_begin_alike() -> None:
    routes = table("/{y}", *(f"/{c}-{{x}}{rest}" for c in "abcdefghi" for rest in ENDS))
    assert routes.match("/i-1") == ({"route": "/i-{x}"}, {"x": "1"})
    assert routes.match("/i-1/a") == ({"route": "/i-{x}/a"}, {"x": "1"})
    assert routes.match("/i-1/b/2") == ({"route": "/i-{x}/b/{z}"}, {"x": "1", "z": "2"})
    assert routes.match("/i-1/c") == ({"route": "/i-{x}/{z}"}, {"x": "1", "z": "c"})
    assert routes.match("/i-1/c/d") == ({"route": "/i-{x}/{p:path}"}, {"x": "1", "p": "c/d"})
    assert routes.match("/i-") == ({"route": "/{y}"}, {"y": "i-"})
    assert routes.match("/i-/a") == (None, None)
    assert routes.match("/j-1/a") == (None, None)


ENDS = ["", "/a", "/b/{z}", "/{z}", "/{p:path}"]


def test_many_routes_may_follow_two_types_at_one_place() -> None:
    kinds = ("int", "digit")
    routes = table(*(f"/{{x:{kind}}}/r{number}" for number in range(40) for kind in kinds))
    assert routes.match("/1/r7") == ({"route": "/{x:int}/r7"}, {"x": "1"})
    assert routes.match("/-1/r7") == ({"route": "/{x:int}/r7"}, {"x": "-1"})
    assert routes.match("/1/r40") == (None, None)


@pytest.mark.parametrize(
    "text", ["'", '"', "\\x", "\n", "c0", "'+part0+'", "\\x00", "é", "\ud800"]
)
def test_compiled_source_contains_no_text_of_a_pattern(text: str) -> None:
    routes = table(f"/{text}/{{{text}}}", f"/{{a}}{text}", f"/-{{a}}{text}{{b}}/{{{text}:int}}")
    assert routes.match(f"/{text}/1") == ({"route": f"/{text}/{{{text}}}"}, {text: "1"})
    assert routes.match(f"/1{text}") == ({"route": f"/{{a}}{text}"}, {"a": "1"})
    payload, values = routes.match(f"/-1{text}2/3")
    assert payload == {"route": f"/-{{a}}{text}{{b}}/{{{text}:int}}"}
    assert values == {"a": "1", "b": "2", text: "3"}


def test_match_begun_before_a_change_does_not_undo_it() -> None:
    routes = table("/{x}/{y}", "/{x}.{y}")
    not_compiled = routes._answer
    routes.match("/a/b")
    compiled = routes._answer
    routes.add("/a/{y}", route="new")
    for late in (compiled, not_compiled):
        late("/a/b")
        assert routes.match("/a/b") == ({"route": "new"}, {"y": "b"})


def test_node_compiled_before_a_change_does_not_undo_it() -> None:
    texts = "abcdefghij"
    routes = table(*(f"/{a}/{b}/{{x}}" for a in texts for b in texts))
    node = routes._tree.literals[""].literals["a"]
    not_compiled, path = node.run, ("/a/a/1", ["", "a", "a", "1"], 4)
    routes.match("/a/a/1")
    compiled = node.run
    routes.add("/a/a/{x:int}", route="new")
    for late in (compiled, not_compiled):
        late(*path)
        assert routes.match("/a/a/1") == ({"route": "new"}, {"x": "1"})
