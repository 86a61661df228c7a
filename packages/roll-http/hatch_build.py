"""Build the native core of this package, which is optional: see `CoreBuildHook`.

To build it into the source tree again, after a change of its sources: `hatch run core`. `hatch run
test` does that too, with `--missing`, where the tree has none of these sources.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import sysconfig
import tempfile
import tomllib
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

# `pure` leaves the core out; with `core`, a build without it fails. By default, a core is built
# where that is possible.
CHOICE = "ROLL_BUILD"

# What is given to the compiler in addition, such as `-fsanitize=address`.
FLAGS = "ROLL_BUILD_FLAGS"


class CoreBuildHook(BuildHookInterface[Any]):
    """Compiles the extension `module` of the configuration, and puts it in the wheel.

    Where there is no compiler, or it fails, the wheel is a pure one: the package has the same
    behaviour without its core, and says which one is active.
    """

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the core, and add it to what the wheel has; called by hatchling."""
        choice = os.environ.get(CHOICE, "")
        if choice not in {"", "core", "pure"}:
            raise ValueError(f"{CHOICE} is `core` or `pure`, not {choice!r}")
        if choice == "pure":
            return
        try:
            built = build(Path(self.root), self.config["module"])
        except (Exception, SystemExit) as error:
            if choice == "core":
                raise
            self.app.display_warning(
                f"{self.metadata.name} goes without its core: {reason(error)}"
            )
            return
        build_data["pure_python"] = False
        build_data["infer_tag"] = True
        if version != "editable":  # the source tree, which has the core now, is what is installed
            target = built.relative_to(Path(self.root) / "src").as_posix()
            build_data["force_include"][str(built)] = target


def reason(error: BaseException) -> str:
    """Return the last line of an error: the ones before it are the compiler's output."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[-1]


def build(root: Path, module: str) -> Path:
    """Compile a module into the source tree; return the extension's file."""
    # Here, because a pure wheel is built without them.
    from Cython.Build import cythonize  # noqa: PLC0415
    from setuptools import Distribution, Extension  # noqa: PLC0415

    folder = root / "src" / Path(*module.split(".")[:-1])
    source = folder / f"{module.rpartition('.')[2]}.pyx"
    with tempfile.TemporaryDirectory() as scratch:
        extension = Extension(
            module,
            [os.path.relpath(source)],
            define_macros=[("ROLL_SOURCES", f'"{digest(folder)}"')],
            extra_compile_args=compile_flags(),
            extra_link_args=os.environ.get(FLAGS, "").split(),
        )
        extensions = cythonize([extension], build_dir=scratch, quiet=True)
        command: Any = Distribution({"ext_modules": extensions}).get_command_obj("build_ext")
        command.build_lib = command.build_temp = scratch
        command.ensure_finalized()
        command.run()
        made = Path(command.get_ext_fullpath(module))
        # A program may run with the file that is there: never write into it, put another in place.
        copy = Path(shutil.copy2(made, folder / f"{made.name}.new"))
        return copy.replace(folder / made.name)


def compile_flags() -> list[str]:
    """Return the compiler's options, in addition to those that built Python."""
    flags = [] if sys.platform == "win32" else ["-O3", "-fno-strict-aliasing", "-g0"]
    return flags + os.environ.get(FLAGS, "").split()


def digest(folder: Path) -> str:
    """Return what tells the sources of a core from others; a test compares it."""
    sources = sorted([*folder.glob("*.pyx"), *folder.glob("*.pxi")])
    return hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()[:16]


def has_core(root: Path, module: str) -> bool:
    """Tell whether the source tree has an extension of today's sources, for this Python.

    It may have none although the package is installed: a fresh clone at the path of an earlier one
    finds that one's environment, and nothing builds the package again.
    """
    folder = root / "src" / Path(*module.split(".")[:-1])
    suffix = sysconfig.get_config_var("EXT_SUFFIX")
    extension = folder / f"{module.rpartition('.')[2]}{suffix}"
    return extension.exists() and digest(folder).encode() in extension.read_bytes()


def main() -> None:
    here = Path(__file__).parent.resolve()
    settings = tomllib.loads((here / "pyproject.toml").read_text())
    os.chdir(here)
    module = settings["tool"]["hatch"]["build"]["targets"]["wheel"]["hooks"]["custom"]["module"]
    if "--missing" in sys.argv and (os.environ.get(CHOICE) == "pure" or has_core(here, module)):
        return
    print(build(here, module))  # noqa: T201 - it is a command


if __name__ == "__main__":
    main()
