"""Check the prose of the repository: `hatch run prose [--update | --all] [files]`.

It reads Markdown, docstrings, comments, and messages of errors and logs. Known faults are counted
in `prose-baseline.json`, by file and rule. More faults than that fail. `--update` writes lower
numbers, never higher ones: the list can only shrink. `--all` shows the known faults too.
"""

import argparse
import ast
import inspect
import io
import json
import re
import subprocess
import sys
import tokenize
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
BASELINE = Path(__file__).with_name("prose-baseline.json")
LONGEST = 32  # words in a sentence

# What readers stumble over, each with what to write.
BANNED = {
    r"(?<!there )(?:is|are|was|were) no (?!longer|more|need|other|one\b)[a-z`]+": "say `is not`",
    r"so (?:do|does|did|is|are|has) (?:an?|the|its?|they|what|all|each)\b": "subject first",
    r"(?:neither|nor) (?:is|are|do|does|has|have|can|will)\b": "put the subject first",
    r"(?:were|had|should) (?:it|they|you|there)\b[^?]{3,}": "say `if`",
    r"be (?:it|they) ": "say `whether`",
    r"lest\b": "say `so that ... not`",
    r", for (?:it|they|this|that|these|those|no|there)\b": "say `because`",
    r"(?:whilst|whereby|wherein|thereof|thereby|hence|thus|upon|shall)\b": "use another word",
    r"but for\b": "say `except`",
    r"will do\b": "say `works` or `is enough`",
    r"(?:nobody|somebody|everybody|anybody)'s\b": "name whose it is",
    r"in the same clothes|without a word|on its way\b|gone to sleep": "say what happens",
    r"let go\b": "name the action",
    r"as (?:does|do|did|has|have|is|are) (?:a|an|the|all|most)\b": "put the subject first",
    r"(?:it|this|these|that) (?:is|are) (?:had|told|meant) (?:by|of)\b": "use the active voice",
    r"more and more\b|by and by\b|once and for all\b": "say how much, or when",
}
# One word for one thing.
GLOSSARY = {
    r"controllers?\b|view functions?\b|request callbacks?\b": "handler",
    r"subscribers?\b|event handlers?\b": "listener",
    r"add-?ons?\b": "extension",
    r"header (?:block|section)s?\b": "head",
    r"(?:path|url|route) (?:parameter|variable|param)s?\b": "placeholder",
    r"header lines?\b": "field",
    r"web ?sockets? sessions?\b": "connection",
}
# Other frameworks have their own words.
OTHER_WORDS = re.compile(r"docs/coming-from-.*|benchmarks/.*|.*FRAMEWORKS\.md")

# Pages that programs write. Those of the API are made of docstrings, which are read themselves.
GENERATED = re.compile(r"/API\.md$|/results\.md$|/RESULTS\.md$|/results/")

FENCE = re.compile(r"^( *)(```|~~~).*?^\1\2 *$", re.MULTILINE | re.DOTALL)
# Code without a fence. Sections of docstrings are indented too, but follow their title at once.
INDENTED = re.compile(r"(?<=\n\n)(?: {4}.*(?:\n|$))+")
BLOCK_EDGE = re.compile(r"\n\s*\n|\n(?=\s*(?:[-*] |\d+\. |#|\||>))|(?<=\w):\n|\|")
SENTENCE_END = re.compile(r"(?<=[.!?:;])[\"')*_]*\s+")
DIRECTIVE = re.compile(r"noqa|type: ignore|pragma|fmt:")
WORD = re.compile(r"[\w'\u2019-]+")


@dataclass(frozen=True)
class Fault:
    file: str
    line: int
    rule: str
    says: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.rule}: {self.says}"


def faults_of(file: str, texts: Iterable[tuple[int, str]]) -> Iterator[Fault]:
    """Yield the faults of the texts of a file, each text with its line."""
    for line, text in texts:
        yield from long_sentences(file, line, text)
        yield from known_words(file, line, text, "banned", BANNED)
        if not OTHER_WORDS.fullmatch(file):
            yield from known_words(file, line, text, "glossary", GLOSSARY)


def known_words(
    file: str, line: int, text: str, rule: str, words: dict[str, str]
) -> Iterator[Fault]:
    for pattern, advice in words.items():
        for found in re.finditer(rf"(?<!\w)(?:{pattern})", text, re.IGNORECASE):
            where = line + text.count("\n", 0, found.start())
            yield Fault(file, where, rule, f"{' '.join(found[0].split())!r}: {advice}")


def long_sentences(file: str, line: int, text: str) -> Iterator[Fault]:
    for block in BLOCK_EDGE.split(text):
        for sentence in SENTENCE_END.split(block):
            words = WORD.findall(sentence)
            if len(words) > LONGEST:
                where = line + text.count("\n", 0, max(text.find(sentence), 0))
                yield Fault(file, where, "long", f"{len(words)} words: {' '.join(words[:6])}...")


def plain(text: str) -> str:
    """Replace code, links and marks, so that the words that are read remain."""
    text = re.sub(r"`+[^`]*`+", "code", text)
    text = re.sub(r"\]\([^)]*\)|<[^>]*>", "", text)
    return text.replace("**", "").replace("[", "")


