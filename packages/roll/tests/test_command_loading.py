"""How the command `roll` loads an application."""

import sys

import pytest

from roll import Roll
from roll.command.loading import BrokenModule, LoadError, Target, load, target_of

SITE = """
from roll import Roll

app = Roll()

class settings:
    app = app

def factory():
    return Roll()

def needs(one):
    return Roll()

async def each(scope, receive, send):
    yield

def broken():
    return 1 / 0

async def later():
    return Roll()

def nothing():
    Roll()

def pair():
    return Roll(), {}

number = 3
"""


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """An empty current folder; what is imported from it is forgotten afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    known = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - known:
        del sys.modules[name]


def write(folder, **files):
    for name, text in files.items():
        folder.joinpath(f"{name}.py").write_text(text)


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("site_a:app", Target("site_a", "app", False)),
        ("site_a:settings.app", Target("site_a", "settings.app", False)),
        ("site_a:factory()", Target("site_a", "factory", True)),
        ("package.module", Target("package.module", None, False)),
        ("site_a.py", Target("site_a.py", None, False)),
        ("folder/site_a.py:app", Target("folder/site_a.py", "app", False)),
        (r"C:\folder\site_a.py:app", Target(r"C:\folder\site_a.py", "app", False)),
        (r"C:\folder\site_a.py", Target(r"C:\folder\site_a.py", None, False)),
    ],
)
def test_target_is_a_module_or_a_file_and_perhaps_an_attribute(text, target):
    assert target_of(text) == target
    assert str(target) == text


@pytest.mark.parametrize("text", ["", "site-a:app", "site_a:", "a:b:c", "site_a:f(1)", "./site_a"])
def test_text_that_names_no_application_is_refused_with_the_spelling(text):
    with pytest.raises(LoadError, match=r"names no application: write `module:app`"):
        target_of(text)


@pytest.mark.parametrize("name", ["app", "main", "core"])
def test_file_of_a_usual_name_is_found(folder, name):
    write(folder, **{name: SITE})
    assert isinstance(load(target_of(None)), Roll)


def test_app_py_comes_before_main_py(folder):
    write(folder, app=SITE, main=SITE)
    assert target_of(None).module == "app.py"


def test_folder_without_a_usual_file_is_an_error():
    with pytest.raises(LoadError, match=r"there is no app.py, main.py or core.py here"):
        target_of(None)


@pytest.mark.parametrize(
    "text", ["site_b:app", "site_b", "site_b.py", "site_b:settings.app", "site_b:factory()"]
)
def test_application_is_loaded(folder, text):
    write(folder, site_b=SITE)
    assert isinstance(load(target_of(text)), Roll)


def test_only_application_of_a_module_needs_no_usual_name(folder):
    write(folder, site_c="from roll import Roll\nshop = Roll()\n")
    assert isinstance(load(target_of("site_c")), Roll)


def test_file_in_a_package_is_imported_as_a_part_of_it(folder):
    package = folder / "shop" / "web"
    package.mkdir(parents=True)
    for place in (package, package.parent):
        place.joinpath("__init__.py").touch()
    package.joinpath("views.py").write_text("from ..models import name\n" + SITE)
    package.parent.joinpath("models.py").write_text("name = 'shop'\n")
    app = load(target_of("shop/web/views.py"))
    assert app is sys.modules["shop.web.views"].app


def test_init_file_is_imported_as_its_package(folder):
    package = folder / "store"
    package.mkdir()
    package.joinpath("__init__.py").write_text(SITE)
    assert load(target_of("store/__init__.py")) is sys.modules["store"].app


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nowhere:app", r"There is no module 'nowhere' in .*, nor installed"),
        ("site_d.views:app", r"There is no module 'site_d.views' in .*, nor installed"),
        ("nowhere.py", r"There is no file 'nowhere.py'"),
        ("site_d:shop", r"site_d has no 'shop'; its applications are app"),
        ("site_e:shop", r"site_e has no 'shop'\Z"),
        ("site_e", r"site_e has no application: write `module:app`"),
        ("site_f", r"site_f has several applications: write `site_f:one` or `site_f:two`"),
        ("site_d:number", r"site_d:number is of type int, not an application\Z"),
        ("site_d:app()", r"site_d:app is an application, not a factory: write it without `\(\)`"),
        ("site_d:number()", r"site_d:number is of type int: a factory is a function"),
        (
            "site_d:factory",
            r"is of type function, .*: if it returns one, write `'site_d:factory\(\)'`",
        ),
        ("site_d:needs", r"of type function, not an application: a factory takes no arguments\Z"),
        (
            "site_d:each",
            r"not an application: it is a generator function, which nothing ",
        ),
        ("site_d:needs()", r"site_d:needs\(\) needs arguments, .*: give them defaults"),
        ("site_d:nothing()", r"site_d:nothing\(\) returned None: let it end with `return app`"),
        ("site_d:pair()", r"returned a value of type tuple, not an application"),
        ("site_j", r"site_j has no application: write `'site_j:create_app\(\)'`"),
        ("site_d:later()", r"site_d:later\(\) is async: a factory is a plain function"),
        ("site_d:int()", r"site_d has no 'int'"),
        ("site_d:settings()", r"returned a value of type settings, not an application"),
    ],
)
def test_missing_module_or_file_is_an_error(folder, text, message):
    write(
        folder,
        site_d=SITE,
        site_e="number = 3\n",
        site_j="def create_app():\n    pass\n",
        site_f="from roll import Roll\none = Roll()\ntwo = Roll()\n",
    )
    with pytest.raises(LoadError, match=message):
        load(target_of(text))


ASGI = """
async def app(scope, receive, send):
    pass

