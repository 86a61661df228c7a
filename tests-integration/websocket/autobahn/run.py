"""Run the fuzzing client of Autobahn|Testsuite against an echo server of ours.

    python run.py [--server leaf roll] [--cases quick|all|1.* 6.4.* ...] [--loop asyncio]
                  [--python2 python2.7] [--work FOLDER] [--write RESULTS.md]

The suite is Python 2.7 code. Where there is no such interpreter this says so and ends well:
name one by --python2, put a `python2.7` on the path, or install one in pyenv. What it needs is
installed in a virtualenv of its own, in the folder --work, which is kept for the next time. Ends
with 1 when a case failed, was not implemented or closed uncleanly.
"""

import argparse
import collections
import json
import os
import platform
import re
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
SUITE = "autobahntestsuite==25.10.1"
# The last releases that know Python 2.7.
VIRTUALENV = "virtualenv<20.22"

# 9 is throughput, 12 and 13 are compression: 300 of the 517 cases and nearly all of the time.
QUICK = [f"{group}.*" for group in (1, 2, 3, 4, 5, 6, 7, 10)] + ["12.1.1", "12.1.2", "13.1.1"]
CASES = {"quick": QUICK, "all": ["*"]}

# What a case may end with. "Informational" judges nothing, "non-strict" is permitted.
GOOD = {"OK", "INFORMATIONAL", "NON-STRICT"}


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def find_python2(name: str) -> str | None:
    """The path of a Python 2.7 that runs: on the path, where pyenv's shims may lead nowhere, or
    among pyenv's versions."""
    return next(filter(runs_python2, [shutil.which(name), *pyenv_python2()]), None)


def pyenv_python2() -> Iterator[str]:
    """Where pyenv, if there is one, has its 2.7."""
    if shutil.which("pyenv"):
        for found in ask("pyenv", "versions", "--bare").split():
            if found.startswith("2.7"):
                yield str(Path(ask("pyenv", "prefix", found).strip()) / "bin" / "python2.7")


def ask(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def runs_python2(path: str | None) -> bool:
    return path is not None and "2, 7" in ask(
        path, "-c", "import sys; print(sys.version_info[:2])"
    )


def install(python2: str, work: Path) -> Path:
    """The suite's command, in a virtualenv under `work`."""
    command = work / "env" / "bin" / "wstest"
    if not command.exists():
        tools = work / "virtualenv"
        subprocess.run(
            [python2, "-m", "pip", "install", "-q", "--target", tools, VIRTUALENV], check=True
        )
        subprocess.run(
            [python2, "-m", "virtualenv", "-q", work / "env"],
            env=os.environ | {"PYTHONPATH": str(tools)},
            check=True,
        )
        subprocess.run([work / "env" / "bin" / "pip", "install", "-q", SUITE], check=True)
    return command


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return int(sock.getsockname()[1])


def fuzz(command: Path, work: Path, server: str, loop: str, cases: list[str]) -> list[Any]:
    """Run `cases` against a server in its own process; return the result of each."""
    agent = f"{server} on {loop}"
    reports = work / "reports" / agent.replace(" ", "-")
    shutil.rmtree(reports, ignore_errors=True)
    serving = subprocess.Popen(
        [sys.executable, HERE / "server.py", server, loop], stdout=subprocess.PIPE, text=True
    )
    try:
        assert serving.stdout is not None
        url = f"ws://127.0.0.1:{int(serving.stdout.readline())}"
        spec = {
            "outdir": str(reports),
            "servers": [{"agent": agent, "url": url}],
            "cases": cases,
            "exclude-cases": [],
            "exclude-agent-cases": {},
        }
        (work / "spec.json").write_text(json.dumps(spec))
        client = [command, "-m", "fuzzingclient", "-s", work / "spec.json"]
        subprocess.run(client, cwd=work, stdout=subprocess.DEVNULL, check=True)
    finally:
        serving.terminate()
        serving.wait()
    index = json.loads((reports / "index.json").read_text())
    return [dict(case=case, **result) for case, result in index[agent].items()]


def bad(result: dict[str, Any]) -> bool:
    """Whether this case, or the close that ended it, counts against the server."""
    return result["behavior"] not in GOOD or result["behaviorClose"] not in GOOD


def summary(agent: str, results: list[Any]) -> str:
    """A line of a table, and the cases that failed."""
    ends = collections.Counter(result["behavior"] for result in results)
    closes = sum(result["behaviorClose"] not in GOOD for result in results)
    known = ["OK", "NON-STRICT", "INFORMATIONAL", "FAILED", "UNIMPLEMENTED"]
    other = sum(count for name, count in ends.items() if name not in known)
    cells = [agent, len(results), *(ends[name] for name in known), other, closes]
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


HEADER = """\
| server | cases | OK | non-strict | informational | failed | unimplemented | other | unclean |
|---|---:|---:|---:|---:|---:|---:|---:|---:|"""


def machine() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    found = re.search(r"model name\s*:\s*(.+)", cpuinfo.read_text()) if cpuinfo.exists() else None
    names = [f"{name} {version(name)}" for name in ("websockets", "uvloop", "roll-websocket")]
    cpu = found.group(1) if found else platform.processor()
    return ", ".join([SUITE, cpu, f"Python {platform.python_version()}", *names])


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server", nargs="*", default=["leaf"], choices=["leaf", "roll"])
    parser.add_argument("--loop", nargs="*", default=["uvloop"], choices=["uvloop", "asyncio"])
    parser.add_argument("--cases", nargs="*", default=["quick"], help="quick, all, or patterns")
    parser.add_argument("--python2", default="python2.7", help="a name on the path, or a path")
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()) / "autobahn")
    parser.add_argument("--write", type=Path, help="a markdown file for the result")
    return parser.parse_args()


def main() -> int:
    args = parse()
    python2 = find_python2(args.python2)
    if python2 is None:
        say(f"Skipped: Autobahn|Testsuite needs Python 2.7, and {args.python2!r} runs none.")
        return 0
    args.work.mkdir(parents=True, exist_ok=True)
    command = install(python2, args.work)
    cases = [case for name in args.cases for case in CASES.get(name, [name])]
    lines, failures = [], []
    for server in args.server:
        for loop in args.loop:
            results = fuzz(command, args.work, server, loop, cases)
            lines.append(summary(f"{server}, {loop}", results))
            failures += [dict(server=server, **result) for result in results if bad(result)]
    report = "\n".join([HEADER, *lines])
    say(report)
    for failure in failures:
        say(f"{failure['server']} {failure['case']}: {failure}")
    if args.write:
        title = f"# Autobahn|Testsuite, fuzzing client, {datetime.now(UTC):%Y-%m-%d}"
        about = f"{machine()}; cases: {' '.join(args.cases)}."
        args.write.write_text(f"{title}\n\n{about}\n\n{report}\n")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
