"""Write the API page of a package from its docstrings: python docs/make_api.py roll-routing [...].

The page lists what `__all__` of the package names, and goes to packages/<name>/API.md. Signatures
are those of the source, so that each version of Python makes the same page.
"""

import ast
import importlib
import inspect
import re
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PACKAGES = Path(__file__).parents[1] / "packages"
# Modules that have public names beside those of their package.
MODULES = {"roll": ["roll.extensions", "roll.testing"]}
Function = ast.FunctionDef | ast.AsyncFunctionDef


def page(package: str) -> str:
    """Return the page of a package, by the name of its folder."""
    module = importlib.import_module(package.replace("-", "_"))
    lines = [f"# API of {package}", "", "Made of the docstrings by `docs/make_api.py`.", ""]
    for name in module.__all__:
        lines += described(name, getattr(module, name))
    for name in MODULES.get(package, ()):
        lines += more_names(name, module)
    text = "\n".join(lines).rstrip() + "\n"
    return re.sub(r"(?m)^(- `.*`)\n\n(?=- `)", r"\1\n", text)


# Folders whose methods are for the package alone.
INTERNAL = {"_core", "connection"}


def more_names(name: str, package: Any) -> Iterator[str]:
    """Describe the names of a module that the package does not have."""
    module = importlib.import_module(name)
    yield from [f"Of `{name}`:", ""]
    for member in module.__all__:
        if member not in package.__all__:
            yield from described(member, getattr(module, member))


def described(name: str, value: Any) -> Iterator[str]:
    if not (inspect.isclass(value) or inspect.isfunction(value)):
        yield from [f"## `{name}`", "", f"`{type(value).__name__}`", ""]
        return
    (node,) = ast.parse(textwrap.dedent(inspect.getsource(value))).body
    if isinstance(node, ast.ClassDef) and isinstance(value, type):
        yield from class_lines(node, list(hidden_bases(value)))
    elif isinstance(node, Function):
        yield from function_lines(node, "##", name)


def hidden_bases(value: type) -> Iterator[ast.ClassDef]:
    """Yield the bases that the package does not export: their members are the class's own."""
    package = importlib.import_module(value.__module__.partition(".")[0])
    for base in value.__mro__[1:]:
        ours = base.__module__.partition(".")[0] == package.__name__
        if ours and base.__name__ not in package.__all__:
            (node,) = ast.parse(textwrap.dedent(inspect.getsource(in_python(base)))).body
            assert isinstance(node, ast.ClassDef)
            if not INTERNAL.isdisjoint(base.__module__.split(".")):
                node.body = [each for each in node.body if not isinstance(each, Function)]
            yield node


def in_python(base: type) -> type:
    """Return the class of the same name that says in Python what a native one is."""
    if not base.__module__.endswith("._core.native"):
        return base
    bases = importlib.import_module(base.__module__.replace(".native", ".bases"))
    return getattr(bases, base.__name__)


def class_lines(node: ast.ClassDef, hidden: list[ast.ClassDef]) -> Iterator[str]:
    bases = ", ".join(ast.unparse(base) for base in node.bases)
    yield from [f"## `class {node.name}{f'({bases})' if bases else ''}`", ""]
    yield from text_of(ast.get_docstring(node))
    for member in node.body:
        if isinstance(member, Function) and member.name == "__init__" and member.args.args[1:]:
            yield from [f"`{node.name}({arguments_of(member, '')})`", ""]
    seen: set[str] = set()
    for owner in [node, *hidden]:
        yield from attributes_of(owner, seen)
    for member in methods_of([node, *hidden]):
        yield from function_lines(member, "###", f"{node.name}.{member.name}")


def methods_of(owners: list[ast.ClassDef]) -> Iterator[Function]:
    """Yield each method once: the one nearest to the user that has a text, if any has."""
    shown = [each for owner in owners for each in owner.body if isinstance(each, Function)]
    shown = [each for each in shown if is_shown(each)]
    told = {each.name for each in shown if ast.get_docstring(each) is not None}
    seen: set[str] = set()
    for member in shown:
        silent = member.name in told and ast.get_docstring(member) is None
        if member.name not in seen and not silent:
            seen.add(member.name)
            yield member


def is_shown(node: Function) -> bool:
    """Tell whether a method is public, or a special one that says something of itself."""
    if any(ast.unparse(decorator) == "overload" for decorator in node.decorator_list):
        return False
    return not node.name.startswith("_") or (
        node.name.endswith("__") and ast.get_docstring(node) is not None
    )


def attributes_of(node: ast.ClassDef, seen: set[str]) -> Iterator[str]:
    """Describe the attributes, without those that a class nearer to the user has."""
    for member, following in zip(node.body, [*node.body[1:], None], strict=True):
        if isinstance(member, ast.AnnAssign) and ast.unparse(member.target) not in seen:
            seen.add(ast.unparse(member.target))
            yield from attribute_lines(member, following)


def attribute_lines(node: ast.AnnAssign, following: ast.stmt | None) -> Iterator[str]:
    name = ast.unparse(node.target)
    if name.startswith("_"):
        return
    value = f" = {ast.unparse(node.value)}" if node.value else ""
    yield from [f"- `{name}: {ast.unparse(node.annotation)}{value}`", ""]
    if isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant):
        text = inspect.cleandoc(str(following.value.value))
        yield from [*(f"  {line}".rstrip() for line in text.splitlines()), ""]


def function_lines(node: Function, level: str, name: str) -> Iterator[str]:
    decorators = {ast.unparse(decorator) for decorator in node.decorator_list}
    kind = " ".join(sorted(decorators & {"classmethod", "property", "staticmethod"}))
    is_async = "async " if isinstance(node, ast.AsyncFunctionDef) else ""
    returns = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    arguments = "" if kind == "property" else f"({arguments_of(node, kind)})"
    heading = f"{level} `{is_async}{name}{arguments}{returns}`"
    yield from [f"{heading} ({kind})" if kind else heading, ""]
    yield from text_of(ast.get_docstring(node))


def arguments_of(node: Function, kind: str) -> str:
    """Return the arguments as a caller sees them."""
    text = ast.unparse(node.args)
    first = "" if kind == "staticmethod" else r"(?:self|cls)(?:, )?(?:/(?:, )?)?"
    return re.sub(f"^{first}", "", text)


def text_of(docstring: str | None) -> Iterator[str]:
    """Make Markdown of a docstring: its lists and sections become lists."""
    if docstring is None:
        return
    in_section = False
    for line in docstring.splitlines():
        if re.fullmatch(r"(Args|Attributes|Raises|Returns|Yields):", line):
            in_section = True
            yield from [line, ""]
        elif in_section and re.match(r"    \S", line):
            yield re.sub(r"^    (\*{0,2}\w+)", r"- `\1`", line)
        elif re.match(r"`[^`]+`(?:, `[^`]+`)*: ", line):
            yield f"- {line}"
        else:
            in_section = in_section and line.startswith(" ")
            yield re.sub(r"^        ", "  ", line) if in_section else line.replace("    ", "  ", 1)
    yield ""


if __name__ == "__main__":
    for name in sys.argv[1:]:
        (PACKAGES / name / "API.md").write_text(page(name))
