"""The y of a multiple of a point, from x alone: the library's public calls give only x of kP.

Asked once more with k + 1 they give x of kP + P too. With P = (xp, yp), Q = kP = (xq, yq) and kP + P = (xs, …), the law of
addition says (xs + xq + xp)(xq - xp)² = (yq - yp)², and yq² is known from the curve, so that
yq = (xq³ + a·xq + b + yp² - (xs + xq + xp)(xq - xp)²) / 2yp. The curve has odd order, hence yp ≠ 0.

Integers of Python take times that differ a little with their values; scalars never become integers here, coordinates do.
"""

from collections.abc import Sequence

from crypto.errors import EngineUnavailable
from crypto.providers.mbx.buffers import Bytes
from crypto.sm2.curve import SCALAR_SIZE, A, B, P


def integers(rows: Bytes) -> list[int]:
    """Rows of 32 bytes, read big-endian."""
    data = rows.tobytes()
    return [int.from_bytes(data[at : at + SCALAR_SIZE], "big") for at in range(0, len(data), SCALAR_SIZE)]


def second_coordinates(points: Sequence[tuple[int, int]], multiples: Bytes, following: Bytes) -> list[bytes]:
    """y of kP, 32 bytes, for points P on the curve, rows x of kP and rows x of (k+1)P, 1 ≤ k ≤ n - 2.

    Raises `EngineUnavailable` where the two answers do not belong to one point: the engine miscalculated.
    """
    halves = _inverses([2 * y for _, y in points])
    result = []
    for (x, y), half, xq, xs in zip(points, halves, integers(multiples), integers(following), strict=True):
        if xq == x:  # k = 1: for -P it would have to be n - 1
            result.append(y.to_bytes(SCALAR_SIZE, "big"))
            continue
        squared = ((xq * xq + A) * xq + B) % P
        step = xq - x
        yq = (squared + y * y - (xs + xq + x) * step * step) * half % P
        if (yq * yq - squared) % P:
            raise EngineUnavailable("the mbx engine gave two multiples of a point that do not fit together")
        result.append(yq.to_bytes(SCALAR_SIZE, "big"))
    return result


def _inverses(numbers: Sequence[int]) -> list[int]:
    """Modulo p, none of them zero, by one inversion for all (Montgomery's trick)."""
    products, product = [], 1
    for number in numbers:
        products.append(product)
        product = product * number % P
    inverse = pow(product, -1, P)
    result = []
    for number, before in zip(reversed(numbers), reversed(products), strict=True):
        result.append(inverse * before % P)
        inverse = inverse * number % P
    return result[::-1]
