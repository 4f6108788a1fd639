"""Area `crypto`: the notice's table for the crypto server, by CPU time and by the clock, beside other libraries.

Each line is measured with the engine that serves it here, with what would serve on a machine without AVX-512 IFMA and on one
of any kind, and with `gmssl`, `cryptography` and the system's OpenSSL. Goals: issue 5 of the project.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench.crypto_engines import LIBRARIES, Tier, peers, tiers
from bench.crypto_files import FILE_LINE, file_seal_rates
from bench.crypto_lines import LINES, Line
from bench.crypto_rates import THREADS, Rates, rates
from bench.crypto_vault import vault_figures
from bench.figure import Figure, spread


@dataclass(frozen=True)
class _Measured:
    """One line of one tier."""

    line: Line
    value: float


def measure(only: str) -> Iterator[Figure]:
    """The figures of this area whose name contains `only`; at the end which lines of the notice are met."""
    with TemporaryDirectory() as folder:
        found = tiers(Path(folder) / "engines")
        others = peers(Path(folder) / "engines")
        reached: dict[str, list[_Measured]] = {tier.mark: [] for tier in found}
        for line in LINES:
            wanted = [tier for tier in found if only in _name(line, tier)]
            beside = _peer_rates(line, others) if wanted else []
            # Tiers that share an engine share its rates.
            known: dict[str, Rates] = {}
            for tier in wanted:
                engine = tier.server_of(line.service)
                measured = known[engine.name] = known.get(engine.name) or rates(line.work(engine))
                reached[tier.mark].append(_Measured(line, measured.value))
                yield _figure(line, tier, measured, beside)
        sealed: dict[str, Rates] = {}
        for tier in [tier for tier in found if only in _name(FILE_LINE, tier)]:
            name = tier.engines.sm4.name
            measured = sealed[name] = sealed.get(name) or file_seal_rates(tier, Path(folder))
            reached[tier.mark].append(_Measured(FILE_LINE, measured.by_the_clock))
            yield _file_figure(tier, measured)
        if any(only in name for name in ("store_200k_keys_s", "find_key_ms")):
            yield from (figure for figure in vault_figures(found[0], Path(folder)) if only in figure.name)
        yield from (_verdict(tier, reached[tier.mark]) for tier in found if only in _verdict_name(tier))


def _peer_rates(line: Line, others: list[Any]) -> list[tuple[str, float]]:
    """By library. RSA generators and engines have methods of different names."""
    return [
        (LIBRARIES.get(peer.name, peer.name), rates(line.work(peer)).value)
        for peer in others
        if hasattr(peer, line.method)
    ]


def _figure(line: Line, tier: Tier, measured: Rates, beside: list[tuple[str, float]]) -> Figure:
    engine = tier.server_of(line.service).name
    best, best_rate = max(beside, key=lambda peer: peer[1])
    note = [
        f"{tier.title}: engine {engine}, {THREADS} threads by CPU time",
        spread(measured.cpu),
        f"by the clock {_number(measured.by_the_clock)}",
        *(f"{library} {_number(rate)}" for library, rate in beside),
        *_asked(line, measured.value, tier),
    ]
    ratio = round(measured.value / best_rate, 2)
    value = round(measured.value, 1)
    return Figure(_name(line, tier), value, line.unit, best, round(best_rate, 1), ratio, "; ".join(note))


def _file_figure(tier: Tier, sealed: Rates) -> Figure:
    note = [
        f"{tier.title}: engine {tier.engines.sm4.name}, {THREADS} threads, by the clock: read, sealed, written, synced",
        spread(sealed.wall),
        f"by CPU time {_number(sealed.value)} a core",
        *_asked(FILE_LINE, sealed.by_the_clock, tier),
    ]
    name = _name(FILE_LINE, tier)
    return Figure(name, round(sealed.by_the_clock, 1), FILE_LINE.unit, note="; ".join(note))


def _verdict(tier: Tier, reached: list[_Measured]) -> Figure:
    """How many lines of the notice this tier meets, and which."""
    asked = [one for one in reached if one.line.notice is not None]
    met = [one.line.name for one in asked if one.value > (one.line.notice or 0)]
    missed = [one.line.name for one in asked if one.line.name not in met]
    note = f"{tier.title}, of {len(asked)} measured: met {', '.join(met) or 'none'}; not met {', '.join(missed) or 'none'}"
    return Figure(_verdict_name(tier), len(met), "lines", note=note)


def _asked(line: Line, value: float, tier: Tier) -> Iterator[str]:
    if line.notice is not None:
        verdict = "met" if value > line.notice else "not met"
        yield f"notice {_number(line.notice)}: {verdict}, ×{value / line.notice:.2f}"
    if line.goal is not None and tier.has_lanes:
        yield f"goal {_number(line.goal)}: {'met' if value >= line.goal else 'not met'}"


def _name(line: Line, tier: Tier) -> str:
    """`sm2_sign_per_s`, and `sm2_sign_portable_per_s` for another tier."""
    if not tier.mark:
        return line.name
    unit = next(end for end in ("_mbit_per_s", "_mb_per_s", "_per_s") if line.name.endswith(end))
    return f"{line.name.removesuffix(unit)}_{tier.mark}{unit}"


def _verdict_name(tier: Tier) -> str:
    return f"notice_lines_met_{tier.mark}" if tier.mark else "notice_lines_met"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:,.3g}"
