"""`Query.parse` beside `urllib.parse.parse_qs`: python benchmarks/multipart/queries.py."""

import random
import statistics
import time
from collections.abc import Callable
from urllib.parse import parse_qs, quote_plus

from roll_multipart import Query

TEXTS = random.Random(1)
ESCAPED = [quote_plus("".join(TEXTS.choices("abcdeé&=% /ü", k=12))) for _ in range(50)]
QUERIES = {
    "one key": "page=2",
    "three keys": "name=foo&page=2&sort=desc",
    "three keys, escaped": "name=caf%C3%A9&page=2&q=a+b",
    "50 escaped pairs": "&".join(f"key{i}={text}" for i, text in enumerate(ESCAPED)),
}


def standard(text: str) -> dict[str, list[str]]:
    return parse_qs(text, keep_blank_values=True)


def measure(parse: Callable[[str], object], text: str, repeat: int) -> float:
    start = time.thread_time()
    for _ in range(repeat):
        parse(text)
    return (time.thread_time() - start) / repeat


def compare(text: str, rounds: int = 31) -> tuple[float, float]:
    """Seconds of CPU for one call of each, medians of interleaved rounds."""
    assert standard(text) == Query.parse(text)
    repeat = 100_000 // len(text) + 1
    pairs = [
        (measure(standard, text, repeat), measure(Query.parse, text, repeat))
        for _ in range(rounds)
    ]
    theirs, ours = zip(*pairs, strict=True)
    return statistics.median(theirs), statistics.median(ours)


def main() -> None:
    print("| query | parse_qs, µs | Query.parse, µs | times as fast |")
    print("| --- | ---: | ---: | ---: |")
    for name, text in QUERIES.items():
        theirs, ours = compare(text)
        print(f"| {name} | {theirs * 1e6:.3g} | {ours * 1e6:.3g} | {theirs / ours:.1f} |")


if __name__ == "__main__":
    main()
