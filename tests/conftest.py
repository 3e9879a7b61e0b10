"""What all rooms share: the study of three firms, and which files need data that are no part of this project."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest
from filelock import FileLock
from golden import EXAMPLES
from trio import EVENTS, TRIO

import eventstudy as es

#: Example data of other packages are under the GPL: their tests exist where the data lie beside the checkout.
collect_ignore = [] if EXAMPLES.is_dir() else ["inference/test_other_packages.py"]


def pytest_configure(config: pytest.Config) -> None:
    """yfinance's own use of ``inplace=`` draws a warning of pandas 3 that older versions do not know."""
    if hasattr(pd.errors, "Pandas4Warning"):
        config.addinivalue_line("filterwarnings", "ignore::pandas.errors.Pandas4Warning")


@pytest.fixture(scope="session", autouse=True)
def _no_home_of_a_developer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What builds note of themselves goes into a home of the tests', also that of commands that they start."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        yield


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


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, Callable[[Path], object]], Path]:
    """Make a folder once in a whole run: the worker that asks first makes it, the others wait and get the same.

    Tests leave it as it is; who wants to change it takes a copy.
    """
    place = tmp_path_factory.getbasetemp()
    shared = place.parent if "PYTEST_XDIST_WORKER" in os.environ else place

    def made_once(name: str, make: Callable[[Path], object]) -> Path:
        folder = shared / "once" / name
        with FileLock(shared / f"{name}.lock"):
            if not folder.is_dir():
                begun = shared / "begun" / name
                begun.mkdir(parents=True)
                make(begun)
                folder.parent.mkdir(exist_ok=True)
                begun.rename(folder)
        return folder

    return made_once