def make():
    return app

def wsgi(environ, start_response):
    return []
"""


@pytest.mark.parametrize("text", ["site_h", "site_h:app", "site_h:make()", "site_h.py"])
def test_application_of_asgi_is_hosted_by_one_of_roll(folder, text):
    write(folder, site_h=ASGI)
    app = load(target_of(text))
    assert isinstance(app, Roll)
    payload, _ = app.routes.match("/any/path")
    assert payload["GET"].application is sys.modules["site_h"].app


def test_wsgi_application_is_refused_with_advice(folder):
    write(folder, site_i=ASGI)
    with pytest.raises(LoadError, match=r"of WSGI: wrap it: `a2wsgi\.WSGIMiddleware"):
        load(target_of("site_i:wsgi"))


def test_callable_without_a_signature_is_called(folder):
    write(folder, site_g="kind = dict\n")
    with pytest.raises(LoadError, match=r"site_g:kind\(\) returned a value of type dict"):
        load(target_of("site_g:kind()"))


BROKEN = {
    "import": ("import nothing_of_the_kind\n", "ModuleNotFoundError"),
    "raise": ("def f():\n    raise KeyError('a')\nf()\n", "KeyError"),
    "syntax": ("def f(:\n", "SyntaxError"),
    "exit": ("raise SystemExit(3)\n", "SystemExit"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_traceback_of_a_broken_module_has_the_users_frames_alone(folder, name):
    text, error = BROKEN[name]
    write(folder, **{f"broken_{name}": text})
    with pytest.raises(BrokenModule) as caught:
        load(target_of(f"broken_{name}"))
    shown = caught.value.traceback
    assert f"broken_{name}.py" in shown
    assert error in shown
    assert "importlib" not in shown
    assert "roll/command" not in shown
    assert error in str(caught.value)


def test_factory_that_raises_shows_its_own_traceback(folder):
    write(folder, site_h=SITE)
    with pytest.raises(BrokenModule) as caught:
        load(target_of("site_h:broken()"))
    assert "return 1 / 0" in caught.value.traceback
    assert "roll/command" not in caught.value.traceback
