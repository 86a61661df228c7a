"""What users install: ten artifacts, and five wheels that serve from an empty environment."""

import shutil
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ["roll", "roll_http", "roll_multipart", "roll_routing", "roll_websocket"]
NATIVE = {"roll", "roll_http"}
"""The packages with a native core."""


def call(*argv, cwd=ROOT):
    command = [str(arg) for arg in argv]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def dist(tmp_path_factory):
    """Every package built as `hatch build --all` does, from a copy of its folder."""
    out = tmp_path_factory.mktemp("dist")
    for name in PACKAGES:
        copy = tmp_path_factory.mktemp("build") / name
        shutil.copytree(ROOT / "packages" / name.replace("_", "-"), copy)
        call(sys.executable, "-m", "hatchling", "build", "-d", out, cwd=copy)
    return out


@pytest.fixture(scope="module")
def installed(dist, tmp_path_factory):
    """The interpreter of an empty environment into which the five wheels were installed."""
    home = tmp_path_factory.mktemp("venv")
    venv.create(home, with_pip=True)
    python = home / "bin" / "python"
    call(python, "-m", "pip", "install", "--quiet", *dist.glob("*.whl"))
    return python


def test_ten_artifacts(dist):
    assert len(list(dist.glob("*.whl"))) == len(list(dist.glob("*.tar.gz"))) == len(PACKAGES)


@pytest.mark.parametrize("name", PACKAGES)
def test_a_wheel_holds_its_package_and_nothing_else(dist, name):
    (wheel,) = dist.glob(f"{name}-*.whl")
    assert (wheel.name.endswith("-py3-none-any.whl")) is (name not in NATIVE)
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    top = {path.partition("/")[0] for path in names}
    version = wheel.name.split("-")[1]
    assert top == {name, f"{name}-{version}.dist-info"}
    assert f"{name}/py.typed" in names
    assert f"{name}-{version}.dist-info/licenses/LICENSE" in names


@pytest.mark.parametrize("name", PACKAGES)
def test_source_distribution_has_the_sources_of_the_wheel(dist, name):
    """No tests: they need the settings, and the neighbours, that they have in the repository."""
    (sdist,) = dist.glob(f"{name}-*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = [path.split("/")[1:] for path in archive.getnames()]
    files = {"CHANGELOG.md", "LICENSE", "PKG-INFO", "README.md", "pyproject.toml"}
    guides = {"FRAMEWORKS.md"} if name == "roll_http" else set()
    hook = {"hatch_build.py"} if name in NATIVE else set()
    assert {path[0] for path in names} - {".gitignore"} == {*files, *guides, *hook, "src"}
    assert {path[1] for path in names if path[0] == "src"} == {name}


def test_installed_wheels_serve_the_first_application(installed, run, curl, tmp_path):
    shutil.copy(ROOT / "examples" / "hello.py", tmp_path)
    support = ROOT / "tests-integration" / "support"
    program = run(installed, "hello.py", cwd=tmp_path, PYTHONPATH=str(support), ROLL_TEST_PORT="0")
    assert curl(f"{program.wait_for_url()}/").body == '{"hello":"world"}'


def test_nothing_but_the_packages_lands_in_site_packages(installed):
    code = (
        "import importlib.metadata as m\n"
        f"for name in {PACKAGES}:\n"
        "    for file in m.distribution(name).files: print(file.parts[0])\n"
    )
    top = set(call(installed, "-c", code, cwd=installed.parent).split())
    top -= {".."}  # the command `roll`, among the programs
    assert {name for name in top if not name.endswith(".dist-info")} == set(PACKAGES)


def test_installed_packages_agree_with_one_another(installed):
    call(installed, "-m", "pip", "check")


def test_pytest_finds_the_fixtures_of_an_installed_roll(installed, tmp_path):
    """The plugin comes with `pip install roll`, and works with pytest-asyncio beside it."""
    call(installed, "-m", "pip", "install", "--quiet", "pytest", "pytest-asyncio")
    for name in ("hello.py", "test_hello.py"):
        shutil.copy(ROOT / "examples" / name, tmp_path)
    call(installed, "-m", "pytest", cwd=tmp_path)


def test_installed_wheels_have_their_native_cores(installed, monkeypatch):
    monkeypatch.delenv("ROLL_PURE", raising=False)
    code = "from roll import _core; import roll_http; print(roll_http.is_native, _core.answer_now)"
    assert call(installed, "-c", code, cwd=installed.parent).startswith("True <")


def test_both_native_cores_are_built_in_the_same_way():
    hooks = [ROOT / "packages" / name / "hatch_build.py" for name in ("roll", "roll-http")]
    assert hooks[0].read_text() == hooks[1].read_text()
