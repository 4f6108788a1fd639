"""Which engine serves: a missing one is passed over, a wrong one raises the alarm, its successor takes over."""

import secrets
from collections.abc import Callable, Sequence

import pytest

from crypto.errors import EngineUnavailable
from crypto.provider import USER_ID, KeyPair
from crypto.providers.gmssl_reference import GmsslReferenceProvider
from crypto.providers.gmssl_sm2 import GmsslSm2
from crypto.providers.openssl_sm2 import OpenSslSm2
from crypto.providers.portable import PortableProvider
from crypto.selection import Candidate, Engines, select

pytestmark = pytest.mark.requirement("H2", "H2.4")

PORTABLE = Candidate("portable", PortableProvider)
OPENSSL = Candidate("openssl", lambda: OpenSslSm2(secrets.token_bytes))
GMSSL_SM4 = Candidate("gmssl-reference", GmsslReferenceProvider)


def unavailable() -> object:
    raise EngineUnavailable("no such card")


def broken_library() -> object:
    raise AttributeError("undefined symbol: mbx_sm2")


def chosen(*candidates: Candidate) -> tuple[Engines, list[str]]:
    alarms: list[str] = []
    return select(candidates, alarms.append), alarms


def test_the_first_that_offers_a_service_takes_it() -> None:
    engines, alarms = chosen(PORTABLE, OPENSSL)
    assert [engines.sm4.name, engines.modes.name, engines.sm3.name] == ["portable"] * 3
    assert [engines.sm2.name, engines.sm2_single.name, engines.points.name] == ["openssl"] * 3
    assert engines.rejected == ()
    assert alarms == []


def test_what_cannot_run_here_is_reported_without_alarm() -> None:
    engines, alarms = chosen(Candidate("card", unavailable), PORTABLE, OPENSSL)
    assert alarms == []
    assert engines.report() == [
        *(
            {"service": service, "engine": engine, "state": "in use", "reason": ""}
            for service, engine in [
                ("SM4-GCM", "portable"),
                ("SM4 CTR and CBC", "portable"),
                ("SM3", "portable"),
                ("SM2 in batches", "openssl"),
                ("SM2 one at a time", "openssl"),
                ("SM2 key exchange", "openssl"),
            ]
        ),
        {"service": "", "engine": "card", "state": "unavailable", "reason": "no such card"},
    ]


def test_what_was_configured_and_cannot_run_raises_the_alarm() -> None:
    engines, alarms = chosen(Candidate("sdf", unavailable, is_configured=True), PORTABLE, OPENSSL)
    assert alarms == ["crypto engine sdf is not used: no such card"]
    assert engines.rejected[0].is_failure


def test_a_library_that_breaks_while_it_opens_raises_the_alarm() -> None:
    engines, alarms = chosen(Candidate("card", broken_library), PORTABLE, OPENSSL)
    assert engines.rejected[0].is_failure
    assert alarms == ["crypto engine card is not used: undefined symbol: mbx_sm2"]


class AcceptsAll(OpenSslSm2):
    name = "accepts-all"

    def verify_many(
        self,
        publics: Sequence[bytes],
        messages: Sequence[bytes],
        signatures: Sequence[bytes],
        user_id: bytes = USER_ID,
    ) -> list[bool]:
        return [True] * len(publics)


class RefusesAll(OpenSslSm2):
    name = "refuses-all"

    def verify_many(
        self,
        publics: Sequence[bytes],
        messages: Sequence[bytes],
        signatures: Sequence[bytes],
        user_id: bytes = USER_ID,
    ) -> list[bool]:
        return [False] * len(publics)


class RepeatsNonces(OpenSslSm2):
    name = "repeats-nonces"

    def sign_many(
        self, pairs: Sequence[KeyPair], messages: Sequence[bytes], user_id: bytes = USER_ID
    ) -> list[bytes]:
        return super().sign_many(pairs[:1], messages[:1], user_id) * len(pairs)


class OnePair(OpenSslSm2):
    name = "one-pair"

    def generate_many(self, count: int) -> list[KeyPair]:
        return super().generate_many(1) * count


class ReleasesUnchecked(OpenSslSm2):
    name = "releases-unchecked"

    def decrypt_many(self, pairs: Sequence[KeyPair], ciphertexts: Sequence[bytes]) -> list[bytes | None]:
        opened = super().decrypt_many(pairs, ciphertexts)
        return [plain or bytes(len(sealed) - 96) for plain, sealed in zip(opened, ciphertexts, strict=True)]


class SwapsLanes(OpenSslSm2):
    name = "swaps-lanes"
    lanes = 2

    def encrypt_many(self, publics: Sequence[bytes], plaintexts: Sequence[bytes]) -> list[bytes]:
        return super().encrypt_many(publics, plaintexts)[::-1]


class Crashes(OpenSslSm2):
    name = "crashes"

    def public_keys(self, privates: Sequence[bytes]) -> list[bytes]:
        raise OSError("segment not present")


