"""Scripts of the IE11 page are ES5, and use nothing that IE11 lacks (E1)."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LEGACY = ROOT / "api" / "static" / "legacy"
CHECKER = ROOT / "web" / "node_modules" / "es-check"
# Objects and methods that parse as ES5 but are not there in IE11.
ABSENT = re.compile(
    r"\b(fetch|Promise|Symbol|Proxy|URLSearchParams|WebAssembly|IntersectionObserver)\b"
    r"|Object\.(assign|entries|values)|Array\.from|Number\.is|Math\.(sign|hypot|trunc|log2)"
    r"|\.(includes|startsWith|endsWith|padStart|find|findIndex|closest|remove|append|prepend|replaceWith|flat)\("
)
ABSENT_STYLES = re.compile(r"display:\s*grid|object-fit|var\(|\binset:|\bgap:|clamp\(|:is\(|aspect-ratio")


def es5(path: Path) -> int:
    node = shutil.which("node")
    if node is None or not CHECKER.exists():
        pytest.skip("es-check is not installed: npm ci in web/")
    command = [node, str(CHECKER / "lib/cli/index.js"), "es5", str(path)]
    return subprocess.run(command, capture_output=True, timeout=60, cwd=ROOT).returncode


@pytest.mark.requirement("E1")
def test_scripts_are_es5(tmp_path: Path) -> None:
    assert es5(LEGACY / "*.js") == 0
    newer = tmp_path / "newer.js"
    newer.write_text("const f = (x) => x;\n", encoding="utf-8")
    assert es5(newer) != 0, "the checker finds nothing"


@pytest.mark.requirement("E1")
def test_scripts_and_styles_use_nothing_that_ie11_lacks() -> None:
    scripts, styles = sorted(LEGACY.glob("*.js")), sorted(LEGACY.glob("*.css"))
    assert len(scripts) == 4
    for path in scripts:
        assert not ABSENT.search(path.read_text(encoding="utf-8")), path.name
    for path in styles:
        assert not ABSENT_STYLES.search(path.read_text(encoding="utf-8")), path.name
