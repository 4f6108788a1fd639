"""Waveforms as curves in millimetres of paper: 25 mm a second, 10 mm a millivolt (PS3.3 §C.10.9)."""

from dataclasses import dataclass

import numpy as np
from pydicom.dataset import Dataset

from imaging.errors import NotDicom
from imaging.facts.values import first_item, items, meaning, numbers, text, whole, word

MM_PER_SECOND, MM_PER_MILLIVOLT = 25.0, 10.0
# From one value a second (a trend) to audio: beyond lies a mistake, and numbers that overflow.
MIN_RATE, MAX_RATE = 1.0, 100_000.0
MAX_GROUPS, MAX_CHANNELS, MAX_SAMPLES, MAX_SECONDS = 4, 32, 2_000_000, 60.0
# The paper of one lead; an amplitude beyond it is cut at its edges.
ROW_MM = 25.0
POINTS_PER_MM = 8
MILLIVOLTS = {"uV": 0.001, "mV": 1.0, "V": 1000.0}
MAX_NOTES = 20


@dataclass(frozen=True)
class Lead:
    """One curve: `path` is SVG path data in mm, the middle of its row at `y`; `scale` says what 10 mm are."""

    name: str
    path: str
    y: float
    scale: str


@dataclass(frozen=True)
class Strip:
    """The leads of one multiplex group on one paper, `width` × `height` mm."""

    title: str
    leads: list[Lead]
    width: float
    height: float
    seconds: float
    is_cut: bool


@dataclass(frozen=True)
class Chart:
    """All of a waveform object; `notes` are what the device wrote about it."""

    strips: list[Strip]
    notes: list[str]


def chart(header: Dataset) -> Chart:
    """Draw a waveform object. Raises `NotDicom` when no group of it can be drawn."""
    groups = items(header, "WaveformSequence", MAX_GROUPS)
    strips = [strip for index, group in enumerate(groups) if (strip := _strip(header, index, group))]
    if not strips:
        raise NotDicom("the waveform cannot be drawn: its samples do not fit its header")
    return Chart(strips, _notes(header))


def _strip(header: Dataset, index: int, group: Dataset) -> Strip | None:
    channels, samples = whole(group, "NumberOfWaveformChannels"), whole(group, "NumberOfWaveformSamples")
    rate = next(iter(numbers(group, "SamplingFrequency", 1)), 0.0)
    bits = whole(group, "WaveformBitsAllocated")
    if not (0 < channels <= MAX_CHANNELS and 1 < samples <= MAX_SAMPLES // channels):
        return None
    if not MIN_RATE <= rate <= MAX_RATE:
        return None
    definitions = items(group, "ChannelDefinitionSequence", MAX_CHANNELS)
    if len(definitions) != channels or bits not in (8, 16, 32):
        return None
    try:
        values = np.asarray(header.waveform_array(index), np.float64)
    except Exception:
        return None
    shown = min(samples, int(MAX_SECONDS * rate))
    if values.shape != (samples, channels) or not np.isfinite(values).all():
        return None
    leads = [
        _lead(values[:shown, number], definition, rate, ROW_MM * (number + 0.5))
        for number, definition in enumerate(definitions)
    ]
    return Strip(
        title=text(group, "MultiplexGroupLabel"),
        leads=leads,
        width=max(25.0, shown / rate * MM_PER_SECOND),
        height=ROW_MM * channels,
        seconds=shown / rate,
        is_cut=shown < samples,
    )


def _lead(values: np.ndarray, definition: Dataset, rate: float, y: float) -> Lead:
    unit = first_item(definition, "ChannelSensitivityUnitsSequence")
    code = word(unit, "CodeValue", 16) if unit is not None else ""
    if code in MILLIVOLTS:
        heights, scale = values * MILLIVOLTS[code] * MM_PER_MILLIVOLT, ""
    else:
        # Pressures and others have no paper of their own: each fills its row.
        low, high = float(values.min()), float(values.max())
        heights = (values - (low + high) / 2) * (0.8 * ROW_MM / ((high - low) or 1.0))
        scale = f"{low:.4g}–{high:.4g} {code}".strip()
    name = meaning(definition, "ChannelSourceSequence") or text(definition, "ChannelLabel")
    return Lead(_short(name), _path(heights, rate, y), y, scale)


def _path(heights: np.ndarray, rate: float, y: float) -> str:
    """A line through all samples, or through the least and greatest of every eighth of a millimetre."""
    heights = np.clip(heights, -ROW_MM / 2, ROW_MM / 2)
    step = max(1, int(rate / MM_PER_SECOND / POINTS_PER_MM * 2))
    if step > 2:
        whole_steps = len(heights) // step * step
        parts = heights[:whole_steps].reshape(-1, step)
        heights = np.column_stack([parts.min(axis=1), parts.max(axis=1)]).ravel()
        rate = rate * 2 / step
    xs = np.arange(len(heights)) * (MM_PER_SECOND / rate)
    points = [f"{x:.2f} {y - height:.2f}" for x, height in zip(xs, heights, strict=True)]
    return "M" + "L".join(points)


def _short(name: str) -> str:
    """Lead I of "Lead I (Einthoven)"."""
    return name.partition("(")[0].replace("Lead", "").strip() or name or "?"


def _notes(header: Dataset) -> list[str]:
    said = (
        text(item, "UnformattedTextValue", 200) for item in items(header, "WaveformAnnotationSequence", 200)
    )
    return list(dict.fromkeys(note for note in said if note))[:MAX_NOTES]
