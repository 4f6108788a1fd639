"""Which engine serves what: the first that opens, gives the published answers and agrees with the next one (H2.4).

An engine may offer some services only; each is chosen for itself, so that a library without SM2 costs SM2 alone its speed.
Engines that cannot run here are reported. Engines that are wrong here are reported and raise the alarm; the next one serves.
When two disagree, the one after them judges: the faster one stays if the judge agrees with it, and steps back otherwise.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from crypto import self_test
from crypto.errors import EngineUnavailable
from crypto.provider import Provider, Sm2Engine, Sm3Lanes, Sm4Modes
from crypto.sm2 import self_test as sm2_self_test
from crypto.sm2.exchange import Points


@dataclass(frozen=True)
class Candidate:
    """An engine by its name; `open` raises `EngineUnavailable` where it cannot run.

    `is_quick_alone`: one item costs it less than it costs an engine with lanes, so it takes lone requests.
    `is_configured`: someone asked for it, so that it cannot run is a failure and raises the alarm.
    """

    name: str
    open: Callable[[], object]
    is_quick_alone: bool = False
    is_configured: bool = False


@dataclass(frozen=True)
class Rejected:
    """An engine that does not serve. `service` is empty when it did not open at all; `is_failure`: it was wrong."""

    engine: str
    service: str
    reason: str
    is_failure: bool


@dataclass(frozen=True)
class Engines:
    """One engine for each service, proven at the start."""

    sm4: Provider
    modes: Sm4Modes
    sm3: Sm3Lanes
    sm2: Sm2Engine
    sm2_single: Sm2Engine
    points: Points
    rejected: tuple[Rejected, ...] = ()

    def report(self) -> list[dict[str, str]]:
        """Rows of service, engine, state (`in use`, `unavailable`, `failed`) and reason, for status pages."""
        in_use = [
            {"service": service.title, "engine": getattr(self, field).name, "state": "in use", "reason": ""}
            for field, service in _SERVICES.items()
        ]
        return in_use + [
            {
                "service": one.service,
                "engine": one.engine,
                "state": "failed" if one.is_failure else "unavailable",
                "reason": one.reason,
            }
            for one in self.rejected
        ]


@dataclass(frozen=True)
class _Service:
    title: str
    methods: tuple[str, ...]
    check: Callable[[Any], None]
    cross_check: Callable[[Any, Any], None]


_GCM = ("seal", "open", "seal_many", "open_many")
_SM2 = ("generate_many", "public_keys", "sign_many", "verify_many", "encrypt_many", "decrypt_many", "lanes")


def _check_points(engine: Points) -> None:
    sm2_self_test.check_points(engine.name, engine.multiply)


def _no_cross_check(engine: Points, other: Points) -> None:
    """The known answers of a multiplication leave nothing to compare."""


_SM2_CHECKS = (sm2_self_test.check_sm2, sm2_self_test.cross_check_sm2)
_SERVICES = {
    "sm4": _Service("SM4-GCM", _GCM, self_test.run_self_test, self_test.cross_check_gcm),
    "modes": _Service(
        "SM4 CTR and CBC",
        ("ctr", "cbc_encrypt_many", "cbc_decrypt"),
        self_test.check_modes,
        self_test.cross_check_modes,
    ),
    "sm3": _Service("SM3", ("digest_many",), self_test.check_sm3, self_test.cross_check_sm3),
    "sm2": _Service("SM2 in batches", _SM2, *_SM2_CHECKS),
    "sm2_single": _Service("SM2 one at a time", _SM2, *_SM2_CHECKS),
    "points": _Service("SM2 key exchange", ("multiply",), _check_points, _no_cross_check),
}


def select(candidates: Sequence[Candidate], alarm: Callable[[str], None]) -> Engines:
    """This machine's engines; `candidates` in order of preference. Raises `EngineUnavailable` when a service has none."""
    selection = _Selection(alarm)
    # Of those that are quick alone the first, then the others: sorting keeps their order.
    alone_first = sorted(candidates, key=lambda candidate: not candidate.is_quick_alone)
    chosen: dict[str, Any] = {
        field: selection.choose(service, alone_first if field == "sm2_single" else candidates)
        for field, service in _SERVICES.items()
    }
    return Engines(**chosen, rejected=tuple(selection.rejected))


class _Selection:
    """Opens each engine once, proves it once for each service."""

    def __init__(self, alarm: Callable[[str], None]) -> None:
        self.rejected: list[Rejected] = []
        self._alarm = alarm
        self._opened: dict[str, object | None] = {}
        self._proven: dict[tuple[str, Callable[[Any], None]], bool] = {}

    def choose(self, service: _Service, candidates: Sequence[Candidate]) -> object:
        engines = self._proven_engines(service, candidates)
        chosen = next(engines, None)
        while chosen is not None:
            other = next(engines, None)
            if other is None:
                return chosen
            difference = _difference(service, chosen, other)
            if difference is None:
                return chosen
            judge = next(engines, None)
            if judge is not None and _difference(service, chosen, judge) is None:
                self._fail(other.name, service.title, difference)
                return chosen
            self._fail(chosen.name, service.title, difference)
            chosen, engines = other, chain(() if judge is None else (judge,), engines)
        raise EngineUnavailable(
            f"no engine for {service.title} on this machine; install the packages of requirements.txt again"
        )

    def _proven_engines(self, service: _Service, candidates: Sequence[Candidate]) -> Iterator[Any]:
        for candidate in candidates:
            engine = self._open(candidate)
            if engine is not None and self._is_proven(candidate, engine, service):
                yield engine

    def _open(self, candidate: Candidate) -> object | None:
        if candidate.name not in self._opened:
            self._opened[candidate.name] = self._try_to_open(candidate)
        return self._opened[candidate.name]

    def _try_to_open(self, candidate: Candidate) -> object | None:
        try:
            return candidate.open()
        except EngineUnavailable as reason:
            if candidate.is_configured:
                self._fail(candidate.name, "", reason)
            else:
                self.rejected.append(Rejected(candidate.name, "", str(reason), is_failure=False))
        except Exception as error:
            self._fail(candidate.name, "", error)
        return None

    def _is_proven(self, candidate: Candidate, engine: object, service: _Service) -> bool:
        if not all(hasattr(engine, method) for method in service.methods):
            return False
        key = (candidate.name, service.check)
        if key not in self._proven:
            error = _error_of(service.check, engine)
            if error is not None:
                self._fail(candidate.name, service.title, error)
            self._proven[key] = error is None
        return self._proven[key]

    def _fail(self, engine: str, title: str, error: Exception) -> None:
        reason = str(error) or type(error).__name__
        self.rejected.append(Rejected(engine, title, reason, is_failure=True))
        self._alarm(f"crypto engine {engine} is not used{f' for {title}' if title else ''}: {reason}")


def _difference(service: _Service, engine: Any, other: Any) -> Exception | None:
    return _error_of(service.cross_check, engine, other)


def _error_of(check: Callable[..., None], *engines: Any) -> Exception | None:
    """What the check raised. Whatever a broken library makes of it: that one does not serve, and the others go on."""
    try:
        check(*engines)
    except Exception as error:
        return error
    return None
