"""Points, keys, identities: what is in range and what is not."""

import pytest

from crypto.errors import InputRefused, KeyRefused, SourceFailed
from crypto.sm2 import curve, identity

pytestmark = pytest.mark.requirement("H2", "H2.1")

X, Y = curve.G[:32], curve.G[32:]
MINUS_G = X + (curve.P - int.from_bytes(Y, "big")).to_bytes(32, "big")
# GB/T 32918.5-2017, appendix A.
PUBLIC = bytes.fromhex(
    "09f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020"
    "ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13"
)


def scalar(value: int) -> bytes:
    return value.to_bytes(32, "big")


def test_the_base_point_and_a_published_key_are_points() -> None:
    assert curve.is_point(curve.G)
    assert curve.is_point(MINUS_G)
    assert curve.is_point(PUBLIC)


@pytest.mark.parametrize(
    "public",
    [
        b"",
        bytes(64),
        curve.G[:-1],
        curve.G + b"\0",
        b"\x04" + curve.G,
        X + X,
        curve.G[:-1] + b"\xa1",
        # y + p is the same number modulo p and not the same bytes; it fits only for small coordinates.
        scalar(curve.P) + Y,
        X + scalar(curve.P),
    ],
)
def test_other_bytes_are_no_point(public: bytes) -> None:
    assert not curve.is_point(public)
    with pytest.raises(KeyRefused, match="not a point"):
        curve.check_public(public)


def test_private_keys_are_from_1_to_n_minus_2() -> None:
    assert [curve.is_private(scalar(value)) for value in (0, 1, curve.N - 2, curve.N - 1, curve.N)] == [
        False,
        True,
        True,
        False,
        False,
    ]
    assert not curve.is_private(b"\x01")
    with pytest.raises(KeyRefused, match="n-2") as refused:
        curve.check_private(scalar(curve.N))
    assert scalar(curve.N).hex() not in str(refused.value)


def test_sums_of_points() -> None:
    double = curve.add(curve.G, curve.G)
    assert double is not None
    assert curve.is_point(double)
    assert curve.add(double, MINUS_G) == curve.G
    assert curve.add(curve.G, MINUS_G) is None


def test_random_keys_are_drawn_again_when_out_of_range() -> None:
    drawn = iter([scalar(curve.N), bytes(32), scalar(7)])
    assert curve.random_private(lambda size: next(drawn)) == scalar(7)


def test_a_generator_that_gives_zeros_only_is_refused() -> None:
    with pytest.raises(SourceFailed):
        curve.random_private(bytes)


def test_identity_digest_of_the_standard() -> None:
    # GB/T 32918.5-2017, A.2: Z_A and e of "message digest".
    assert identity.z_a(PUBLIC).hex() == "b2e14c5c79c6df5b85f4fe7ed8db7a262b9da7e07ccb0ea9f4747b8ccda8a4f3"
    digest = identity.message_digest(PUBLIC, b"message digest")
    assert digest.hex() == "f0b43e94ba45accaace692ed534382eb17e6ab5a19ce7b31f4486fdfc0d28640"


def test_an_identity_has_at_most_8191_bytes() -> None:
    assert len(identity.z_a(PUBLIC, bytes(8191))) == 32
    with pytest.raises(InputRefused, match="8192 bytes"):
        identity.z_a(PUBLIC, bytes(8192))
