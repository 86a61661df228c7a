"""`static`: the files of a folder."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any, Final

from ..application import Roll
from ..files import answer
from ..places import check_index
from ..settings import advise_on_extras, check_flag
from .checks import check_folder, check_reading, check_text
from .static_policy import Policy, cache_control, check_policy

__all__ = ["static"]

# Two uses without a name may share it, as long as no URL is asked for by it.
DEFAULT_NAME: Final = "static"

OPTIONS: Final = (
    "default_index",
    "dotfiles",
    "fallback",
    "immutable",
    "max_age",
    "precompressed",
    "prefix",
    "root",
)


def static(
    app: Roll,
    prefix: str = "/static/",
    root: Path | str = Path(),
    default_index: str = "",
    name: str = DEFAULT_NAME,
    *,
    dotfiles: bool = False,
    precompressed: bool = False,
    max_age: int | None = None,
    immutable: bool = False,
    fallback: str = "",
    **extras: Any,
) -> None:
    """Serve the files below `root` at `prefix`, from startup on.

    A directory is answered with its `default_index`, if one is given; what lies outside of
    `root`, links followed, with 400; what is no file, or may not be read, with 404. A file has one
    path: `a.txt/`, `css//a.txt`, `./a.txt` and `css/../a.txt` are no files. Without `dotfiles`,
    nor is what has a name that begins with a dot, such as `.env` or `.git/config`, in its path or
    where the links of the path lead; `.well-known` (RFC 8615) is always served. Preconditions and
    single ranges are understood (RFC 9110 13 and 14). Extras are given to the route. The startup
    raises a `ValueError` if `root` is no folder, or may not be entered.

    With `precompressed`, `a.css.br`, `a.css.zst` or `a.css.gz` is sent in place of `a.css` to
    those who accept it, unless it is older. Caches keep files for `max_age` seconds; with
    `immutable` they never ask again, and `max_age` is a year by default. A `fallback`, such as
    "index.html", is the file that is sent where a browser navigates to a path without a file;
    caches always ask whether that one has changed.

    Raises:
        ValueError: an option is of another kind, the prefix does not begin with a "/", or the
            extras make a route that no file is read by.
    """
    check_folder("root", root)
    check_text("name", name, DEFAULT_NAME)
    check_flag("dotfiles", dotfiles)
    if default_index:
        check_text("default_index", default_index, "index.html")
        check_index(default_index, dotfiles)
    advise_on_extras(extras, OPTIONS)
    folder = Path(root).resolve()
    check_policy(precompressed, max_age, immutable, fallback, dotfiles)
    policy = Policy(
        folder, default_index, dotfiles, precompressed, cache_control(max_age, immutable), fallback
    )
    if name != DEFAULT_NAME:
        extras["name"] = name
    # What is wrong with prefix and extras is told here, not at startup.
    check_text("prefix", "/" if prefix == "" else prefix, "/static/")
    group = app.group(prefix.rstrip("/"), **extras)
    check_reading(extras)

    async def serve(request: Any, response: Any, path: str) -> None:
        def look_and_answer() -> None:
            with policy.find(path, request) as file:
                answer(file, request, response)

        # All at once: for a small file, going to a thread is most of the cost.
        await asyncio.to_thread(look_and_answer)

    serve.__name__ = name

    def register() -> None:
        check_root(folder)
        group.route("/{path:any}")(serve)

    app.at_startup(register)


def check_root(folder: Path) -> None:
    """Check that files of a folder can be opened.

    Raises:
        ValueError: there is none, or it may not be entered.
    """
    try:
        os.stat(f"{folder}/.")  # noqa: PTH116 - a `Path` drops the dot, which is what is looked up
    except OSError as error:
        raise ValueError(
            f"The root {str(folder)!r} of `static` cannot be served: {error.strerror}"
        ) from error
