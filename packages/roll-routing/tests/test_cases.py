"""The tables of data/cases.toml: the expected results of a router."""

import tomllib
from itertools import islice, permutations
from pathlib import Path
from typing import Any

import pytest

from roll_routing import Routes

pytestmark = pytest.mark.usefixtures("either")

CASES = tomllib.loads((Path(__file__).parent / "data" / "cases.toml").read_text())["case"]


def orders(case: dict[str, Any]) -> list[tuple[str, ...]]:
    routes = case["routes"]
    if case.get("ordered"):
        return [tuple(routes)]
    return [*islice(permutations(routes), 24), tuple(reversed(routes))]


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_answers_are_right_in_every_order_of_registration(case: dict[str, Any]) -> None:
    for order in orders(case):
        routes = Routes()
        for path in order:
            routes.add(path, route=path)
        # The last pass meets what the others have taught and proven.
        for path, expected in [*case["paths"].items()] * 3:
            payload, values = routes.match(path)
            answer = (payload, values) if payload is None else (payload["route"], values)
            known = (expected["route"], expected.get("vars", {})) if expected else (None, None)
            assert answer == known, (order, path)
