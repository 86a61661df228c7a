"""Results as Markdown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from .echoes import CONNECTIONS, SIZE
from .endpoints import ENDPOINTS
from .load import Figures
from .results import Results, ratios
from .servers import ROLL

__all__ = ["markdown"]


def markdown(results: Results, picture: str) -> str:
    """The whole report; `picture` is the name of the file that shows it."""
    parts = ["# Benchmarks", "", f"![CPU time per request]({picture})", ""]
    parts += [f"- {name}: {value}" for name, value in results.machine.items()]
    parts += [f"- versions: {_listed(results.versions)}"]
    parts += [f"- with Roll 0.13.4: {_listed(results.old_versions)}"]
    parts += _targets(results) + _endpoints(results) + _large(results)
    parts += _echoes(results) + _small(results)
    return "\n".join(parts) + "\n"


def _listed(found: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {number}" for name, number in found.items())


def _targets(results: Results) -> list[str]:
    rows = [
        [one.what, f"{one.value:.2f}", f"{one.bound} {one.target:g}", _yes(one.reached), one.note]
        for one in ratios(results)
    ]
    return _section("Targets", ["", "found", "target", "reached", ""], rows)


def _yes(reached: bool) -> str:
    return "yes" if reached else "**no**"


def _known(milliseconds: float) -> str:
    return f"{milliseconds:.2f}" if milliseconds else "?"


FIGURES: dict[str, tuple[str, Callable[[Any], str]]] = {
    "CPU per request (µs)": ("The server's, user and system.", lambda one: f"{one.cpu:.2f}"),
    "Requests per second": (
        "One core each for the server and wrk.",
        lambda one: f"{one.rate:,.0f}",
    ),
    "Latency (ms)": (
        "Median / 99th percentile; wrk gives none of some servers that it sends many at once.",
        lambda one: f"{_known(one.p50)} / {_known(one.p99)}",
    ),
    "Resident memory (MiB)": ("After the load.", lambda one: f"{one.rss:.0f}"),
}


def _endpoints(results: Results) -> list[str]:
    if not results.endpoints:
        return []
    names = list(results.endpoints)
    lines = ["", "## Endpoints", ""]
    lines += [f"- {name}: {ENDPOINTS[name].says}" for name in names]
    for title, (note, shown) in FIGURES.items():
        lines += _section(title, ["", *names], _rows(results.endpoints, shown), level=3, note=note)
    lines += _section(
        "CPU per request in the cheapest round (µs)",
        ["", *names],
        _rows({name: results.rounds[name] for name in names}, _least),
        level=3,
        note="What else the machine does can only add to it: the steadier figure on a busy one.",
    )
    lines += [""] if results.wrong else []
    return lines + [
        f"{server} is not measured where it answers wrongly: {', '.join(wrong)}."
        for server, wrong in results.wrong.items()
    ]


def _least(rounds: Sequence[Figures]) -> str:
    return f"{min(one.cpu for one in rounds):.2f}"


def _large(results: Results) -> list[str]:
    if not results.large:
        return []
    header = ["", *results.large]
    note = "Bodies of 64 MiB, one transfer at a time: the server's CPU, MiB per second, peak MiB."
    return _section(
        "Large bodies (ms of CPU / MiB per second / peak MiB)",
        header,
        _rows(results.large, lambda one: f"{one.cpu:.1f} / {one.rate:,.0f} / {one.peak:.0f}"),
        note=note,
    )


def _echoes(results: Results) -> list[str]:
    if not results.echoes:
        return []
    ours = results.echoes.get(ROLL, 0)
    rows = [
        [name, f"{value:.2f}", f"{value / ours:.2f}" if ours else ""]
        for name, value in results.echoes.items()
    ]
    note = f"Texts of {SIZE} bytes, on {CONNECTIONS} connections that each await their echo."
    return _section(
        "WebSocket echo", ["", "µs of CPU per message", "times Roll's"], rows, note=note
    )


def _small(results: Results) -> list[str]:
    idle = [[name, f"{value:.2f}"] for name, value in results.idle.items()]
    imports = [[name, f"{value:.1f}"] for name, value in results.imports.items()]
    lines = _section("Memory of an idle keep-alive connection", ["", "KiB"], idle) if idle else []
    return lines + (_section("Import", ["", "ms of CPU"], imports) if imports else [])


def _rows(found: Mapping[str, Mapping[str, Any]], shown: Callable[[Any], str]) -> list[list[str]]:
    servers = list(dict.fromkeys(name for column in found.values() for name in column))
    return [
        [server, *(shown(column[server]) if server in column else "" for column in found.values())]
        for server in servers
    ]


def _section(
    title: str, header: list[str], rows: Iterable[list[str]], *, level: int = 2, note: str = ""
) -> list[str]:
    table = [header, ["---", *["---:"] * (len(header) - 1)], *rows]
    lines = [f"| {' | '.join(row)} |" for row in table]
    return ["", f"{'#' * level} {title}", "", *([note, ""] if note else []), *lines]
