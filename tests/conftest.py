"""What all rooms share: the study of three firms, and which files need data that are no part of this project."""

from __future__ import annotations

import pandas as pd
import pytest
from golden import EXAMPLES

import eventstudy as es

#: Example data of other packages are under the GPL: their tests exist where the data lie beside the checkout.
collect_ignore = [] if EXAMPLES.is_dir() else ["inference/test_other_packages.py"]


def pytest_configure(config: pytest.Config) -> None:
    """yfinance's own use of ``inplace=`` draws a warning of pandas 3 that older versions do not know."""
    if hasattr(pd.errors, "Pandas4Warning"):
        config.addinivalue_line("filterwarnings", "ignore::pandas.errors.Pandas4Warning")


@pytest.fixture(scope="session")
def trio_prices() -> es.Prices:
    """Embedded prices of three firms and the S&P 500."""
    return es.load_prices([*TRIO, "^GSPC"])


@pytest.fixture(scope="session")
def trio_events() -> list[es.Event]:
    """The news of 27 January 2025, for three firms."""
    return [es.Event(ticker, "2025-01-27") for ticker in TRIO]


@pytest.fixture(scope="session")
def trio(trio_prices: es.Prices, trio_events: list[es.Event]) -> es.EventStudyResult:
    """The study of three firms by the market model, with the windows of the package."""
    return es.EventStudy(model=es.MarketModel("^GSPC")).run(trio_prices, trio_events)


TRIO = ("NVDA", "META", "GOOGL")
