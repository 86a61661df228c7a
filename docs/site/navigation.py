"""The navigation of the site: the tables of its two index pages are the only source."""

import re
from pathlib import Path

INDEXES = ("README.md", "how-to.md")
ENTRY = re.compile(r"^\| \[([^\]]+)\]\(([^)#:]+\.md)\)", re.MULTILINE)


def navigation(page: Path) -> str:
    """Return a hidden toctree for each section of an index page, nothing for any other page."""
    if page.parent.name != "docs" or page.name not in INDEXES:
        return ""
    return "".join(toctree(section) for section in page.read_text().split("\n## ")[1:])


def toctree(section: str) -> str:
    """Make the toctree of a section from the first cells of its table."""
    caption = section.partition("\n")[0].strip()
    entries = ENTRY.findall(section)
    if not entries:
        return ""
    lines = "\n".join(f"{title} <{target.removesuffix('.md')}>" for title, target in entries)
    return f"\n\n```{{toctree}}\n:hidden:\n:caption: {caption}\n\n{lines}\n```\n"
