"""Draw the picture of the first page: what a request costs each server, as SVG.

`publish.py` writes it. It reads in light and in dark, and needs no library.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from harness.servers import FLOOR, OLD, PURE, ROLL

# The endpoints that are shown, each with its title.
SHOWN = {
    "plain": "The smallest response: 13 bytes of text",
    "all": "A placeholder, a query, cookies, and a JSON response",
}

# Sizes in pixels.
WIDTH = 720
NAMES = 170
FIGURES = 60
ROW = 22
BAR = 14
TITLE = 44
MARGIN = 16

STYLE = """
text { font: 13px system-ui, sans-serif; fill: #24292f }
.title { font-size: 15px; font-weight: 600 }
.card { fill: #ffffff; stroke: #d0d7de }
.other { fill: #8c959f }
.old { fill: #54aeff }
.roll { fill: #0969da }
.floor { fill: #d0d7de }
.name-roll { font-weight: 700 }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 }
  .card { fill: #161b22; stroke: #30363d }
  .other { fill: #6e7681 }
  .old { fill: #1f6feb }
  .roll { fill: #58a6ff }
  .floor { fill: #30363d }
}
"""
KINDS = {ROLL: "roll", PURE: "old", OLD: "old", FLOOR: "floor"}
LABELS = {
    ROLL: "Roll",
    PURE: "Roll, pure Python",
    OLD: "Roll 0.13.4",
    FLOOR: "the least possible",
}


def draw(run: Any) -> str:
    """Return the SVG of a run."""
    top, body = MARGIN, []
    for endpoint, title in SHOWN.items():
        costs = {server: one["cpu"] for server, one in run["endpoints"][endpoint].items()}
        body += panel(title, costs, top)
        top += TITLE + ROW * len(costs)
    height = top + MARGIN
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}"'
        f' viewBox="0 0 {WIDTH} {height}" role="img" aria-labelledby="title">'
    )
    title = '<title id="title">CPU time of a request, in microseconds: less is better</title>'
    card = f'<rect class="card" x="0.5" y="0.5" width="{WIDTH - 1}" height="{height - 1}" rx="8"/>'
    return "\n".join([head, title, f"<style>{STYLE}</style>", card, *body, "</svg>", ""])


def panel(title: str, costs: Mapping[str, float], top: int) -> Iterator[str]:
    """Yield the bars of an endpoint, the cheapest first."""
    yield text(MARGIN, top + 18, f"{title}: µs of CPU, less is better", "title")
    scale = (WIDTH - NAMES - FIGURES - 2 * MARGIN) / max(costs.values())
    for row, (server, cost) in enumerate(sorted(costs.items(), key=lambda item: item[1])):
        y = top + TITLE - 12 + row * ROW
        kind = KINDS.get(server, "other")
        left, size = MARGIN + NAMES, cost * scale
        yield text(MARGIN, y + 12, LABELS.get(server, server), f"name-{kind}")
        yield f'<rect class="{kind}" x="{left}" y="{y}" width="{size:.1f}" height="{BAR}" rx="2"/>'
        yield text(left + size + 6, y + 12, f"{cost:.1f}", f"name-{kind}")


def text(x: float, y: int, words: str, kind: str) -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y}">{words}</text>'
