"""One protocol for all sources of prices: the built-in ones obey it, and what they say of themselves is used."""

from __future__ import annotations

import pandas as pd
import pytest

import eventstudy as es
from eventstudy.errors import DataMissing, InvalidInput
from eventstudy.sources import BY_WORD, source_of
from eventstudy.sources.source import PriceSource, Snapshot

CLOSES = es.load_prices(["NVDA", "META"], "2025-01-13", "2025-01-24").adj_close


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "closes.csv"
    CLOSES.to_csv(path)
    return path


def test_the_built_in_sources_obey_the_public_protocol(file):
    for given in (*BY_WORD, file, str(file), [file], CLOSES):
        source = source_of(given)
        assert isinstance(source, PriceSource)
        assert source.name
        assert source_of(source) is source


def test_a_word_a_path_a_list_and_a_table_load_the_same(file):
    tables = [es.load_prices(["META"], "2025-01-14", source=given).adj_close for given in (file, [file], CLOSES)]
    assert all(table.round(9).equals(CLOSES.loc["2025-01-14":, ["META"]].round(9)) for table in tables)


def test_the_files_that_prices_depend_on_are_known(file):
    assert source_of(file).inputs() == (file,)
    passport = file.with_suffix(".json")
    passport.write_text("{}")
    assert source_of(file).inputs() == (file, passport)
    assert source_of([file]).inputs() == (file, passport)
    assert source_of("snapshot").inputs() == ()


class House:
    """A source of your own."""

    name = "house"

    def load(self, tickers, start, end):
        return CLOSES.reset_index()


def test_a_source_that_knows_its_exchange_is_held_to_its_sessions():
    source = House()
    assert len(es.load_prices(["NVDA"], end="2025-01-27", source=source).dates) == 9  # who knows whether it was open
    source.exchange = "XNYS"
    with pytest.raises(DataMissing, match="end is 2025-01-27, but house holds 2025-01-13 to 2025-01-24") as caught:
        es.load_prices(["NVDA"], end="2025-01-27", source=source)
    assert caught.value.facts["last"] == "2025-01-24"
    assert len(es.load_prices(["NVDA"], end="2025-01-26", source=source).dates) == 9  # a Sunday
    source.inputs = lambda: ["quotes.db"]
    assert [p.name for p in source_of(source).inputs()] == ["quotes.db"]


def test_what_is_no_source_is_refused_with_the_choices():
    with pytest.raises(InvalidInput, match="choose 'snapshot', 'universe', 'yahoo' or the path of a file"):
        es.load_prices(source="bloomberg")
    with pytest.raises(InvalidInput, match="not a class"):
        es.load_prices(["NVDA"], source=House)


def test_embedded_prices_say_so_and_have_a_name_for_sentences():
    origin = Snapshot().load(["NVDA"], pd.Timestamp("2025-01-13").date(), None).provenance
    assert origin.embedded
    assert origin.label == "eventstudy price snapshot"
    assert es.load_universe().provenance.label == "eventstudy S&P 500 panel"
    own = es.Prices.from_frame(CLOSES).provenance
    assert not own.embedded
    assert own.label == own.source
