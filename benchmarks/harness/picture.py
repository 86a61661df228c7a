"""Results as a picture: one panel per endpoint, one bar per server."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .endpoints import ENDPOINTS
from .results import Results
from .servers import FLOOR, OLD, ROLL

__all__ = ["draw"]

COLUMNS = 3
COLOURS = {ROLL: "#c2410c", OLD: "#fdba74", FLOOR: "#94a3b8"}
PEER = "#475569"


def draw(results: Results, path: Path) -> None:
    """Write an SVG of the CPU time per request, and per WebSocket message."""
    import matplotlib as mpl  # slow to import, and not needed before

    mpl.use("svg")
    mpl.rcParams |= {"font.size": 8, "svg.fonttype": "none", "svg.hashsalt": "roll"}
    from matplotlib.figure import Figure

    panels = {
        f"{name}: {ENDPOINTS[name].says}": {server: one.cpu for server, one in found.items()}
        for name, found in results.endpoints.items()
    }
    if results.echoes:
        panels["a WebSocket message, echoed"] = results.echoes
    rows = math.ceil(len(panels) / COLUMNS)
    figure = Figure(figsize=(4 * COLUMNS, 0.6 + 2.3 * rows), layout="constrained")
    axes = figure.subplots(rows, COLUMNS, squeeze=False).flat
    for title, found in panels.items():
        _panel(next(axes), title, found)
    for empty in axes:
        empty.set_axis_off()
    figure.suptitle(
        f"µs of CPU per request, less is better\n{results.machine['processor']}, "
        f"{results.machine['python'].partition(' (')[0]}, uvloop"
    )
    figure.savefig(path, metadata={"Date": None})


def _panel(axes: Any, title: str, found: Mapping[str, float]) -> None:
    ranked = sorted(found, key=lambda server: -found[server])
    values = [found[server] for server in ranked]
    bars = axes.barh(ranked, values, color=[COLOURS.get(server, PEER) for server in ranked])
    axes.bar_label(bars, [f"{value:.1f}" for value in values], padding=2)
    axes.set_title(title)
    axes.margins(x=0.12)
    axes.spines[["top", "right", "bottom"]].set_visible(False)
    axes.xaxis.set_visible(False)
    axes.tick_params(left=False)
