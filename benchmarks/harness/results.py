"""The figures of a run, and what they say of the targets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from .imports import PARTS
from .large import Transfer
from .load import Figures
from .servers import FLOOR, OLD, PURE, ROLL

__all__ = ["Ratio", "Results", "ratios"]

AT_LEAST, AT_MOST = "at least", "at most"

# What Roll may cost as a multiple of the floor; how many times as much Roll 0.13.4 should cost.
TARGETS = {
    "plain": (1.35, 2.6),
    "browser": (1.35, 2.3),
    "json": (1.6, 2.3),
    "echo": (1.6, 3),
    "varied": (1.3, 2.4),
    "placeholder": (2, 1.8),
    "cookie": (2, 1.8),
    "query": (2, 2.1),
    "form": (2, 2.1),
    "all": (2.4, 2.8),
    "sleep": (2.2, 1.5),
    "404": (1.8, 1.8),
    "pipelined": (2.6, 4.8),
}
ASYNCIO = ", asyncio"


@dataclass(slots=True)
class Results:
    """Medians by server; and every round, for who wants to know how steady they are."""

    machine: dict[str, str]
    versions: dict[str, str]
    old_versions: dict[str, str]
    wrong: dict[str, list[str]] = field(default_factory=dict)
    """The endpoints that a server answers wrongly, which are not measured."""
    endpoints: dict[str, dict[str, Figures]] = field(default_factory=dict)
    large: dict[str, dict[str, Transfer]] = field(default_factory=dict)
    echoes: dict[str, float] = field(default_factory=dict)
    """Microseconds of CPU per message."""
    idle: dict[str, float] = field(default_factory=dict)
    """KiB per connection."""
    imports: dict[str, float] = field(default_factory=dict)
    """Milliseconds."""
    rounds: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Everything, and the ratios."""
        return asdict(self) | {"ratios": [asdict(ratio) for ratio in ratios(self)]}


@dataclass(frozen=True, slots=True)
class Ratio:
    """One line of the table of targets."""

    what: str
    value: float
    bound: str
    target: float
    note: str = ""

    @property
    def reached(self) -> bool:
        """The target is met."""
        return self.value >= self.target if self.bound == AT_LEAST else self.value <= self.target


def ratios(results: Results) -> Iterator[Ratio]:
    """What is known of the targets."""
    for name, figures in results.endpoints.items():
        if ROLL in figures:
            yield from _of_endpoint(name, {key: one.cpu for key, one in figures.items()})
    for name, transfers in results.large.items():
        yield from _of_transfer(name, {key: one.cpu for key, one in transfers.items()})
    if ROLL in results.idle:
        yield Ratio("idle connection: KiB", results.idle[ROLL], AT_MOST, 3.5)
    if results.imports:
        value = results.imports[ROLL] / results.imports[PARTS]
        yield Ratio("import: CPU against its parts", value, AT_MOST, 1.25)


def _of_endpoint(name: str, cpu: Mapping[str, float]) -> Iterator[Ratio]:
    ours = cpu[ROLL]
    of_floor, of_old = TARGETS[name]
    if FLOOR in cpu:
        yield Ratio(f"{name}: CPU against the floor", ours / cpu[FLOOR], AT_MOST, of_floor)
    peers = {key: value for key, value in cpu.items() if key not in {FLOOR, ROLL, PURE, OLD}}
    if peers:
        cheapest = min(peers, key=peers.__getitem__)
        value = peers[cheapest] / ours
        yield Ratio(f"{name}: times cheaper than the best peer", value, AT_LEAST, 1, cheapest)
    if OLD in cpu:
        yield Ratio(f"{name}: times cheaper than {OLD}", cpu[OLD] / ours, AT_LEAST, of_old)


def _of_transfer(name: str, cpu: Mapping[str, float]) -> Iterator[Ratio]:
    for loop in ("", ASYNCIO):
        if ROLL + loop in cpu and FLOOR + loop in cpu:
            what = f"{name}{loop or ', uvloop'}: CPU against the floor"
            yield Ratio(what, cpu[ROLL + loop] / cpu[FLOOR + loop], AT_MOST, 1.2)
