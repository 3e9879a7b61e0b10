"""Which charts a report can draw, and what its tables say of a model's beta."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

import eventstudy as es
from eventstudy import figures
from eventstudy.errors import InvalidInput
from eventstudy.report.charts import _has_one_market
from eventstudy.report.tables import _beta

MODELS = [
    es.MarketModel("^GSPC"),
    es.MarketAdjusted("^GSPC"),
    es.MeanAdjusted(),
    es.ScholesWilliams("^GSPC"),
    es.Dimson("^GSPC"),
    es.RobustMarketModel("^GSPC"),
    es.HacMarketModel("^GSPC"),
    es.FactorModel(["^GSPC", "^IXIC"]),
    es.PeerPortfolio(["AVGO", "AMD"]),
    es.BuyAndHold("^GSPC"),
]


@pytest.fixture(scope="module")
def studied():
    prices = es.load_prices(["NVDA", "META", "AVGO", "AMD", "^GSPC", "^IXIC"])
    events = [es.Event(t, "2025-01-27") for t in ("NVDA", "META")]
    return lambda model: es.EventStudy(model=model).run(prices, events)


@pytest.mark.parametrize("model", MODELS, ids=lambda m: type(m).__name__)
def test_the_scatter_is_asked_for_where_it_can_be_drawn(studied, model):
    result = studied(model)
    if _has_one_market(SimpleNamespace(headline=result)):
        assert figures.market_scatter(result.panel, result.fit, 0).words.title
    elif len(result.panel.columns) != 1:
        with pytest.raises(InvalidInput):
            figures.market_scatter(result.panel, result.fit, 0)


def test_the_beta_of_a_model_with_leads_and_lags_is_the_sum_of_its_slopes(studied):
    result = studied(es.Dimson("^GSPC"))
    slopes = [i for i, name in enumerate(result.fit.names) if name != "alpha"]
    np.testing.assert_allclose(_beta(result), result.fit.coefficients[:, slopes].sum(axis=1), rtol=1e-12)
    assert np.isnan(_beta(studied(es.MeanAdjusted()))).all()
