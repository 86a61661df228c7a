"""Find and import the application that a command line names."""

from __future__ import annotations

import importlib
import inspect
import itertools
import re
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, Final, NamedTuple

from ..alone import alone
from ..application import Roll
from ..callables import is_generator
from ..hosting import UNRUN, WRAP, is_application, is_wsgi

__all__ = ["BrokenModule", "LoadError", "Target", "load", "target_of"]

FILES: Final = ("app.py", "main.py", "core.py")
"""The files that are searched for an application if the command line names none, in order."""

NAMES: Final = ("app", "application")
"""The default names of an application in its module."""

FACTORIES: Final = ("make_app", "create_app", "get_app", "build_app", "factory")
"""The usual names of a function that returns an application."""

# Split at the last colon: on Windows, the path may have a colon too.
ATTRIBUTE: Final = re.compile(r":([A-Za-z_][\w.]*)(\(\))?\Z")

SPELLING: Final = "write `module:app`, `'module:factory()'` or `folder/app.py`"


class LoadError(Exception):
    """An error: the application was not found; the message says what was searched."""


class BrokenModule(LoadError):
    """An error: the user's code raised; `traceback` is its traceback without Roll's frames."""

    def __init__(self, text: str, traceback: str) -> None:
        super().__init__(text, traceback)
        self.traceback = traceback

    def __str__(self) -> str:
        return f"The application cannot be imported: {self.args[0]}"


class Target(NamedTuple):
    """The target of a command line: a module or a file, and perhaps an attribute to call."""

    module: str
    """The dotted name of a module, or the path of a file with the suffix `.py`."""
    attribute: str | None
    calls: bool

    def __str__(self) -> str:
        attribute = "" if self.attribute is None else f":{self.attribute}"
        return f"{self.module}{attribute}{'()' * self.calls}"


def target_of(text: str | None) -> Target:
    """Return the target of a text such as `module:app`; without one, the first file that exists.

    Raises:
        LoadError: the text is malformed, or no file exists; the message shows the right form.
    """
    if text is None:
        return Target(default_file(), None, False)
    found = ATTRIBUTE.search(text)
    module = text if found is None else text[: found.start()]
    if not module.endswith(".py") and not all(map(str.isidentifier, module.split("."))):
        raise LoadError(f"{text!r} names no application: {SPELLING}")
    return Target(module, found and found[1], bool(found and found[2]))


def default_file() -> str:
    for name in FILES:
        if Path(name).is_file():
            return name
    *first, last = FILES
    raise LoadError(
        f"No application is named, and there is no {', '.join(first)} or {last} here: {SPELLING}"
    )


def load(target: Target) -> Any:
    """Import the module of `target`, and return its application.

    Raises:
        LoadError: the module or the application was not found.
        BrokenModule: the module, or the factory, raised.
    """
    module = load_module(target.module)
    if target.attribute is None:
        return only_application(module, target)
    found: Any = module
    for name in target.attribute.split("."):
        if not hasattr(found, name):
            raise LoadError(f"{target.module} has no {target.attribute!r}{others(module)}")
        found = getattr(found, name)
    return make(found, target) if target.calls else checked(found, target)


def load_module(name: str) -> ModuleType:
    folder, dotted = importable(Path(name)) if name.endswith(".py") else (Path(), name)
    path = str(folder.resolve())
    if path not in sys.path:
        sys.path.insert(0, path)
    try:
        return importlib.import_module(dotted)
    except ModuleNotFoundError as error:
        if error.name is not None and f"{dotted}.".startswith(f"{error.name}."):
            raise LoadError(
                f"There is no module {error.name!r} in {path}, nor installed"
            ) from None
        raise broken(error) from None
    except (Exception, SystemExit) as error:  # noqa: BLE001 - the module may raise anything
        raise broken(error) from None


def importable(path: Path) -> tuple[Path, str]:
    """Return the folder for the import of a file, and its dotted name there."""
    if not path.is_file():
        raise LoadError(f"There is no file {str(path)!r}")
    path = path.resolve()
    folder, names = path.parent, [path.stem]
    while (folder / "__init__.py").is_file():
        names.insert(0, folder.name)
        folder = folder.parent
    if names[-1] == "__init__":
        names.pop()
    return folder, ".".join(names)


