"""Fermat tests in lanes give what plain integers give, for both sizes and any number of candidates."""

import os
import random

import pytest
from cryptography.hazmat.primitives.serialization import load_der_private_key

from crypto.errors import EngineUnavailable
from crypto.primes import GmpFermat, PrimeFinder
from crypto.providers.mbx import MbxEngine
from crypto.providers.mbx.library import Functions
from crypto.providers.mbx.rsa import MbxFermat
from crypto.rsa_keys import EXPONENT, RsaKeyGenerator
from tests.unit.crypto.providers.mbx_double import MISMATCH, MbxDouble

pytestmark = pytest.mark.requirement("H2")


@pytest.mark.parametrize("bits", [512, 1024])
@pytest.mark.parametrize("count", [1, 7, 8, 9, 16])
def test_primes_pass_and_composites_do_not(functions: Functions, bits: int, count: int) -> None:
    draw = random.Random(bits + count)
    primes = PrimeFinder(draw.randbytes, GmpFermat(), EXPONENT).find(bits, count)
    top = 3 << (bits - 2)
    candidates = [draw.choice([prime, top | draw.getrandbits(bits) | 1]) for prime in primes]
    assert MbxFermat(functions).passes_many(candidates) == GmpFermat().passes_many(candidates)


@pytest.mark.parametrize("bits", [1024, 2048])
def test_keys_found_in_lanes(functions: Functions, bits: int) -> None:
    engine = MbxEngine(functions, os.urandom)
    for key in RsaKeyGenerator(os.urandom, engine.fermat).generate(bits, 2):
        assert load_der_private_key(key.pkcs8, None).key_size == bits  # type: ignore[union-attr]


def test_a_lane_that_failed_is_no_verdict(double: MbxDouble) -> None:
    double.faults["mbx_rsa_private_crt_mb8"] = [MISMATCH << 28]
    with pytest.raises(EngineUnavailable, match="status 0x10000000"):
        MbxFermat(double).passes_many([(3 << 510) + 1])


def test_a_size_that_the_library_lacks_is_said(double: MbxDouble) -> None:
    with pytest.raises(EngineUnavailable, match="no RSA of 640 bits"):
        MbxFermat(double).passes_many([(1 << 319) + 1])
