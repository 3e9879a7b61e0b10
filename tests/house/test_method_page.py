"""The method page is what the code, the tests and the measured sizes say."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent


@pytest.mark.slow
def test_the_page_is_as_generated() -> None:
    told = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "make_method.py"), "--check"], capture_output=True, text=True, check=False
    )
    assert told.returncode == 0, told.stdout + told.stderr
