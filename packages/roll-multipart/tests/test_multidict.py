"""One value, all values, and values of a type."""

import copy
import datetime
import decimal
import enum
import pickle
import sys
import threading

import pytest

from roll_multipart import FieldError, Files, Form, MemoryFile, Multidict, Part, Query


@pytest.mark.parametrize("cls", [Multidict, Query, Form, Files])
def test_get_gives_the_first_and_list_all(cls):
    values = cls({"a": ["1", "2"], "none": []})
    assert values.get("a") == "1"
    assert values.list("a") == ["1", "2"]
    assert values["a"] == ["1", "2"]
    for key in ("b", "none"):
        assert values.get(key, None) is None
        assert values.list(key, ["x"]) == ["x"]
        for method in (values.get, values.list):
            with pytest.raises(FieldError) as caught:
                method(key)
            assert caught.value.status == 400
            assert caught.value.message == str(caught.value) == f"Missing '{key}' key"


def test_values_can_be_added():
    values = Multidict()
    values.add("a", 1)
    values.add("a", 2)
    assert values == {"a": [1, 2]}


def test_the_classes_inherit_as_documented():
    assert issubclass(Form, Query)
    assert issubclass(Query, Multidict)
    assert issubclass(Files, Multidict)
    assert issubclass(Multidict, dict)
    assert not issubclass(Files, Query)


def test_the_error_is_a_hook():
    class Mine(Query):
        @staticmethod
        def Error(message):
            return LookupError(418, message)

    with pytest.raises(LookupError, match="Missing 'a' key"):
        Mine().get("a")
    with pytest.raises(LookupError, match="Key 'a' must be an integer"):
        Mine({"a": ["x"]}).int("a")


@pytest.mark.parametrize(
    ("texts", "value"),
    [
        ("t true TRUE yes Yes 1 on", True),
        ("f false False no 0 off OFF", False),
        ("n none None null NULL", None),
    ],
)
def test_booleans_are_those_that_people_write(texts, value):
    for text in texts.split():
        assert Query({"a": [text]}).bool("a") is value


def test_numbers_are_cast():
    query = Query({"i": ["-12"], "f": ["1.5e3"]})
    assert query.int("i") == -12
    assert query.float("i") == -12.0
    assert query.float("f") == 1500.0


@pytest.mark.parametrize(
    ("text", "value"), [("0", 0), ("+5", 5), ("-0", 0), ("007", 7), ("9" * 640, 10**640 - 1)]
)
def test_integers_are_ascii_digits_with_a_sign(text, value):
    assert Query({"a": [text]}).int("a") == value


@pytest.mark.parametrize(
    "text", ["+.5", "5.", "1E5", "-0.0", "1e-999", "9" * 300, "0." + "9" * 9000]
)
def test_floats_are_finite_decimal_numbers(text):
    assert Query({"a": [text]}).float("a") == float(text)


NO_NUMBERS = [
    "",
    "x",
    "1.5.5",
    "\xe9",
    " 1",
    "1 ",
    "1\n",
    "\t1",
    "1_0",
    "_1",
    "1__0",
    "+-1",
    "--1",
    "+",
]
NO_NUMBERS += [
    "\u0663",
    "\uff11",
    "\xb2",
    "1\u0663",
    "0x10",
    "1\0",
    "\u00a01",
    "1\u2003",
    "nan",
    "-nan",
    "inf",
    "-Infinity",
]
NO_NUMBERS += [
    "1e999",
    "-1e999",
    "9" * 5000,
    "-" + "9" * 5000,
    "9" * 10**6,
    "0b1",
    "1L",
    "\u22121",
    "1,5",
]


@pytest.mark.parametrize("method", ["bool", "int", "float"])
@pytest.mark.parametrize(
    "text",
    [*NO_NUMBERS, "true ", " on", "\uff59\uff45\uff53", "\0", "\u017f", "none\n"],
    ids=ascii,
)
def test_value_that_cannot_be_cast_is_an_error_even_with_a_default(method, text):
    query = Query({"a": [text]})
    with pytest.raises(FieldError, match="Key 'a' must be"):
        getattr(query, method)("a", 1)


