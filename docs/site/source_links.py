"""Links to files outside of the site lead to the repository."""

import re
from pathlib import Path

REPOSITORY = "https://github.com/pyrates/roll"
FENCE = re.compile(r"(^```.*?^```$)", re.MULTILINE | re.DOTALL)
TARGET = re.compile(r"\]\((?!https?:|mailto:|#)([^)\s#]+)(#[^)\s]*)?\)")
# Sphinx resolves links to these itself.
PAGES = ("*.md", "docs/*.md", "packages/*/*.md")
NO_PAGES = ("README.md", "packages/roll/README.md")


def to_repository(text: str, page: Path, root: Path) -> str:
    """Rewrite the links of a page to files of code and to folders, outside of code blocks.

    A link to a file that does not exist stays as it is, so that Sphinx reports it.
    """

    def rewritten(found: re.Match[str]) -> str:
        target = (page.parent / found[1]).resolve()
        if found[0].endswith(".svg)") or not target.exists() or is_page(target, root):
            return found[0]
        kind = "tree" if target.is_dir() else "blob"
        return f"]({REPOSITORY}/{kind}/main/{target.relative_to(root)}{found[2] or ''})"

    parts = FENCE.split(text)
    return "".join(
        part if part.startswith("```") else TARGET.sub(rewritten, part) for part in parts
    )


def is_page(target: Path, root: Path) -> bool:
    """Tell whether a file is a page of the site."""
    name = str(target.relative_to(root))
    depth = name.count("/")
    found = any(target.match(pattern) and pattern.count("/") == depth for pattern in PAGES)
    return found and name not in NO_PAGES
