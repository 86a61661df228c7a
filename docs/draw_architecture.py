"""Draw `architecture.svg` from the imports of the packages: files as boxes, imports as lines.

    python docs/draw_architecture.py

A box stands above all that it imports. Of the lines, those are left out that others imply: where
a imports b and c, and b imports c, there is a line from a to b and one from b to c.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
PICTURE = Path(__file__).with_name("architecture.svg")
PACKAGES = ["roll", "roll-http", "roll-websocket", "roll-multipart", "roll-routing"]

# Sizes in pixels.
WIDTH = 1160
MARGIN = 12
BOX_HEIGHT = 22
BOX_GAP = 14
FLOOR_HEIGHT = 52
TITLE_HEIGHT = 34
LETTER = 7.2

COLOURS = ["#dbe9f6", "#e3f1dc", "#fbe8d3", "#efe3f5", "#f8dede"]

Graph = dict[str, set[str]]


def modules(package: str) -> dict[str, Path]:
    """Return the files of a package by their dotted names, without that of the package."""
    top = ROOT / "packages" / package / "src" / package.replace("-", "_")
    return {dotted(path.relative_to(top)): path for path in sorted(top.rglob("*.py"))}


def dotted(path: Path) -> str:
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(package: str) -> Graph:
    """Return, for each file of a package, the files that it imports, type-only imports included.

    What gathers the names of a folder, `__init__.py`, is left out.
    """
    files = modules(package)
    return {
        name: {target for target in imported(name, path, files) if target != name}
        for name, path in files.items()
        if path.name != "__init__.py"
    }


def imported(name: str, path: Path, files: dict[str, Path]) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.level:
            parent = name.split(".")[: -node.level]
            module = ".".join([*parent, *(node.module or "").split(".")]).strip(".")
            for alias in node.names:
                below = f"{module}.{alias.name}".strip(".")
                target = below if below in files else module
                if files[target].name != "__init__.py":
                    yield target


def floors(graph: Graph) -> dict[str, int]:
    """Return the floor of each file: 0 for one that imports nothing, else above what it imports.

    Raises:
        ValueError: files import each other in a circle.
    """
    found: dict[str, int] = {}
    while len(found) < len(graph):
        ready = [name for name in graph if name not in found and graph[name] <= found.keys()]
        if not ready:
            raise ValueError(f"These import each other: {sorted(graph.keys() - found.keys())}")
        found |= {name: max((found[t] + 1 for t in graph[name]), default=0) for name in ready}
    return found


def implied(graph: Graph, name: str, target: str) -> bool:
    """Tell whether another file that `name` imports leads to `target`."""
    return any(other != target and reaches(graph, other, target) for other in graph[name])


def reaches(graph: Graph, start: str, target: str) -> bool:
    return target in graph[start] or any(reaches(graph, n, target) for n in graph[start])


def escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")


class Panel:
    """The boxes of one package."""

    def __init__(self, package: str, top: int) -> None:
        self.package = package
        self.graph = imports(package)
        self.top = top
        self.folders = sorted({name.rpartition(".")[0] for name in self.graph})
        self.rows = self._rows()
        self.height = TITLE_HEIGHT + FLOOR_HEIGHT * len(self.rows)
        self.boxes = self._boxes()

    def _rows(self) -> list[list[str]]:
        """Return the files row by row, the highest floor first; a full row goes on in another."""
        levels = floors(self.graph)
        rows: list[list[str]] = []
        for floor in range(max(levels.values()), -1, -1):
            names = [name for name in sorted(self.graph) if levels[name] == floor]
            rows.append([])
            for name in names:
                if self._width([*rows[-1], name]) > WIDTH - 4 * MARGIN:
                    rows.append([])
                rows[-1].append(name)
        return rows

    def _width(self, names: list[str]) -> float:
        return sum(width(name) + BOX_GAP for name in names) - BOX_GAP

    def _boxes(self) -> dict[str, tuple[float, float]]:
        """Return the upper left corner of each box."""
        boxes = {}
        for number, row in enumerate(self.rows):
            x = (WIDTH - self._width(row)) / 2
            for name in row:
                boxes[name] = (x, self.top + TITLE_HEIGHT + FLOOR_HEIGHT * number)
                x += width(name) + BOX_GAP
        return boxes

    def draw(self) -> Iterator[str]:
        yield (
            f'<rect x="{MARGIN}" y="{self.top}" width="{WIDTH - 2 * MARGIN}"'
            f' height="{self.height}" fill="#fafafa" stroke="#bbb"/>'
        )
        place = f'x="{2 * MARGIN}" y="{self.top + 21}"'
        yield f'<text {place} font-weight="bold">{self.package}</text>'
        for name, targets in self.graph.items():
            for target in sorted(targets):
                if not implied(self.graph, name, target):
                    yield self._line(name, target)
        for name, (x, y) in self.boxes.items():
            colour = COLOURS[self.folders.index(name.rpartition(".")[0]) % len(COLOURS)]
            yield (
                f'<rect x="{x:.0f}" y="{y:.0f}" width="{width(name):.0f}" height="{BOX_HEIGHT}"'
                f' rx="4" fill="{colour}" stroke="#777"/>'
            )
            yield f'<text x="{x + 7:.0f}" y="{y + 15:.0f}">{escape(name)}</text>'

    def _line(self, name: str, target: str) -> str:
        x1, y1 = self.boxes[name]
        x2, y2 = self.boxes[target]
        return (
            f'<line x1="{x1 + width(name) / 2:.0f}" y1="{y1 + BOX_HEIGHT:.0f}"'
            f' x2="{x2 + width(target) / 2:.0f}" y2="{y2:.0f}" stroke="#999"/>'
        )


def width(name: str) -> float:
    return len(name) * LETTER + 14


def picture() -> str:
    """Return the SVG."""
    top, body = MARGIN, []
    for package in PACKAGES:
        panel = Panel(package, top)
        body += panel.draw()
        top += panel.height + MARGIN
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {top}"'
        ' font-family="monospace" font-size="12">'
    )
    return "\n".join(
        [head, f'<rect width="{WIDTH}" height="{top}" fill="white"/>', *body, "</svg>", ""]
    )


if __name__ == "__main__":
    PICTURE.write_text(picture())