@pytest.mark.parametrize("method", ["bool", "int", "float"])
def test_default_is_returned_unchanged(method):
    default = object()
    for query in (Query(), Query({"a": []})):
        assert getattr(query, method)("a", default) is default
        assert getattr(query, method)("a", None) is None
        with pytest.raises(FieldError, match="Missing 'a' key"):
            getattr(query, method)("a")


def test_integers_need_no_limit_of_the_interpreter():
    limit = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(0)
    try:
        with pytest.raises(FieldError, match="Key 'a' must be an integer"):
            Query({"a": ["9" * 641]}).int("a")
        sys.set_int_max_str_digits(640)
        assert Query({"a": ["9" * 640]}).int("a") == 10**640 - 1
    finally:
        sys.set_int_max_str_digits(limit)


def test_close_closes_all_files_before_it_raises():
    class Failing(MemoryFile):
        def close(self):
            super().close()
            raise OSError(f"{self.filename} is on a full disk")

    one, two = Part(b"", "f", "one", ""), Part(b"", "f", "two", "")
    all_files = [Failing(one), MemoryFile(one), Failing(two), MemoryFile(two)]
    files = Files({"a": all_files[:2], "b": all_files[2:]})
    with pytest.raises(OSError, match="one is on a full disk") as caught:
        files.close()
    assert "two is on a full disk" in caught.value.__notes__[0]
    assert all(file.closed for file in all_files)


def test_close_closes_all_files_before_an_interrupt_propagates():
    class Failing(MemoryFile):
        def close(self):
            super().close()
            raise self.error

    failing = [Failing(Part(b"", "f", "f", "")) for _ in range(2)]
    failing[0].error, failing[1].error = OSError("full"), KeyboardInterrupt()
    last = MemoryFile(Part(b"", "f", "f", ""))
    with pytest.raises(KeyboardInterrupt):
        Files({"a": [*failing, last]}).close()
    assert last.closed


async def test_files_are_closed_in_a_thread():
    threads = []

    class Told(MemoryFile):
        def close(self):
            threads.append(threading.get_ident())
            super().close()

    files = Files({"a": [Told(Part(b"", "f", "f", ""))]})
    await files.close_async()
    assert files.get("a").closed
    assert threads[0] != threading.get_ident()


def test_close_closes_all_files():
    part = Part(b"", "f", "f", "")
    all_files = [MemoryFile(part) for _ in range(3)]
    with Files({"a": all_files[:2], "b": all_files[2:]}) as files:
        assert files.get("b") is all_files[2]
        assert not any(file.closed for file in all_files)
    assert all(file.closed for file in all_files)
    files.close()


class Tagged(Query):
    """A custom class."""


PAIRS = [("a", "1"), ("b", "x"), ("a", "2")]
SAME = {"a": ["1", "2"], "b": ["x"]}


@pytest.mark.parametrize(
    "items",
    [
        PAIRS,
        iter(PAIRS),
        SAME,
        SAME.items(),
        {"a": ("1", "2"), "b": "x"},
        [("a", ["1", "2"]), ("b", "x")],
        Form(SAME),
    ],
    ids=["pairs", "iterator", "lists", "items", "tuples", "mixed", "form"],
)
def test_values_are_taken_from_pairs_and_mappings(items):
    query = Tagged(items)
    assert type(query) is Tagged
    assert query == SAME
    assert query.list("a") == ["1", "2"]


def test_single_values_are_taken_too():
    assert Query(tag="xyz") == {"tag": ["xyz"]}
    assert Query({"tag": "xyz"}, more=["1", "2"]).list("more") == ["1", "2"]
    assert Query({"a": "1"}, a="2") == {"a": ["1", "2"]}
    assert Query() == Query({}) == Query([]) == {}
    assert Query(self="1", items="2") == {"self": ["1"], "items": ["2"]}
    assert Files({"f": MemoryFile(Part(b"", "f", "f", ""))}).get("f").filename == "f"


