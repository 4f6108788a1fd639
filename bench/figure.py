"""One figure of a benchmark, and how a list of them is shown."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from statistics import median

ROUNDS = 5


@dataclass(frozen=True)
class Figure:
    """`ratio`: how many times better than the peer we are, or than the goal allows; None when nothing is compared."""

    name: str
    value: float
    unit: str
    peer: str = ""
    peer_value: float | None = None
    ratio: float | None = None
    note: str = ""


def more_is_better(
    name: str, ours: list[float], unit: str, peer: str, theirs: list[float], note: str
) -> Figure:
    """Rates of ours beside those of a peer."""
    value, peer_value = median(ours), median(theirs)
    return Figure(name, round(value, 1), unit, peer, round(peer_value, 1), round(value / peer_value, 2), note)


def less_is_better(name: str, ours: list[float], unit: str, goal: float, note: str) -> Figure:
    """Costs of ours beside what they may be."""
    value = median(ours)
    return Figure(name, round(value, 3), unit, "goal", goal, round(goal / value, 2), note)


def spread(values: list[float]) -> str:
    """Least and most of the rounds, for a note."""
    return f"{len(values)} rounds, {min(values):,.4g} to {max(values):,.4g}"


def as_json(figures: Iterable[Figure]) -> str:
    """For programs."""
    return json.dumps([asdict(figure) for figure in figures], ensure_ascii=False, indent=2)


def as_text(figure: Figure) -> str:
    """One line for people."""
    compared = ""
    if figure.peer_value is not None:
        compared = f"  {figure.peer} {figure.peer_value:,}"
    if figure.ratio is not None:
        compared += f"  ×{figure.ratio:,}"
    return f"{figure.name:<32} {figure.value:>12,} {figure.unit:<8}{compared}\n{'':<32} {figure.note}"