def markdown(text: str) -> Iterator[tuple[int, str]]:
    """Yield the text of a page without its code blocks, which keep their lines."""
    yield 1, plain(INDENTED.sub(blank, FENCE.sub(blank, text)))


def python(text: str) -> Iterator[tuple[int, str]]:
    """Yield docstrings, comments, and the texts of what is raised and logged."""
    yield from comments(text)
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            if isinstance(node.value.value, str):
                docstring = inspect.cleandoc("_" + node.value.value).removeprefix("_")
                yield node.lineno, plain(without_examples(docstring))
        elif isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
            yield from messages(node.exc)
        elif isinstance(node, ast.Call) and is_log(node.func):
            yield from messages(node)


def comments(text: str) -> Iterator[tuple[int, str]]:
    """Yield comments; those of lines that follow each other are one text."""
    first, last, lines = 1, -1, list[str]()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            row, words = token.start[0], comment_of(token.string)
            alone = token.line.lstrip().startswith("#")
            if not (alone and row == last + 1):
                yield first, plain("\n".join(lines))
                first, lines = row, []
            lines.append(words)
            last = row if alone else -1
    yield first, plain("\n".join(lines))


def comment_of(text: str) -> str:
    """Return the words of a comment, without the code of a directive such as `noqa: S101`."""
    words = text.lstrip("#! ")
    return words.partition(" - ")[2] if DIRECTIVE.match(words) else words


def without_examples(docstring: str) -> str:
    """Blank the lines of a docstring that are code or output."""
    return re.sub(r"(?m)^\s*(?:>>>|\.\.\.|\$) .*$", "", INDENTED.sub(blank, docstring))


def blank(found: re.Match[str]) -> str:
    """Return the lines of a match without their text."""
    return "\n" * found[0].count("\n")


def is_log(function: ast.expr) -> bool:
    levels = {"debug", "info", "warning", "error", "exception", "critical"}
    return isinstance(function, ast.Attribute) and function.attr in levels


def messages(call: ast.Call) -> Iterator[tuple[int, str]]:
    for argument in call.args:
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
            yield argument.lineno, plain(argument.value)
        elif isinstance(argument, ast.JoinedStr):
            parts = [str(p.value) if isinstance(p, ast.Constant) else "x" for p in argument.values]
            yield argument.lineno, plain("".join(parts))


def files() -> list[str]:
    """Return the files of the repository that hold prose."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md", "*.py"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    found = {name for name in listed.stdout.splitlines() if (ROOT / name).exists()}
    return sorted(name for name in found if not GENERATED.search(name))


def read(name: str) -> list[Fault]:
    text = (ROOT / name).read_text()
    texts = markdown(text) if name.endswith(".md") else python(text)
    return list(faults_of(name, texts))


def first_screen() -> list[Fault]:
    """Look whether the first screen of the README has its two commands."""
    screen = "\n".join((ROOT / "README.md").read_text().splitlines()[:24])
    wanted = ("hatch run hello", "hatch run test")
    return [
        Fault("README.md", 1, "screen", f"`{command}` is not in the first 24 lines")
        for command in wanted
        if command not in screen
    ]


def counts(faults: list[Fault]) -> dict[str, dict[str, int]]:
    found: dict[str, Counter[str]] = {}
    for fault in faults:
        found.setdefault(fault.file, Counter())[fault.rule] += 1
    return {file: dict(sorted(found[file].items())) for file in sorted(found)}


def worse(known: dict[str, dict[str, int]], faults: list[Fault]) -> list[Fault]:
    """Return the faults of each file and rule that has more of them than are known."""
    found = counts(faults)
    return [
        fault
        for fault in faults
        if found[fault.file][fault.rule] > known.get(fault.file, {}).get(fault.rule, 0)
    ]


def shrunk(known: dict[str, dict[str, int]], faults: list[Fault]) -> dict[str, dict[str, int]]:
    """Return the known numbers, lowered to those of today."""
    found = counts(faults)
    lower = {
        file: {rule: min(n, found.get(file, {}).get(rule, 0)) for rule, n in rules.items()}
        for file, rules in known.items()
    }
    kept = {file: {rule: n for rule, n in rules.items() if n} for file, rules in lower.items()}
    return {file: rules for file, rules in kept.items() if rules}


def main(arguments: list[str]) -> int:
    """Print what is wrong, and return the exit code."""
    parser = argparse.ArgumentParser(description="Check the prose of the repository.")
    parser.add_argument("--update", action="store_true", help="take repaired faults off the list")
    parser.add_argument("--all", action="store_true", help="show the known faults too")
    parser.add_argument("files", nargs="*", help="by default, all")
    options = parser.parse_args(arguments)
    known = json.loads(BASELINE.read_text())
    faults = [fault for name in options.files or files() for fault in read(name)]
    faults += first_screen()
    new = worse(known, faults)
    lower = known if options.files else shrunk(known, faults)
    for fault in faults if options.all else new:
        print(fault)
    if options.update:
        BASELINE.write_text(json.dumps(lower, indent=1) + "\n")
    elif lower != known:
        print("Faults were repaired: take them off the list by `hatch run prose --update`")
    return int(bool(new))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