def test_no_list_is_shared():
    source = {"a": ["1"]}
    query = Query(source)
    others = [query.copy(), copy.copy(query), copy.deepcopy(query), query | {}, {} | query]
    others += [query | {"b": "2"}, pickle.loads(pickle.dumps(query)), Query(query)]
    merged = Query()
    merged |= query
    merged.update(query)
    for other in [*others, merged]:
        assert type(other) is Query
        other.add("a", "3")
        assert other.list("a") == ["1", "3"]
    assert query == source == {"a": ["1"]}
    values = ["x"]
    query.setlist("a", values)
    values.append("y")
    assert query == {"a": ["x"]}


def test_the_right_side_of_a_union_wins():
    left, right = Tagged(a="1", b="2"), {"b": "3", "c": ["4", "5"]}
    assert left | right == {"a": ["1"], "b": ["3"], "c": ["4", "5"]}
    assert right | left == {"b": ["2"], "c": ["4", "5"], "a": ["1"]}
    assert type(left | right) is type(right | left) is Tagged
    assert left == {"a": ["1"], "b": ["2"]}
    left |= right
    assert left == {"a": ["1"], "b": ["3"], "c": ["4", "5"]}
    left.update({"a": "0"}, c="6")
    left.update()
    assert left == {"a": ["0"], "b": ["3"], "c": ["6"]}


NO_LISTS = ["xyz", b"xyz", bytearray(b"xyz"), {"x": "y"}, 5, None]
UNCLEAR = [{"x"}, frozenset("x"), (x for x in "xyz"), {}.keys(), {}.values()]


class Again:
    """An iterable that yields a text each time."""

    def __iter__(self):
        return iter(["ab"])


NO_PAIRS = ["ab", b"ab", ["ab"], [b"ab"], [("a",)], [("a", "b", "c")], Again(), [1]]
NO_PAIRS += [[{"a", "b"}], 5, 0, None, True]
# What a value, several values or pairs are given to, and what is none of them.
CALLS = {
    "setlist": (lambda query, value: query.setlist("tag", value), NO_LISTS),
    "setdefault": (
        lambda query, value: query.setdefault("tag", value),
        [*NO_LISTS, *UNCLEAR, ("x",)],
    ),
    "item": (
        lambda query, value: query.__setitem__("tag", value),
        [*NO_LISTS, *UNCLEAR, ("x",)],
    ),
    "add": (lambda query, value: query.add("tag", value), [*UNCLEAR, ["x"], ("x",)]),
    "mapping": (lambda query, value: Tagged({"tag": value}), UNCLEAR),
    "keyword": (lambda query, value: Tagged(tag=value), UNCLEAR),
    "update value": (lambda query, value: query.update({"tag": value}), UNCLEAR),
    "update keyword": (lambda query, value: query.update(tag=value), UNCLEAR),
    "or value": (lambda query, value: query | {"tag": value}, UNCLEAR),
    "ror value": (lambda query, value: {"tag": value} | query, UNCLEAR),
    "ior value": (lambda query, value: query.__ior__({"tag": value}), UNCLEAR),
    "fromkeys value": (lambda query, value: query.fromkeys(["tag"], value), UNCLEAR),
    "fromkeys": (lambda query, value: query.fromkeys(value, "x"), ["tag", b"tag", 5, None]),
    "pairs": (lambda query, value: Tagged(value), NO_PAIRS),
    "update": (lambda query, value: query.update(value), NO_PAIRS),
    "or": (lambda query, value: query | value, NO_PAIRS),
    "ror": (lambda query, value: query.__ror__(value), NO_PAIRS),
    "ior": (lambda query, value: query.__ior__(value), NO_PAIRS),
}


@pytest.mark.parametrize(
    ("call", "value"),
    [
        pytest.param(call, value, id=f"{name} {number}")
        for name, (call, values) in CALLS.items()
        for number, value in enumerate(values)
    ],
)
def test_text_is_never_split_into_characters_and_ambiguous_values_are_refused(call, value):
    query = Tagged(SAME)
    with pytest.raises(TypeError, match=r"must be .*, not "):
        call(query, value)
    assert query == SAME


def test_a_file_is_one_value_too():
    """It gives out lines."""
    file = MemoryFile(Part(b"", "f", "f", ""))
    file.write(b"a\nb")
    file.seek(0)
    files = Files()
    for call in (lambda: files.setlist("f", file), lambda: files.update(file)):
        with pytest.raises(TypeError, match=r"not (MemoryFile|bytes)"):
            call()
    files.setlist("f", [file])
    assert files.get("f") is file


