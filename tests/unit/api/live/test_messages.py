"""What clients may say: anything else is refused in words that do not repeat it."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.live import messages
from api.live.messages import Ask, Bye, Give, Hello, Pointer, State, Take
from core.errors import Refused

pytestmark = pytest.mark.requirement("K4", "K5")

UID = "1.2.840.1"
PATIENT_POINT = {"x": 1.5, "y": -2, "z": 0}
IMAGE_POINT = {"x": 0, "y": 511.5, "instance": UID, "frame": 1}

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)
kinds = st.sampled_from(["hello", "state", "pointer", "ask", "give", "take", "bye", "welcome"])
field = st.sampled_from(["cell", "part", "data", "point", "to", "name", "last", "seq"])
part = st.sampled_from([*messages.PARTS, "pixels"])


def said(kind: str, **told: Any) -> str:
    return json.dumps({"v": 1, "kind": kind, **told})


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        (said("hello", name="甲"), Hello("甲", "", "", 0)),
        (said("hello", last={"you": "p1", "epoch": "e", "seq": 4}), Hello("", "p1", "e", 4)),
        (said("state", cell=None, part="layout", data=None), State(None, "layout", None)),
        (said("state", cell=63, part="voi", data={"center": 40.5}), State(63, "voi", {"center": 40.5})),
        (said("pointer", cell=0, point=PATIENT_POINT), Pointer(0, PATIENT_POINT)),
        (said("pointer", cell=0, point=IMAGE_POINT), Pointer(0, IMAGE_POINT)),
        (said("pointer", cell=0, point=None), Pointer(0, None)),
        (said("ask"), Ask()),
        (said("give", to="p2"), Give("p2")),
        (said("take"), Take()),
        (said("bye"), Bye()),
    ],
)
def test_what_may_be_said_is_understood(text: str, meant: object) -> None:
    assert messages.parse(text) == meant


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "null",
        '{"kind":"ask"}',
        said("shout"),
        said("state", cell=64, part="voi", data=1),
        said("state", cell=-1, part="voi", data=1),
        said("state", cell=True, part="voi", data=1),
        said("state", cell=0, part="pixels", data=1),
        said("state", cell=0, part="voi"),
        said("state", cell=0, part=["voi"], data=1),
        said("state", cell=0, part="voi", data=2**53 + 1),
        said("state", cell=0, part="voi", data=10**400),
        said("pointer", cell=0, point={"x": 10**400, "y": 1}),
        said("give", to="\ud800"),
        said("state", cell=0, part="voi", data=float("nan")),
        '{"v":1,"kind":"state","cell":0,"part":"voi","data":1e999}',
        '{"v":1,"kind":"state","cell":0,"part":"voi","data":{"__proto__":1}}',
        '{"v":1,"kind":"state","cell":0,"cell":1,"part":"voi","data":1}',
        '{"v":1,"kind":"state","cell":0,"part":"voi","data":' + "[" * 16 + "1" + "]" * 16 + "}",
        "[" * 30_000,
        '{"v":1,"kind":"state","cell":0,"part":"voi","data":' + "9" * 30_000 + "}",
        said("pointer", cell=0, point={"x": 1}),
        said("pointer", cell=0, point={"x": 1, "y": "2"}),
        said("pointer", cell=0, point={"x": 1, "y": 2, "html": "<img>"}),
        said("pointer", cell=0, point={"x": 1, "y": 2, "instance": "1" * 65}),
        said("give"),
        said("give", to="p" * 33),
        said("hello", name=1),
        said("hello", last={"you": "p1"}),
    ],
)
def test_everything_else_is_refused(text: str) -> None:
    with pytest.raises(Refused) as refusal:
        messages.parse(text)
    assert len(str(refusal.value)) < 100


def test_nesting_has_a_limit_that_films_do_not_reach() -> None:
    deep = '{"v":1,"kind":"state","cell":0,"part":"voi","data":' + "[" * 14 + "1" + "]" * 14 + "}"
    assert isinstance(messages.parse(deep), State)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("  张 \n 三 ", "张 三"),
        ("a\u202eb\u2066c\u200d\x00", "abc"),
        ("字" * 99, "字" * 24),
        ("<img>", "<img>"),
    ],
)
def test_names_are_text_without_what_is_not_seen(name: str, shown: str) -> None:
    assert messages.parse(said("hello", name=name)) == Hello(shown, "", "", 0)


@given(st.dictionaries(field, anything, max_size=4), kinds, part, st.integers(0, 70))
def test_whatever_is_said_is_understood_or_refused(
    told: dict[str, Any], kind: str, which: str, cell: int
) -> None:
    text = json.dumps({"cell": cell, "part": which, **told, "v": 1, "kind": kind})
    try:
        meant = messages.parse(text)
        if isinstance(meant, State):
            written = messages.write("state", cell=meant.cell, part=meant.part, data=meant.data)
            assert json.loads(written.encode())["data"] == meant.data
    except Refused:
        pass


def test_half_a_character_is_not_handed_on() -> None:
    state = messages.parse('{"v":1,"kind":"state","cell":0,"part":"voi","data":"\\ud800"}')
    assert isinstance(state, State)
    with pytest.raises(Refused):
        messages.write_json(state.data)
