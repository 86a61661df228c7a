"""The structure of the modules: few, in few layers, and without circles."""

import ast
from functools import cache
from pathlib import Path

import roll_routing

FOLDER = Path(roll_routing.__file__).parent
MODULES = {path.stem for path in FOLDER.glob("*.py")}


@cache
def imported_by(module: str) -> set[str]:
    """The sisters that a module imports, for types alone included."""
    tree = ast.parse((FOLDER / f"{module}.py").read_text())
    froms = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.level]
    names = {node.module or alias.name for node in froms for alias in node.names}
    assert names <= MODULES
    return names


def depth(module: str, above: tuple[str, ...] = ()) -> int:
    """How many layers a module stands on, its own included."""
    assert module not in above, f"a circle: {above}"
    below = imported_by(module)
    return 1 + max((depth(other, (*above, module)) for other in below), default=0)


def test_no_module_imports_another_in_a_circle() -> None:
    assert depth("__init__") > 1


def test_nine_modules_stand_in_six_layers() -> None:
    assert len(MODULES) <= 9
    assert max(map(depth, MODULES)) <= 6


def test_a_module_has_less_than_300_lines() -> None:
    lines = {path.name: len(path.read_text().splitlines()) for path in FOLDER.glob("*.py")}
    assert {name: count for name, count in lines.items() if count > 300} == {}
