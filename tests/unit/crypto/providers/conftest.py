"""The engines under test: over the stand-in everywhere, over the real library where the processor has AVX-512 IFMA."""

import pytest

from crypto.errors import EngineUnavailable
from crypto.providers.mbx.library import Functions, open_functions, require_processor
from tests.unit.crypto.providers.mbx_double import MbxDouble


@pytest.fixture(params=["stand-in", "library"])
def functions(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Functions:
    if request.param == "stand-in":
        return MbxDouble()
    try:
        require_processor()
    except EngineUnavailable as missing:
        pytest.skip(f"the multi-buffer library itself: {missing}")
    return open_functions(tmp_path_factory.getbasetemp() / "engines")


@pytest.fixture
def double() -> MbxDouble:
    return MbxDouble()
