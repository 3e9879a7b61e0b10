"""What all rooms share: the study of three firms, and which files need data that are no part of this project."""

from __future__ import annotations

import pandas as pd
import pytest
from golden import EXAMPLES
from trio import EVENTS, TRIO

import eventstudy as es

#: Example data of other packages are under the GPL: their tests exist where the data lie beside the checkout.
collect_ignore = [] if EXAMPLES.is_dir() else ["inference/test_other_packages.py"]


def pytest_configure(config: pytest.Config) -> None:
    """yfinance's own use of ``inplace=`` draws a warning of pandas 3 that older versions do not know."""
    if hasattr(pd.errors, "Pandas4Warning"):
        config.addinivalue_line("filterwarnings", "ignore::pandas.errors.Pandas4Warning")


@pytest.fixture(scope="session")
def prices() -> es.Prices:
    """Embedded prices of three firms and the S&P 500."""
    return es.load_prices([*TRIO, "^GSPC"])


@pytest.fixture(scope="session")
def study() -> es.EventStudy:
    return es.EventStudy(model=es.MarketModel("^GSPC"), estimation=(-270, -21), window=(-5, 5))


@pytest.fixture(scope="session")
def result(study: es.EventStudy, prices: es.Prices) -> es.EventStudyResult:
    return study.run(prices, EVENTS)


@pytest.fixture(scope="session")
def single(study: es.EventStudy, prices: es.Prices) -> es.EventStudyResult:
    return study.run(prices, EVENTS[0])
