"""What autoroutes is told is such that its hits are true."""

from collections.abc import Iterator
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from roll_routing import Routes

PATTERNS = [
    "/{x}",
    "/a/{x}",
    "/ab/{x}/b",
    "/a/{x}/{y}",
    "/a/{x:digit}/b",
    "/a/{x}/ab",
    "/a/{x}/ab/{y}/c",
    "/a/{y}/ab/{z:digit}",
    "/a{x}",
    "/ab{x}.c/{y}",
    "/a/{x}/{y:alpha}/c/{p:path}",
    "/{x}/a/b{y}/c",
    "/{p:path}/a",
    "/a/a{p:any}",
    "{x}/a/{y}",
]


def edges(node: Any) -> Iterator[Any]:
    for edge in node.edges or ():
        yield edge
        yield from edges(edge.child)


@settings(max_examples=100, deadline=None)
@given(st.permutations(PATTERNS), st.sets(st.sampled_from(range(len(PATTERNS)))))
def test_no_placeholder_of_autoroutes_has_literal_text_before_it(
    patterns: list[str], asked: set[int]
) -> None:
    """It would take an empty value there, and let the texts around it overlap."""
    routes = Routes()
    for number, pattern in enumerate(patterns):
        routes.add(pattern)
        if number in asked:
            routes.match(pattern)
    for pattern in patterns:
        routes.match(pattern)
    assert routes._pending == []
    placeholders = [edge for edge in edges(routes._engine._routes.root) if "{" in edge.pattern]
    assert len(placeholders) >= len(PATTERNS) / 2
    assert [edge.pattern for edge in placeholders if edge.prefix] == []
