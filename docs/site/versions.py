"""Put a built site beside those of other versions.

    python docs/site/versions.py build/site PAGES roll-v0.14.0

PAGES is the folder that a web server shows. The site goes to PAGES/dev, or to the folder of a
version for a tag; the newest version also goes to PAGES/stable. `versions.js`, which the pages
load, lists the folders.
"""

import json
import re
import shutil
import sys
from pathlib import Path

TAG = re.compile(r"roll-v(\d+(?:\.\d+)*)")
VERSION = re.compile(r"\d+(?:\.\d+)*")
HOME = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Roll</title>
<meta http-equiv="refresh" content="0; url={folder}/">
<a href="{folder}/">The documentation of Roll</a>
</html>
"""


def add(site: Path, pages: Path, ref: str) -> None:
    """Put the site of a branch or a tag in its place, and list all versions."""
    found = TAG.fullmatch(ref)
    folder = found[1] if found else "dev"
    replace(pages / folder, site)
    versions = sorted((path.name for path in pages.iterdir() if is_version(path)), key=numbers)
    if versions and folder == versions[-1]:
        replace(pages / "stable", site)
    write_index(pages, versions)


def replace(folder: Path, site: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(site, folder)


def is_version(path: Path) -> bool:
    return path.is_dir() and VERSION.fullmatch(path.name) is not None


def numbers(version: str) -> list[int]:
    return [int(number) for number in version.split(".")]


def write_index(pages: Path, versions: list[str]) -> None:
    """Write the list, and the page that leads to the newest version."""
    special = [name for name in ("stable", "dev") if (pages / name).is_dir()]
    names = [*special, *reversed(versions)]
    (pages / "versions.js").write_text(f"window.ROLL_VERSIONS = {json.dumps(names)}\n")
    (pages / "index.html").write_text(HOME.format(folder=special[0] if special else names[0]))
    (pages / ".nojekyll").touch()


if __name__ == "__main__":
    add(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
