"""Draw `life-of-a-request.svg`: python docs/draw_request.py.

Boxes on the left are what Roll does, boxes on the right are what an application adds.
"""

from collections.abc import Iterator
from pathlib import Path

PICTURE = Path(__file__).with_name("life-of-a-request.svg")

# What Roll does, with what of the application is called there.
STEPS = [
    ("The head arrives", "", "malformed: 400"),
    ("The route is looked up", "lookup, the router", ""),
    ("Event: headers", "listeners of headers", "truthy: to response"),
    ("Method and placeholders", "", "404, 405: to error"),
    ("The body is loaded", "", "too large: 413"),
    ("Event: request", "listeners of request", "truthy: to response"),
    ("The handler", "your handler", "exception: to error"),
    ("Event: error", "listeners of error", "only after an exception"),
    ("Event: response", "listeners of response", ""),
    ("Conditions, compression", "", "304, 206"),
    ("Head and body are sent", "generators", "as fast as the client reads"),
    ("Event: answered", "listeners, response.after", ""),
]

# Sizes in pixels.
WIDTH = 720
MARGIN = 16
ROW = 44
BOX = 30
LEFT, MIDDLE, RIGHT = 16, 280, 520

STYLE = """
text { font: 13px system-ui, sans-serif; fill: #24292f }
.card { fill: #ffffff; stroke: #d0d7de }
.roll { fill: #ddf4ff; stroke: #54aeff }
.yours { fill: #dafbe1; stroke: #4ac26b }
.line { stroke: #8c959f; stroke-width: 1.5; fill: none }
.note { fill: #57606a; font-style: italic }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 }
  .card { fill: #161b22; stroke: #30363d }
  .roll { fill: #0c2d6b; stroke: #388bfd }
  .yours { fill: #033a16; stroke: #2ea043 }
  .line { stroke: #8b949e }
  .note { fill: #9da7b3 }
}
"""


def picture() -> str:
    """Return the SVG."""
    height = 2 * MARGIN + ROW * len(STEPS)
    size = f'width="{WIDTH}" height="{height}"'
    body = [line for number, step in enumerate(STEPS) for line in row(number, *step)]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" {size}'
            f' viewBox="0 0 {WIDTH} {height}" role="img" aria-labelledby="title">',
            '<title id="title">The life of a request, from its head to the event answered</title>',
            f"<style>{STYLE}</style>",
            f'<rect class="card" {size} rx="8"/>',
            *body,
            "</svg>",
            "",
        ]
    )


def row(number: int, roll: str, yours: str, note: str) -> Iterator[str]:
    y = MARGIN + number * ROW
    if number:
        yield f'<path class="line" d="M{LEFT + 110} {y - ROW + BOX} V{y}"/>'
    yield from box(LEFT, y, 220, roll, "roll")
    if yours:
        yield f'<path class="line" d="M{LEFT + 220} {y + BOX / 2} H{MIDDLE}"/>'
        yield from box(MIDDLE, y, 210, yours, "yours")
    if note:
        x = RIGHT if yours else MIDDLE
        yield f'<text class="note" x="{x}" y="{y + 20}">{note}</text>'


def box(x: int, y: int, width: int, words: str, kind: str) -> Iterator[str]:
    yield f'<rect class="{kind}" x="{x}" y="{y}" width="{width}" height="{BOX}" rx="6"/>'
    yield f'<text x="{x + 10}" y="{y + 20}">{words}</text>'


if __name__ == "__main__":
    PICTURE.write_text(picture())
