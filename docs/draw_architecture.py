"""Draw `architecture.svg` from the imports of the packages: files as boxes, imports as lines.

    python docs/draw_architecture.py

A box stands above all boxes that it imports; its colour tells its folder. Implied lines are left
out: where a imports b and c, and b imports c, there is a line from a to b and one from b to c.
A folder of `roll`, which has more files than a page can show, is one box.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import pairwise
from math import fsum
from pathlib import Path

ROOT = Path(__file__).parents[1]
PICTURE = Path(__file__).with_name("architecture.svg")
PACKAGES = ["roll", "roll-http", "roll-websocket", "roll-multipart", "roll-routing"]

# Of these packages, each folder is one box.
FOLDED = {"roll"}

# Sizes in pixels.
WIDTH = 1160
MARGIN = 12
BOX_HEIGHT = 22
BOX_GAP = 14
FLOOR_HEIGHT = 56
TITLE_HEIGHT = 44
LETTER = 7.2

COLOURS = ["#dbe9f6", "#e3f1dc", "#fbe8d3", "#efe3f5", "#f8dede"]

# How often the boxes of each floor are sorted, and moved, to stand near their neighbours.
SWEEPS = 24

Graph = dict[str, set[str]]


def modules(package: str) -> dict[str, Path]:
    """Return the files of a package by their dotted names, without the name of the package."""
    top = ROOT / "packages" / package / "src" / package.replace("-", "_")
    return {dotted(path.relative_to(top)): path for path in sorted(top.rglob("*.py"))}


def dotted(path: Path) -> str:
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(package: str) -> Graph:
    """Return, for each file of a package, the files that it imports, type-only imports included.

    `__init__.py`, which only gathers the names of a folder, is left out.
    """
    files = modules(package)
    return {
        name: {target for target in imported(package, name, files) if target != name}
        for name, path in files.items()
        if path.name != "__init__.py"
    }


def drawn(package: str) -> Graph:
    """Return what is drawn of `imports`: files, and the folders that stand for theirs."""
    graph = imports(package)
    if package not in FOLDED:
        return graph
    folded: Graph = {}
    for name, targets in graph.items():
        folded.setdefault(folder_of(name), set()).update(map(folder_of, targets))
    return {name: targets - {name} for name, targets in folded.items()}


def folder_of(name: str) -> str:
    first, dot, _ = name.partition(".")
    return first + "/" if dot else first


def imported(package: str, name: str, files: dict[str, Path]) -> Iterator[str]:
    for node in ast.walk(ast.parse(files[name].read_text())):
        if isinstance(node, ast.ImportFrom):
            base = base_of(node, package.replace("-", "_"), name)
            for alias in node.names if base is not None else ():
                below = f"{base}.{alias.name}".strip(".")
                target = below if below in files else base
                if target in files and files[target].name != "__init__.py":
                    yield target


def base_of(node: ast.ImportFrom, top: str, name: str) -> str | None:
    """Return the module that `from ... import` names, within the package; None for another's."""
    if node.level:
        parent = name.split(".")[: -node.level]
        return ".".join([*parent, *filter(None, [node.module])])
    first, _, others = (node.module or "").partition(".")
    return others if first == top else None


def floors(graph: Graph) -> dict[str, int]:
    """Return the floor of each file: above all files that it imports, and near its importers.

    Raises:
        ValueError: files import each other in a circle.
    """
    lowest: dict[str, int] = {}
    while len(lowest) < len(graph):
        ready = [name for name in graph if name not in lowest and graph[name] <= lowest.keys()]
        if not ready:
            raise ValueError(f"These import each other: {sorted(graph.keys() - lowest.keys())}")
        lowest |= {name: max((lowest[t] + 1 for t in graph[name]), default=0) for name in ready}
    found: dict[str, int] = {}
    for name in sorted(graph, key=lambda name: -lowest[name]):
        above = [found[other] for other in graph if name in graph[other]]
        found[name] = min(above) - 1 if above else lowest[name]
    return found


def without_implied(graph: Graph) -> Graph:
    """Leave out the imports that another import leads to."""
    return {
        name: {t for t in targets if not any(reaches(graph, o, t) for o in targets - {t})}
        for name, targets in graph.items()
    }


def reaches(graph: Graph, start: str, target: str) -> bool:
    return target in graph[start] or any(reaches(graph, n, target) for n in graph[start])


def width(name: str) -> float:
    """Return the width of a box; the place where a line passes a floor has none."""
    return 0 if name.startswith("|") else len(label(name)) * LETTER + 14


def label(name: str) -> str:
    return name.rpartition(".")[2]


def text(x: float, y: float, words: str, weight: str = "normal") -> str:
    return f'<text x="{x:.0f}" y="{y:.0f}" font-weight="{weight}">{words}</text>'


def box(x: float, y: float, words: str, colour: str) -> str:
    wide = len(words) * LETTER + 14
    rect = f'<rect x="{x:.0f}" y="{y:.0f}" width="{wide:.0f}" height="{BOX_HEIGHT}" rx="4"'
    return f'{rect} fill="{colour}" stroke="#777"/>{text(x + 7, y + 15, words)}'


