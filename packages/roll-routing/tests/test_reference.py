"""`Routes` compared with a slow model of the documented precedence."""

import re
import uuid
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roll_routing import Routes

pytestmark = pytest.mark.usefixtures("either")


def is_uuid(value: str) -> bool:
    try:
        return str(uuid.UUID(value)) == value.lower()
    except ValueError:
        return False


def matching(regex: str) -> Callable[[str], bool]:
    return lambda value: re.fullmatch(regex, value) is not None


# For each type its rank and what it takes.
TYPES: dict[str, tuple[int, Callable[[str], bool]]] = {
    "digit": (3, matching("[0-9]+")),
    "alpha": (3, str.isalpha),
    "alnum": (3, str.isalnum),
    "int": (3, matching("-?[0-9]+")),
    "float": (3, matching(r"-?[0-9]+(\.[0-9]+)?")),
    "uuid": (3, is_uuid),
    r"\d+": (3, matching(r"\d+")),
    "[ab]{1,2}": (3, matching("[ab]{1,2}")),
    "(?i)AB?": (3, matching("(?i)AB?")),
    "a{b}|b?": (3, matching("a{b}|b?")),
    "(a|ab)(1|b1)?": (3, matching("(a|ab)(1|b1)?")),
    ".+": (3, matching(".+")),
    "[^b]*": (3, matching("[^b]*")),
    "string": (4, matching("[^/]+")),
    "path": (5, matching("(?s:.+)")),
    "any": (5, matching("(?s:.*)")),
}
UUID = "12345678-9abc-def0-1234-56789abcdef0"
SAMPLES = ["1", "-1", "1.1", "a", "ab", "b-a", "é", "²", "a/b", "/", "", "ab1", "a{b}", UUID]

Token = tuple[str, str]  # ("literal", text) or ("{type}", name)
Route = tuple[Token, ...]


def spell(route: Route) -> str:
    return "".join(
        text if kind == "literal" else f"{{{text}:{kind}}}" if kind != "string" else f"{{{text}}}"
        for kind, text in route
    )


def precedence(route: Route) -> list[int]:
    ranks: list[int] = []
    for kind, text in route:
        ranks += [int(c == "/") for c in text] if kind == "literal" else [TYPES[kind][0]]
    return [*ranks, 2]


def solve(route: Route, path: str) -> dict[str, str] | None:
    """Try for each placeholder every value, the longest first."""
    if not route:
        return None if path else {}
    (kind, text), rest = route[0], route[1:]
    if kind == "literal":
        return solve(rest, path.removeprefix(text)) if path.startswith(text) else None
    for end in range(len(path), -1, -1):
        if TYPES[kind][1](path[:end]) and (found := solve(rest, path[end:])) is not None:
            return {text: path[:end], **found}
    return None


def answer(routes: list[Route], path: str) -> tuple[str | None, dict[str, str] | None]:
    for route in sorted(routes, key=precedence):
        found = solve(route, path)
        if found is not None:
            return spell(route), found
    return None, None


literals = st.text("ab-.1/", min_size=1, max_size=3).map(lambda text: ("literal", text))
kinds = st.one_of(st.just("string"), st.sampled_from([*TYPES]))
placeholders = st.tuples(kinds, st.just(""))


@st.composite
def route(draw: st.DrawFn) -> Route:
    tokens = draw(st.lists(st.one_of(literals, placeholders, placeholders), max_size=5))
    letter = draw(st.sampled_from("xxy"))
    named = ((kind, text or f"{letter}{index}") for index, (kind, text) in enumerate(tokens))
    return (("literal", "/"), *named)


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[Route], list[str]]:
    routes = draw(st.lists(route(), min_size=1, max_size=6))
    paths = [
        "".join(t if k == "literal" else draw(st.sampled_from(SAMPLES)) for k, t in one)
        for one in draw(st.lists(st.sampled_from(routes), min_size=1, max_size=4))
    ]
    return routes, [*paths, "/" + draw(st.text("ab-.1/²é", max_size=6))]


def check(table: tuple[list[Route], list[str]]) -> None:
    """Compare after each route: what was proven for a smaller table must not outlive it."""
    routes, paths = table
    router = Routes()
    known: list[Route] = []
    for one in routes:
        router.add(spell(one), route=spell(one))
        known.append(one)
        for path in paths * 3:
            payload, values = router.match(path)
            assert (payload and payload["route"], values) == answer(known, path)


segments = st.sampled_from(["a", "b", "ab", "1", "", None, None, None])


@st.composite
def plain_tables(draw: st.DrawFn) -> tuple[list[Route], list[str]]:
    """Tables as most are: each segment a word or a placeholder."""
    routes = []
    for words in draw(
        st.lists(st.lists(segments, min_size=1, max_size=4), min_size=1, max_size=9)
    ):
        route: list[Token] = []
        for index, word in enumerate(words):
            route.append(("literal", "/" + (word or "")))
            if word is None:
                route.append((draw(kinds), f"x{index}"))
        routes.append(tuple(route))
    path = st.lists(st.sampled_from(["a", "b", "ab", "1", "é", ""]), min_size=1, max_size=4)
    paths = draw(st.lists(path.map(lambda parts: "/" + "/".join(parts)), min_size=1, max_size=6))
    return routes, paths


EXAMPLES = settings(max_examples=150, deadline=None)


@EXAMPLES
@given(tables())
def test_any_table_answers_as_the_model(table: tuple[list[Route], list[str]]) -> None:
    check(table)


@EXAMPLES
@given(plain_tables())
def test_a_table_of_plain_segments_answers_as_the_model(
    table: tuple[list[Route], list[str]],
) -> None:
    check(table)
