"""Without yfinance everything works but live prices, and they say what to install."""

from __future__ import annotations

import subprocess
import sys

import pytest

ABSENT = "import sys; sys.modules['yfinance'] = None; "


def without_client(code, *words):
    return subprocess.run(
        [sys.executable, "-c", ABSENT + code, *map(str, words)], capture_output=True, text=True, check=False
    )


@pytest.mark.slow
def test_live_prices_name_what_to_install_and_the_snapshot_needs_nothing():
    done = without_client(
        "import eventstudy as es; from eventstudy.errors import SourceFailed\n"
        "print(es.load_prices(['NVDA']).tickers)\n"
        "try: es.load_prices(['NOCLIENT'], '2024-01-02', '2024-01-10', source='yahoo')\n"
        "except SourceFailed as error: print(error.facts['kind'], error.facts['tries'], error)"
    )
    assert done.stdout.startswith("('NVDA',)\nno_client 1 Yahoo gave no usable prices of NOCLIENT"), done.stderr
    assert "the library yfinance is not installed. Install it (pip install yfinance;" in done.stdout


@pytest.mark.slow
def test_the_command_fetch_ends_with_the_code_of_a_failed_source(tmp_path):
    study = tmp_path / "study"
    study.mkdir()
    (study / "events.csv").write_text("ticker,date\nNVDA,2025-01-27\n")
    (study / "study.toml").write_text(
        'title = "t"\nevent = "e"\nquestion = "q"\nevents = "events.csv"\n[model]\nkind = "market_model"\nbenchmark = "^GSPC"\n'
    )
    done = without_client("from eventstudy.cli import main; main()", "fetch", study)
    assert done.returncode == 3, done.stderr
    assert "pip install yfinance" in done.stderr
    assert not (study / "prices").exists()