def only_application(module: ModuleType, target: Target) -> Any:
    for name in NAMES:
        if hasattr(module, name):
            return checked(getattr(module, name), target._replace(attribute=name))
    found = applications(module)
    if len(found) == 1:
        return getattr(module, found[0])
    if found:
        both = " or ".join(f"`{target.module}:{name}`" for name in found)
        raise LoadError(f"{target.module} has several applications: write {both}")
    hint = (
        f": write {factories}" if (factories := factories_of(module, target)) else f": {SPELLING}"
    )
    raise LoadError(f"{target.module} has no application{hint}")


def factories_of(module: ModuleType, target: Target) -> str:
    """Return how to write the functions of a module that are named as factories are."""
    found = (name for name in FACTORIES if callable(getattr(module, name, None)))
    return " or ".join(in_quotes(target._replace(attribute=name, calls=True)) for name in found)


def in_quotes(target: Target) -> str:
    """Return a target as a shell takes it: without the quotes, its parentheses are an error."""
    return f"`'{target}'`"


def applications(module: ModuleType) -> list[str]:
    return [name for name, value in vars(module).items() if isinstance(value, Roll)]


def others(module: ModuleType) -> str:
    found = applications(module)
    return f"; its applications are {', '.join(found)}" if found else ""


def make(factory: Any, target: Target) -> Any:
    plain = target._replace(calls=False)
    if isinstance(factory, Roll):
        raise LoadError(f"{plain} is an application, not a factory: write it without `()`")
    if not callable(factory):
        raise LoadError(f"{plain} is of type {kind(factory)}: a factory is a function")
    check_no_arguments(factory, target)
    try:
        made = factory()
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a factory may raise anything
        raise broken(error) from None
    if made is None:
        raise LoadError(f"{target} returned None: let it end with `return app`")
    return checked(made, target)


def check_no_arguments(factory: Callable[..., Any], target: Target) -> None:
    if not takes_nothing(factory):
        raise LoadError(
            f"{target} needs arguments, and a factory is called without any: give them defaults"
        )


def takes_nothing(factory: Callable[..., Any]) -> bool:
    try:
        inspect.signature(factory).bind()
    except TypeError:
        return False
    except ValueError:  # the signature cannot be read
        pass
    return True


def checked(found: Any, target: Target) -> Any:
    """Return an application: one of Roll, or one that hosts an ASGI 3 application.

    Raises:
        LoadError: the object is not an application.
    """
    if isinstance(found, Roll):
        return found
    if inspect.iscoroutine(found):
        found.close()
        raise LoadError(f"{target} is async: a factory is a plain function")
    if is_application(found):
        return alone(found)
    if is_wsgi(found):
        raise LoadError(f"{target} is an application of WSGI: {WRAP}")
    if target.calls:
        raise LoadError(f"{target} returned a value of type {kind(found)}, not an application")
    raise LoadError(
        f"{target} is of type {kind(found)}, not an application{hint_at(found, target)}"
    )


def hint_at(found: Any, target: Target) -> str:
    """Return what to write for a factory; nothing for other values."""
    if not callable(found):
        return ""
    if is_generator(found):
        return f": {UNRUN}"
    if not takes_nothing(found):
        return ": a factory takes no arguments"
    return f": if it returns one, write {in_quotes(target._replace(calls=True))}"


def kind(value: object) -> str:
    return type(value).__qualname__


def broken(error: BaseException) -> BrokenModule:
    return BrokenModule(repr(error), user_traceback(error))


def user_traceback(error: BaseException) -> str:
    """Return a traceback without the frames of this package and of the import system."""
    shown = traceback.TracebackException.from_exception(error)
    ours = str(Path(__file__).parent)
    above = (ours, "<frozen importlib", importlib.__file__)
    users = itertools.dropwhile(lambda frame: frame.filename.startswith(above), shown.stack)
    shown.stack[:] = list(users)
    return "".join(shown.format())