def test_text_is_one_value_wherever_one_may_stand():
    expected = {"tag": ["xyz"], "b": ["x", "y"]}
    items = {"tag": "xyz", "b": ["x", "y"]}
    query = Query()
    query.update(items)
    merged = Query()
    merged |= items
    added = Query(b=["x"])
    added.add("tag", "xyz")
    added.add("b", "y")
    pairs = ((key, items[key]) for key in items)
    made = [Query(items), Query(pairs), Query(**items), Query() | items, items | Query()]
    for values in (*made, query, merged, added):
        assert values == expected
        assert values.get("tag") == "xyz"


def test_keys_never_share_a_list_of_values():
    query = Tagged.fromkeys(["a", "b"], ["1", "2"])
    assert (type(query), query) == (Tagged, {"a": ["1", "2"], "b": ["1", "2"]})
    query.add("a", "3")
    assert query.list("b") == ["1", "2"]
    assert Query.fromkeys(("a", "b"), "xyz") == {"a": ["xyz"], "b": ["xyz"]}
    assert Query.fromkeys({"a": 1}) == {"a": []}


def test_a_default_list_is_kept_and_is_the_one_of_the_key():
    query = Query()
    values = []
    assert query.setdefault("a", values) is values
    values.append("1")
    assert query.setdefault("a", ["2"]) is values
    query["a"] = other = ["3"]
    assert query["a"] is other


@pytest.mark.parametrize("name", ["list", "getlist"])
def test_the_list_of_all_values_is_the_callers_own(name):
    query = Query(a=["1", "2"])
    getattr(query, name)("a").append("3")
    assert query == {"a": ["1", "2"]}
    default = []
    assert getattr(query, name)("b", default) is default


@pytest.mark.parametrize("value", [5, 1.5, None, True, b"1", ["1"], MemoryFile], ids=repr)
@pytest.mark.parametrize("method", ["int", "float", "bool"])
def test_only_text_is_cast(method, value):
    query = Query()
    query["a"] = [value]
    with pytest.raises(TypeError, match="The value of 'a' must be text, not"):
        getattr(query, method)("a")
    assert query.cast("a", repr) == repr(value)


def test_files_are_files():
    file = MemoryFile(Part(b"", "f", "f", ""))
    with pytest.raises(TypeError, match="Each of the files must be a file, not int"):
        Files({"a": [5, file]}).close()
    assert file.closed


def test_items_are_lists_or_single_values():
    query = Query(PAIRS)
    assert list(query.items()) == [("a", ["1", "2"]), ("b", ["x"])]
    assert list(query.items(multi=True)) == [("a", "1"), ("a", "2"), ("b", "x")]
    assert Query(query.items(multi=True)) == query
    assert query.getlist("a") == ["1", "2"]
    assert query.getlist("c", []) == []


class Color(enum.Enum):
    RED = "r"


@pytest.mark.parametrize(
    ("function", "text", "value"),
    [
        (datetime.date.fromisoformat, "2026-11-29", datetime.date(2026, 11, 29)),
        (decimal.Decimal, "1.50", decimal.Decimal("1.50")),
        (Color, "r", Color.RED),
        (lambda text: Color[text], "RED", Color.RED),
        (str.upper, "x", "X"),
    ],
    ids=["date", "decimal", "enum", "name", "str"],
)
def test_values_are_cast_by_any_function(function, text, value):
    query = Query(a=text, bad="\ud800", empty=[])
    assert query.cast("a", function) == value
    assert query.cast("b", function, None) is None
    assert query.cast("empty", function, default=0) == 0
    with pytest.raises(FieldError, match="Missing 'b' key"):
        query.cast("b", function)
    if function is not str.upper:
        with pytest.raises(FieldError, match="Key 'bad' must be valid") as caught:
            query.cast("bad", function, None)
        assert caught.value.status == 400


def test_other_errors_of_a_cast_pass_through():
    async def function(text):
        """Nobody would await it."""

    with pytest.raises(TypeError, match="is called and not awaited"):
        Query(a="1").cast("a", function)
    with pytest.raises(TypeError):
        Query(a="1").cast("a", lambda: None)
