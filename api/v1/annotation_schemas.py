"""The shape of an annotation, the same for the page, this API and the live rooms (docs/viewer.md)."""

from typing import Any

from apiflask import Schema
from apiflask.fields import Field, Float, Integer, List, Nested, String
from apiflask.validators import Length, OneOf, Range, Regexp
from marshmallow import EXCLUDE, ValidationError, validates_schema

IN_SPACE = ("sphere", "cuboid")
KINDS = (
    *("text", "arrow", "length", "angle", "cobb", "probe", "freehand", "rectangle", "ellipse"),
    *IN_SPACE,
)
MEASURES = ("length", "angle", "area", "volume", "mean", "sd", "min", "max", "value", "perimeter")
MOST_POINTS = 2000
# How many points each kind has, at least and at most.
POINTS = {
    "text": (1, 2),
    "arrow": (2, 2),
    "length": (2, 2),
    "angle": (3, 3),
    "cobb": (4, 4),
    "probe": (1, 1),
    "freehand": (2, MOST_POINTS),
    "rectangle": (2, 4),
    "ellipse": (2, 4),
    "sphere": (1, 1),
    "cuboid": (4, 4),
}
# Millimetres or pixels: far beyond any image, and no number that breaks arithmetic.
FARTHEST = 1e6
UID = Regexp(r"[0-9A-Za-z._-]{1,64}\Z")


class Number(Float):
    """A finite number; not a text, not true or false."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.make_error("invalid")
        number: float = super()._deserialize(value, *args, **kwargs)
        return number


class Points(Field):
    """A list of points, each of 2 or 3 finite numbers, all alike."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> list[list[float]]:
        if not isinstance(value, list) or not 1 <= len(value) <= MOST_POINTS:
            raise ValidationError(f"1 to {MOST_POINTS} points")
        if not all(isinstance(point, list) and len(point) in (2, 3) for point in value):
            raise ValidationError("a point is a list of 2 or 3 numbers")
        if len({len(point) for point in value}) != 1:
            raise ValidationError("all points have as many numbers")
        return [[_coordinate(number) for number in point] for point in value]


def require_characters(text: str) -> None:
    """Raise `ValidationError` for half a character (a lone surrogate of JSON), which can be kept nowhere."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValidationError("a character is none") from None


def _coordinate(number: Any) -> float:
    is_number = isinstance(number, int | float) and not isinstance(number, bool)
    if not is_number or not abs(number) <= FARTHEST:  # NaN is not at most anything
        raise ValidationError(f"a coordinate is a number within ±{FARTHEST:.0f}")
    return float(number)


class LabelShape(Schema):
    """Where the text stands, in image points."""

    x = Number(required=True, validate=Range(-FARTHEST, FARTHEST))
    y = Number(required=True, validate=Range(-FARTHEST, FARTHEST))


class MeasuredShape(Schema):
    """One number of a measurement."""

    name = String(required=True, validate=OneOf(MEASURES))
    value = Number(required=True)
    unit = String(required=True, validate=[Length(max=16), require_characters])


class AnnotationIn(Schema):
    """One annotation. What the server itself says (author, created_at) is taken and not believed."""

    class Meta:
        """A list that was read may be sent back."""

        unknown = EXCLUDE

    uid = String(required=True, validate=UID)
    kind = String(required=True, validate=OneOf(KINDS))
    series = String(required=True, validate=UID)
    instance = String(load_default=None, allow_none=True, validate=UID)
    frame = Integer(load_default=None, allow_none=True, strict=True, validate=Range(1, 100_000))
    points = Points(
        required=True,
        metadata={
            "type": "array",
            "items": {"type": "array", "items": {"type": "number"}},
            "description": "image points [x, y] (pixels, 0 is the outer corner), or patient points [x, y, z] in mm",
        },
    )
    radius = Number(load_default=None, allow_none=True, validate=Range(0, FARTHEST, min_inclusive=False))
    text = String(load_default="", validate=[Length(max=500), require_characters])
    label = Nested(LabelShape, load_default=None, allow_none=True)
    measured = List(Nested(MeasuredShape), load_default=list, validate=Length(max=16))
    revision = Integer(required=True, strict=True, validate=Range(1, 2**31 - 1))

    @validates_schema
    def require_sense(self, told: dict[str, Any], **_: Any) -> None:
        """Points as many as the kind has, in the plane on an image or in space without one."""
        least, most = POINTS[told["kind"]]
        if not least <= len(told["points"]) <= most:
            raise ValidationError(f"{told['kind']} has {least} to {most} points", "points")
        is_in_space = told["kind"] in IN_SPACE
        if len(told["points"][0]) != (3 if is_in_space else 2):
            raise ValidationError("sphere and cuboid have points of 3 numbers, others of 2", "points")
        if is_in_space != (told["instance"] is None) or is_in_space != (told["frame"] is None):
            raise ValidationError("instance and frame belong to what lies on an image", "instance")
        if (told["kind"] == "sphere") != (told["radius"] is not None):
            raise ValidationError("a sphere has a radius, others have none", "radius")


class AnnotationOut(AnnotationIn):
    """One annotation as it is kept."""

    author = String(metadata={"description": "the name of the doctor"})
    created_at = String(metadata={"description": "ISO 8601 with zone"})


class AnnotationsOut(Schema):
    """All annotations of an exam."""

    annotations = List(Nested(AnnotationOut))


class AnnotationsIn(Schema):
    """What is new or changed, and the uids of what is removed."""

    annotations = List(Nested(AnnotationIn), load_default=list, validate=Length(max=500))
    removed = List(String(validate=UID), load_default=list, validate=Length(max=500))


class MeasurementsIn(Schema):
    """What goes into a measurement report."""

    annotations = List(Nested(AnnotationIn), required=True, validate=Length(1, 500))
