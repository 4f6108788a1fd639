"""An installation gets the fastest engines of its machine, proven once in a process."""

import secrets
from pathlib import Path

import pytest

from app import engines
from core.config import Settings
from crypto.errors import EngineUnavailable
from crypto.providers.mbx.engine import MbxEngine

pytestmark = pytest.mark.requirement("H2", "H2.4")


def test_engines_of_this_machine_are_chosen_once(tmp_path: Path) -> None:
    chosen = engines.open_engines(Settings(home=str(tmp_path)))
    assert engines.open_engines(Settings(home=str(tmp_path / "other"))) is chosen
    assert [row for row in chosen.report() if row["state"] == "failed"] == []
    key, nonce = bytes(16), bytes(12)
    assert chosen.sm4.open(key, nonce, b"", chosen.sm4.seal(key, nonce, b"", b"image")) == b"image"
    pair = chosen.sm2.generate_many(1)[0]
    assert chosen.sm2_single.verify_many([pair.public], [b"m"], chosen.sm2.sign_many([pair], [b"m"])) == [
        True
    ]


def test_the_fastest_is_tried_first_and_the_reference_last(tmp_path: Path) -> None:
    names = [candidate.name for candidate in engines.candidates(tmp_path, secrets.token_bytes)]
    assert len(set(names)) == len(names)
    assert names[:2] == ["mbx", "ippcp"]
    assert names[-2:] == ["gmssl", "gmssl-reference"]
    assert names.index("portable") < names.index("openssl") < names.index("gmssl")


def test_where_the_processor_has_the_lanes_they_serve(tmp_path: Path) -> None:
    try:
        MbxEngine.load(tmp_path, secrets.token_bytes)
    except EngineUnavailable as reason:
        pytest.skip(str(reason))
    chosen = engines.open_engines(Settings(home=str(tmp_path)))
    assert [chosen.sm4.name, chosen.sm2.name, chosen.sm3.name] == ["mbx"] * 3
