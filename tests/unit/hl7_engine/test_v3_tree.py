"""XML from outside: what is refused, what is forgiven, and what is read by local names."""

import pytest

from hl7_engine.errors import Unreadable
from hl7_engine.v3 import tree

pytestmark = pytest.mark.requirement("P2", "F6")


@pytest.mark.parametrize(
    "text",
    [
        '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
        '<?xml version="1.0"?>\n<!-- one --><?pi two?>\n<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
        "\ufeff<!DOCTYPE a><a/>",
        '<!ENTITY b "c"><a>&b;</a>',
    ],
)
def test_a_dtd_is_refused_before_it_is_parsed(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tree, "_parsed", lambda _text: pytest.fail("it was parsed"))
    with pytest.raises(Unreadable, match="DTD"):
        tree.parse(text.encode())


def test_what_only_looks_like_a_dtd_is_text() -> None:
    assert tree.parse(b"<a><![CDATA[<!DOCTYPE b>]]></a>").text == "<!DOCTYPE b>"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"MSH|",
        b"<a>",
        b"<a>&b;</a>",
        b"<a/><b/>",
        b"<!-- no end",
        b"<?xml ",
        b"<a>\x00</a>",
        b"<a b=1/>",
    ],
)
def test_what_is_no_xml_is_refused(content: bytes) -> None:
    with pytest.raises(Unreadable, match="no XML"):
        tree.parse(content)


def test_no_refusal_repeats_what_was_sent() -> None:
    with pytest.raises(Unreadable) as refused:
        tree.parse("<a><name>张珅東</name><id>330683198506151230</b></a>".encode())
    assert not {"张", "3306"} & set(str(refused.value))
    assert "line 1" in str(refused.value)


def test_depth_is_limited() -> None:
    assert tree.parse(b"<a>" * 100 + b"</a>" * 100)
    with pytest.raises(Unreadable, match="nested"):
        tree.parse(b"<a>" * 101 + b"</a>" * 101)
    with pytest.raises(Unreadable):
        tree.parse(b"<a>" * 100_000 + b"</a>" * 100_000)


def test_elements_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tree, "MAX_ELEMENTS", 10)
    assert tree.parse(b"<a>" + b"<b/>" * 9 + b"</a>")
    with pytest.raises(Unreadable, match="elements"):
        tree.parse(b"<a>" + b"<b/>" * 10 + b"</a>")


def test_blanks_before_the_root_are_passed_over_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[int] = []

    class Counting(str):
        def startswith(self, *arguments: object) -> bool:
            steps.append(1)
            return super().startswith(*arguments)  # type: ignore[arg-type]

    tree._require_no_dtd(Counting("<?a?>" + " " * 1_000_000 + "<a/>"))
    assert len(steps) < 10
    with pytest.raises(Unreadable, match="DTD"):
        tree.parse(b"<?a?>" + b" " * 1_000_000 + b"<!DOCTYPE a><a/>")


def test_marks_are_counted_before_anything_is_looked_through(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tree, "_require_no_dtd", lambda _text: pytest.fail("it was looked through"))
    with pytest.raises(Unreadable, match="more than"):
        tree.parse(b"<?a?>" * 700_000 + b"<a/>")


@pytest.mark.parametrize("content", [b"<a>" + b"<b/>" * 700_000 + b"</a>", b"<a " + b'b="" ' * 1_000_001])
def test_too_many_marks_are_refused_unparsed(content: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tree, "_parsed", lambda _text: pytest.fail("it was parsed"))
    with pytest.raises(Unreadable, match="more than"):
        tree.parse(content)


def test_size_is_limited() -> None:
    with pytest.raises(Unreadable, match="MB"):
        tree.parse(b"<a>12345</a>", most=10)
    with pytest.raises(Unreadable, match="32 MB"):
        tree.parse(b" " * (tree.MAX_BYTES + 1))


def test_a_report_with_its_pdf_in_one_text_is_read() -> None:
    assert len(tree.parse(b"<a>" + b"x" * 12_000_000 + b"</a>").text) == 12_000_000


@pytest.mark.parametrize("prolog", ["", '<?xml version="1.0"?>', '<?xml version="1.0" encoding="gb2312"?>'])
@pytest.mark.parametrize("declared", [None, "gb2312", "utf-8"])
def test_gb18030_is_read_whatever_is_declared(prolog: str, declared: str | None) -> None:
    content = f"{prolog}<a>张珅東璡</a>".encode("gb18030")
    assert tree.parse(content, declared).text == "张珅東璡"


def test_declared_characters_decide_where_the_bytes_do_not() -> None:
    # C4 A7: 魔 in GB2312, and a letter of Maltese in UTF-8.
    content = '<?xml version="1.0" encoding="GB2312"?><a>魔</a>'.encode("gb18030")
    assert content.decode("utf-8")
    assert tree.parse(content).text == "魔"
    assert tree.parse("<a>魔</a>".encode("gb18030"), "gb2312").text == "魔"


def test_namespaces_do_not_matter() -> None:
    plain = tree.parse(b'<a><b c="1"/></a>')
    spaced = tree.parse(b'<x:a xmlns:x="urn:one" xmlns:y="urn:two"><x:b y:c="1"/></x:a>')
    assert plain.name == spaced.name == "a"
    assert plain.at("b").get("c") == spaced.at("b").get("c") == "1"


def test_prefixes_whose_declaration_was_stripped_are_forgiven() -> None:
    root = tree.parse('<?xml version="1.0"?><!-- x --><v3:a><b xsi:type="ST" p:c="1">文</b></v3:a>'.encode())
    assert (root.name, root.at("b").get("type"), root.at("b").get("c"), root.text) == ("a", "ST", "1", "文")


def test_what_is_missing_is_empty_however_deep() -> None:
    missing = tree.parse(b"<a/>").at("b/c")
    assert (bool(missing), missing.name, missing.text, missing.get("d"), missing.children) == (
        False,
        "",
        "",
        "",
        [],
    )
    assert not missing.at("e/f")
    assert not list(missing.everything())
    assert not missing.first("g")