@pytest.mark.parametrize(
    ("kind", "what"),
    [
        (AcceptsAll, "refusal of altered signatures"),
        (RefusesAll, "verification"),
        (RepeatsNonces, "signing with new pairs"),
        (OnePair, "new pairs"),
        (ReleasesUnchecked, "refusal of altered ciphertexts"),
        (SwapsLanes, "encrypting to new pairs"),
        (Crashes, "segment not present"),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_a_wrong_sm2_engine_falls_to_the_next_with_one_alarm(kind: type[OpenSslSm2], what: str) -> None:
    wrong = Candidate(kind.name, lambda: kind(secrets.token_bytes))
    engines, alarms = chosen(wrong, PORTABLE, OPENSSL)
    assert [engines.sm2.name, engines.sm2_single.name] == ["openssl"] * 2
    assert len(alarms) == 1
    assert kind.name in alarms[0]
    assert what in alarms[0]
    assert [(one.engine, one.is_failure) for one in engines.rejected] == [(kind.name, True)]


class WrongDigest(PortableProvider):
    name = "wrong-digest"

    def digest_many(self, messages: Sequence[bytes]) -> list[bytes]:
        return super().digest_many(messages)[::-1]


class WrongCounter(PortableProvider):
    """As an engine would be whose counter has 32 bits."""

    name = "wrong-counter"

    def ctr(self, key: bytes, iv: bytes, data: bytes) -> bytes:
        if iv == b"\xff" * 16:
            after = iv[:12] + bytes(4)
            return super().ctr(key, iv, data[:16]) + super().ctr(key, after, data[16:])
        return super().ctr(key, iv, data)


class WrongCbc(PortableProvider):
    name = "wrong-cbc"

    def cbc_decrypt(self, key: bytes, iv: bytes, data: bytes) -> bytes:
        return super().cbc_decrypt(key, bytes(16), data)


@pytest.mark.parametrize(
    ("kind", "service"),
    [(WrongDigest, "SM3"), (WrongCounter, "SM4 CTR and CBC"), (WrongCbc, "SM4 CTR and CBC")],
    ids=lambda value: getattr(value, "name", ""),
)
def test_a_wrong_sm3_or_mode_costs_the_engine_that_service_alone(
    kind: Callable[[], object], service: str
) -> None:
    engines, alarms = chosen(Candidate("wrong", kind), PORTABLE, OPENSSL)
    assert engines.sm4.name.startswith("wrong")
    assert [row["service"] for row in engines.report() if row["state"] == "failed"] == [service]
    assert len(alarms) == 1


class WrongAtLength33(PortableProvider):
    """Passes the published answers: only the comparison with another engine finds it."""

    name = "wrong-at-33"

    def digest_many(self, messages: Sequence[bytes]) -> list[bytes]:
        digests = super().digest_many(messages)
        return [
            bytes(32) if len(message) == 33 else digest
            for message, digest in zip(messages, digests, strict=True)
        ]


def test_an_engine_that_two_others_contradict_steps_back() -> None:
    engines, alarms = chosen(Candidate("wrong", WrongAtLength33), PORTABLE, OPENSSL, GMSSL_SM4)
    assert engines.sm3.name == "portable"
    assert ["SM3 compared with portable" in alarm for alarm in alarms] == [True]


def test_a_wrong_second_engine_does_not_push_the_first_one_out() -> None:
    engines, alarms = chosen(PORTABLE, Candidate("wrong", WrongAtLength33), OPENSSL, GMSSL_SM4)
    assert engines.sm3.name == "portable"
    assert [alarm.startswith("crypto engine wrong-at-33 is not used for SM3") for alarm in alarms] == [True]


def test_of_two_that_differ_the_slower_one_serves() -> None:
    engines, alarms = chosen(Candidate("wrong", WrongAtLength33), OPENSSL, PORTABLE)
    assert engines.sm3.name == "portable"
    assert len(alarms) == 1


class AlteredForOthers(OpenSslSm2):
    """Consistent with itself, and with no one else."""

    name = "own-dialect"

    def encrypt_many(self, publics: Sequence[bytes], plaintexts: Sequence[bytes]) -> list[bytes]:
        return [b"dialect" + one for one in super().encrypt_many(publics, plaintexts)]

    def decrypt_many(self, pairs: Sequence[KeyPair], ciphertexts: Sequence[bytes]) -> list[bytes | None]:
        return super().decrypt_many(pairs, [one.removeprefix(b"dialect") for one in ciphertexts])


def test_sm2_of_a_dialect_is_found_by_the_cross_check() -> None:
    dialect = Candidate("own-dialect", lambda: AlteredForOthers(secrets.token_bytes))
    engines, alarms = chosen(dialect, PORTABLE, OPENSSL)
    assert engines.sm2.name == "openssl"
    assert all("ciphertexts" in alarm and "own-dialect (against openssl)" in alarm for alarm in alarms)
    # Multiplying points it can.
    assert engines.points.name == "own-dialect"


class QuickAlone(OpenSslSm2):
    name = "quick-alone"


def test_lone_requests_go_to_the_engine_that_is_quick_alone() -> None:
    quick = Candidate("quick-alone", lambda: QuickAlone(secrets.token_bytes), is_quick_alone=True)
    engines, _ = chosen(OPENSSL, quick, PORTABLE)
    assert engines.sm2.name == "openssl"
    assert engines.sm2_single.name == "quick-alone"


def test_each_engine_is_opened_once() -> None:
    opened: list[str] = []

    def open_portable() -> object:
        opened.append("portable")
        return PortableProvider()

    chosen(Candidate("portable", open_portable), OPENSSL)
    assert opened == ["portable"]


def test_without_any_engine_for_a_service_nothing_starts() -> None:
    with pytest.raises(EngineUnavailable, match="no engine for SM2 in batches"):
        chosen(PORTABLE, Candidate("card", unavailable))


def test_the_slow_reference_serves_where_nothing_else_does() -> None:
    gmssl = Candidate("gmssl", lambda: GmsslSm2(secrets.token_bytes))
    engines, alarms = chosen(GMSSL_SM4, gmssl)
    assert {row["engine"] for row in engines.report()} == {"gmssl-reference", "gmssl"}
    assert alarms == []