class Panel:
    """The boxes of one package, floor by floor, and the lines between them.

    A line that passes a floor has a place there like a box, so that it never runs behind one.
    """

    def __init__(self, package: str, top: float) -> None:
        self.package = package
        self.graph = without_implied(drawn(package))
        self.folders = sorted({name.rpartition(".")[0] for name in self.graph})
        self.levels = floors(drawn(package))
        self.up: Graph = {}
        self.down: Graph = {}
        self.lines = [self._line(a, b) for a in sorted(self.graph) for b in sorted(self.graph[a])]
        self.floors = self._floors()
        self.middles: dict[str, float] = {}
        self._arrange()
        self.top = top
        self.height = TITLE_HEIGHT + FLOOR_HEIGHT * len(self.floors)

    def _line(self, name: str, target: str) -> list[str]:
        """Return the stops of a line, and note which stands above which."""
        between = range(self.levels[name] - 1, self.levels[target], -1)
        places = {f"|{name}>{target}|{level}": level for level in between}
        self.levels |= places
        stops = [name, *places, target]
        for above, below in pairwise(stops):
            self.down.setdefault(above, set()).add(below)
            self.up.setdefault(below, set()).add(above)
        return stops

    def _floors(self) -> list[list[str]]:
        """Return what stands on each floor, the highest floor first."""
        levels = sorted(set(self.levels.values()), reverse=True)
        return [sorted(n for n, at in self.levels.items() if at == level) for level in levels]

    def _arrange(self) -> None:
        for floor in self.floors:
            self._spread(floor, {})
        for sweep in range(SWEEPS):
            downwards = sweep % 2 == 0
            near = self.up if downwards else self.down
            for floor in self.floors if downwards else reversed(self.floors):
                wanted = {name: self._mean(name, near) for name in floor}
                floor.sort(key=lambda name: (wanted[name], name))
                self._spread(floor, wanted)

    def _mean(self, name: str, near: Graph) -> float:
        """Return the middle of the neighbours on one side, or its own without any."""
        found = [self.middles[other] for other in near.get(name, {name})]
        return fsum(found) / len(found)  # `sum` depends on the order, and on the Python

    def _spread(self, floor: list[str], wanted: dict[str, float]) -> None:
        """Put each box near the place it wants, in order, without overlap, within the picture."""
        places = {name: wanted.get(name, WIDTH / 2) for name in floor}
        pushed = self._push(places, -WIDTH)
        # What overlaps was pushed to the right: move all back to the left by the mean of that.
        shift = fsum(pushed[name] - places[name] for name in floor) / len(floor)
        places = self._push({name: x - shift for name, x in pushed.items()}, 2 * MARGIN)
        mirrored = {name: WIDTH - places[name] for name in reversed(floor)}
        places = {name: WIDTH - x for name, x in self._push(mirrored, 2 * MARGIN).items()}
        if places[floor[0]] < width(floor[0]) / 2:
            raise ValueError(f"A floor of {self.package} is wider than the picture: {floor}")
        self.middles |= places

    def _push(self, places: dict[str, float], left: float) -> dict[str, float]:
        """Move boxes to the right as far as they would overlap, or be left of `left`."""
        pushed = {}
        for name, x in places.items():
            half = width(name) / 2
            pushed[name] = max(x, left + half)
            left = pushed[name] + half + BOX_GAP
        return pushed

    def draw(self) -> Iterator[str]:
        yield (
            f'<rect x="{MARGIN}" y="{self.top}" width="{WIDTH - 2 * MARGIN}"'
            f' height="{self.height}" fill="#fafafa" stroke="#bbb"/>'
        )
        yield from self._title()
        for stops in self.lines:
            yield f'<path d="{self._path(stops)}" fill="none" stroke="#999"/>'
        for name in self.graph:
            x = self.middles[name] - width(name) / 2
            yield box(x, self._height_of(name), label(name), self._colour(name))

    def _title(self) -> Iterator[str]:
        """Write the name of the package, and the folders in their colours."""
        x = 2.0 * MARGIN
        yield text(x, self.top + 21, self.package, "bold")
        x += (len(self.package) + 2) * LETTER
        for folder in filter(None, self.folders):
            words = f"{folder}/"
            yield box(x, self.top + 6, words, self._colour(f"{folder}."))
            x += len(words) * LETTER + 14 + BOX_GAP

    def _colour(self, name: str) -> str:
        return COLOURS[self.folders.index(name.rpartition(".")[0]) % len(COLOURS)]

    def _height_of(self, name: str) -> float:
        number = next(at for at, floor in enumerate(self.floors) if name in floor)
        return self.top + TITLE_HEIGHT + FLOOR_HEIGHT * number

    def _path(self, stops: list[str]) -> str:
        """Return a line from the bottom of a box to the top of another, by its stops."""
        path = ""
        for above, below in pairwise(stops):
            x1, y1 = self.middles[above], self._height_of(above) + BOX_HEIGHT
            x2, y2 = self.middles[below], self._height_of(below)
            path += f"{'L' if path else 'M'}{x1:.0f} {y1:.0f}"
            bend = (y1 + y2) / 2
            path += f"C{x1:.0f} {bend:.0f} {x2:.0f} {bend:.0f} {x2:.0f} {y2:.0f}"
        return path


def picture() -> str:
    """Return the SVG."""
    body: list[str] = []
    top = MARGIN
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
