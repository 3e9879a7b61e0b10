"""Faults injected into real prices are found by name, nothing else is, and honest prices raise no alarm."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import eventstudy as es
from eventstudy.prices.checks.days import run_lengths
from eventstudy.prices.checks.finding import SEVERITIES, Finding
from eventstudy.prices.checks.finding import finding as make_finding
from eventstudy.prices.checks.run import RULES, gathered

FIRMS = ["AAPL", "AMD", "GOOGL", "INTC", "META", "MSFT", "NVDA", "ORCL", "SMCI", "VST"]
BENCHMARK = "^GSPC"


@dataclass
class Tables:
    """A copy of real prices to be spoiled."""

    adj: pd.DataFrame
    close: pd.DataFrame
    volume: pd.DataFrame
    currency: dict[str, str]

    def prices(self) -> es.Prices:
        return es.Prices(self.adj, es.sources.Provenance("spoiled"), self.close, self.volume, self.currency)

    def both(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        return self.adj, self.close


def real() -> Tables:
    prices = es.load_prices([*FIRMS, BENCHMARK], "2023-01-03", "2025-06-30")
    assert prices.close is not None
    assert prices.volume is not None
    frames = (prices.adj_close, prices.close, prices.volume)
    return Tables(*(f.copy() for f in frames), dict(prices.currency))


def found(tables: Tables, **options: object) -> tuple[Finding, ...]:
    return es.check_prices(tables.prices(), **{"benchmarks": [BENCHMARK], **options})


def serious(findings: tuple[Finding, ...]) -> dict[str, str]:
    """Checks above a note, with their severity."""
    return {f.check: f.severity for f in findings if f.severity != "note"}


Spoil = Callable[[Tables, np.random.Generator], tuple[str, ...]]


def pick(t: Tables, rng: np.random.Generator, margin: int = 30) -> tuple[str, int]:
    return str(rng.choice(FIRMS)), int(rng.integers(margin, len(t.adj) - margin))


def drop_a_session(t: Tables, rng: np.random.Generator) -> tuple[str, ...]:
    _, row = pick(t, rng)
    day = t.adj.index[row]
    t.adj, t.close, t.volume = (f.drop(index=day) for f in (t.adj, t.close, t.volume))
    return ()


def add_a_saturday(t: Tables, rng: np.random.Generator) -> tuple[str, ...]:
    fridays = np.flatnonzero(t.adj.index.dayofweek == 4)
    day = t.adj.index[rng.choice(fridays[5:-5])]
    moves = 1.0 + rng.normal(0.0, 0.001, t.adj.shape[1])
    for name in ("adj", "close", "volume"):
        frame = getattr(t, name)
        row = frame.loc[[day]] * moves
        row.index = row.index + pd.Timedelta(days=1)
        setattr(t, name, pd.concat([frame, row]).sort_index())
    return ()


def stand_still(t: Tables, rng: np.random.Generator) -> tuple[str, ...]:
    ticker, row = pick(t, rng)
    rows = t.adj.index[row : row + int(rng.integers(5, 12))]
    for frame in t.both():
        frame.loc[rows, ticker] = frame.loc[rows[0], ticker]
    t.volume.loc[rows[1:], ticker] = 0.0
    return (ticker,)


def miss_a_split(t: Tables, rng: np.random.Generator) -> tuple[str, ...]:
    ticker, row = pick(t, rng)
    ratio = float(rng.choice([2, 3, 4, 5, 8, 10, 20, 1 / 2, 1 / 4, 1 / 10, 1 / 30]))
    for frame in t.both():
        frame.iloc[:row, frame.columns.get_loc(ticker)] *= ratio
    t.volume.iloc[:row, t.volume.columns.get_loc(ticker)] /= ratio
    return (ticker,)


def mistype_a_price(t: Tables, rng: np.random.Generator) -> tuple[str, ...]:
    ticker, row = pick(t, rng)
    factor = float(rng.choice([100, 0.01, 10, 0.1, 2.0, 0.5]))
    for frame in t.both():
        frame.iloc[row, frame.columns.get_loc(ticker)] *= factor
    return (ticker,)


def mix_vintages_in_one_table(t: Tables, rng: np.random.Generator) -> tuple[str, ...]:
    ticker, row = pick(t, rng)
    t.adj.iloc[:row, t.adj.columns.get_loc(ticker)] *= 1.0 + float(rng.uniform(0.02, 0.1))
    return (ticker,)


def leap_of_the_factor(t: Tables, rng: np.random.Generator) -> tuple[str, ...]:
    ticker, row = pick(t, rng)
    t.adj.iloc[:row, t.adj.columns.get_loc(ticker)] *= 0.75
    return (ticker,)


def noisy_factor(t: Tables, rng: np.random.Generator) -> tuple[str, ...]:
    ticker, _ = pick(t, rng)
    t.adj[ticker] *= 1.0 + rng.normal(0.0, 0.002, len(t.adj))
    return (ticker,)


def answer_with_another(t: Tables, rng: np.random.Generator) -> tuple[str, ...]:
    one, two = sorted(rng.choice(FIRMS, 2, replace=False))
    for frame in (t.adj, t.close, t.volume):
        frame[two] = frame[one]
    return one, two


def answer_with_the_benchmark(t: Tables, rng: np.random.Generator) -> tuple[str, ...]:
    ticker, _ = pick(t, rng)
    for frame in (t.adj, t.close, t.volume):
        frame[ticker] = frame[BENCHMARK] * 0.37
    return ticker, BENCHMARK


def hole(ticker: str | None) -> Spoil:
    def spoil(t: Tables, rng: np.random.Generator) -> tuple[str, ...]:
        name, row = pick(t, rng)
        for frame in (t.adj, t.close, t.volume):
            frame.iloc[row, frame.columns.get_loc(ticker or name)] = np.nan
        return (ticker or name,)

    return spoil


def other_currency(t: Tables, rng: np.random.Generator) -> tuple[str, ...]:
    ticker, _ = pick(t, rng)
    t.currency = {**dict.fromkeys(FIRMS, "USD"), ticker: "EUR"}
    return tuple(sorted(FIRMS))


def negative_volume(t: Tables, rng: np.random.Generator) -> tuple[str, ...]:
    ticker, row = pick(t, rng)
    t.volume.iloc[row, t.volume.columns.get_loc(ticker)] *= -1.0
    return (ticker,)


def no_volume(t: Tables, rng: np.random.Generator) -> tuple[str, ...]:
    ticker, row = pick(t, rng)
    moving = t.close[ticker].diff().to_numpy() != 0
    rows = [r for r in range(row, row + 4) if moving[r]]
    t.volume.iloc[rows, t.volume.columns.get_loc(ticker)] = 0.0
    return (ticker,)


def impossible_price(t: Tables, rng: np.random.Generator) -> tuple[str, ...]:
    ticker, row = pick(t, rng)
    t.adj.iloc[row, t.adj.columns.get_loc(ticker)] = float(rng.choice([0.0, -5.0]))
    return (ticker,)


def repeat_the_last_day(t: Tables, rng: np.random.Generator) -> tuple[str, ...]:
    for frame in (t.adj, t.close, t.volume):
        frame.iloc[-1] = frame.iloc[-2]
    return ()


def adjusted_above(t: Tables, rng: np.random.Generator) -> tuple[str, ...]:
    ticker, _ = pick(t, rng)
    t.adj[ticker] *= 1.05
    return (ticker,)


FAULTS: dict[str, tuple[Spoil, str, str]] = {
    "a session is missing": (drop_a_session, "missing_sessions", "error"),
    "a Saturday": (add_a_saturday, "extra_days", "error"),
    "stale": (stand_still, "stale_prices", "error"),
    "split": (miss_a_split, "unapplied_split", "error"),
    "wrong price": (mistype_a_price, "wrong_price", "error"),
    "two vintages in one table": (mix_vintages_in_one_table, "adjustment_ratio", "error"),
    "leap of the factor": (leap_of_the_factor, "adjustment_ratio", "warning"),
    "noisy factor": (noisy_factor, "adjustment_ratio", "error"),
    "another ticker's data": (answer_with_another, "duplicate_series", "error"),
    "the benchmark's data": (answer_with_the_benchmark, "equals_benchmark", "error"),
    "hole of the benchmark": (hole(BENCHMARK), "benchmark_holes", "error"),
    "hole of a firm": (hole(None), "missing_prices", "warning"),
    "currencies": (other_currency, "mixed_currencies", "error"),
    "negative volume": (negative_volume, "negative_volume", "error"),
    "no volume": (no_volume, "zero_volume", "warning"),
    "impossible price": (impossible_price, "non_positive_prices", "error"),
    "last day twice": (repeat_the_last_day, "repeated_day", "error"),
    "adjusted above traded": (adjusted_above, "adjusted_above_traded", "error"),
}


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_at_a_random_place_is_found_and_nothing_else(fault, seed):
    spoil, check, severity = FAULTS[fault]
    tables = real()
    tickers = spoil(tables, np.random.default_rng([seed, list(FAULTS).index(fault)]))
    findings = found(tables)
    assert serious(findings) == {check: severity}, [str(f) for f in findings]
    named = next(f for f in findings if f.check == check)
    if fault != "last day twice":
        assert named.tickers == tickers
    line = str(named)
    assert "\n" not in line
    assert line.startswith(f"{severity}: {check}")
    assert RULES[check].advice in line


def test_the_days_of_a_fault_are_named():
    tables = real()
    day = pd.Timestamp("2024-10-01")
    for frame in tables.both():
        frame.loc[frame.index < day, "META"] *= 5.0
    (split,) = (f for f in found(tables) if f.check == "unapplied_split")
    assert (split.first, split.last, split.tickers) == ("2024-10-01", "2024-10-01", ("META",))
    assert "5:1" in split.value


# -- honest prices ---------------------------------------------------------------------------------------------


def test_the_snapshot_has_notes_only():
    prices = es.load_prices()
    findings = es.check_prices(prices, benchmarks=[t for t in prices.tickers if t.startswith("^")])
    assert serious(findings) == {}
    (late,) = findings
    assert (late.check, set(late.tickers)) == ("short_history", {"ARM", "CEG", "GEV", "IBM"})


def test_the_panel_has_no_error_and_one_thin_ticker():
    findings = es.check_prices(es.load_universe())
    assert serious(findings) == {"stale_prices": "warning"}
    assert next(f for f in findings if f.check == "stale_prices").tickers == ("SW",), "Smurfit before its listing"


@pytest.mark.parametrize(
    ("ticker", "day"),
    [
        ("NVDA", "2025-01-27"),
        ("META", "2023-02-02"),
        ("META", "2024-02-02"),
        ("SMCI", "2024-10-30"),
        ("VST", "2025-01-27"),
    ],
)
def test_news_is_not_called_a_fault(ticker, day):
    prices = es.load_prices([ticker, BENCHMARK])
    assert abs(prices.returns().loc[day, ticker]) > 0.16
    assert not [f for f in es.check_prices(prices) if f.severity != "note"]
    alone = es.Prices.from_frame(prices.adj_close)
    assert not [f for f in es.check_prices(alone) if f.severity != "note"], "nor without volume"


def test_a_halving_on_ten_times_the_volume_is_news_and_on_twice_the_volume_a_split():
    for multiple, expected in ((10.0, {}), (2.0, {"unapplied_split": "error"})):
        tables = real()
        row, column = 300, tables.adj.columns.get_loc("ORCL")
        for frame in tables.both():
            frame.iloc[row:, column] *= 0.5
        tables.volume.iloc[row:, column] *= multiple
        assert serious(found(tables)) == expected, multiple


def test_a_fall_by_nine_tenths_on_forty_times_the_volume_is_to_be_looked_up():
    tables = real()
    row, column = 300, tables.adj.columns.get_loc("ORCL")
    for frame in tables.both():
        frame.iloc[row:, column] *= 0.1
    tables.volume.iloc[row:, column] *= 60.0
    assert serious(found(tables)) == {"unapplied_split": "warning"}
    (named,) = (f for f in found(tables) if f.check == "unapplied_split")
    assert "may be news" in named.value


def test_another_level_on_ordinary_volume_is_an_error_and_without_volume_a_warning():
    for with_volume, severity in ((True, "error"), (False, "warning")):
        tables = real()
        for frame in tables.both():
            frame.iloc[:300, frame.columns.get_loc("MSFT")] *= 2.6
        if with_volume:
            assert serious(found(tables)) == {"level_shift": severity}
        else:
            assert serious(es.check_prices(es.Prices.from_frame(tables.adj))) == {"level_shift": severity}


def test_a_jump_on_the_last_day_is_told_though_it_may_be_undone():
    tables = real()
    for frame in tables.both():
        frame.iloc[-1, frame.columns.get_loc("MSFT")] *= 0.01
    assert serious(found(tables)) == {"unapplied_split": "error"}
    (named,) = (f for f in found(tables) if f.check == "unapplied_split")
    assert "ends before" in named.value


def test_a_large_fall_alone_without_volume_is_a_note_at_most():
    """FMC fell by 33.5 % on 5 February 2025, a share that 3:2 would explain."""
    closes = es.load_universe().adj_close[["FMC", "GL", "DXCM", "WST"]]
    findings = es.check_prices(es.Prices.from_frame(closes))
    assert {(f.check, f.severity, f.tickers) for f in findings} == {("unapplied_split", "note", ("FMC",))}


def test_a_fall_of_the_whole_market_is_no_split():
    tables = real()
    for frame in tables.both():
        frame.iloc[400:] *= 0.5
    assert serious(found(tables)) == {}


def test_a_second_vintage_after_a_dividend_agrees_and_one_wrong_price_does_not():
    tables, later = real(), real()
    later.adj *= 0.995
    assert serious(found(tables, other=later.prices())) == {}
    later.adj.iloc[100, 0] *= 1.001
    (apart,) = (f for f in found(tables, other=later.prices()) if f.severity != "note")
    assert (apart.check, apart.severity, apart.tickers) == ("vintages_disagree", "warning", (FIRMS[0],))
    assert apart.value.startswith("2 of ")
    later.adj.iloc[100, 0] *= 1.02
    assert serious(found(tables, other=later.prices())) == {"vintages_disagree": "error"}


def test_traded_closes_before_a_split_are_a_warning_that_says_so():
    tables = real()
    tables.close.loc[tables.close.index < "2024-06-10", "NVDA"] *= 10.0
    (step,) = (f for f in found(tables) if f.severity != "note")
    assert (step.check, step.severity) == ("adjustment_ratio", "warning")
    assert "another split basis" in step.value


def test_hundredths_of_a_currency_are_that_currency():
    tables = real()
    tables.currency = {"AAPL": "GBp", "AMD": "GBP"}
    assert serious(found(tables)) == {}


def test_without_a_calendar_the_benchmark_says_what_a_session_is():
    tables = real()
    tables.adj.iloc[50, tables.adj.columns.get_loc(BENCHMARK)] = np.nan
    assert serious(found(tables, calendar=None)) == {"benchmark_holes": "error"}


def test_a_table_without_a_price_is_an_error_and_a_short_one_is_read():
    empty = pd.DataFrame({"A": [np.nan, np.nan]}, index=["2025-01-24", "2025-01-27"])
    with pytest.raises(es.errors.DataUnfit, match="no price at all"):
        es.Prices.from_frame(empty)
    assert serious(es.check_prices(es.Prices(empty, es.sources.Provenance("built by hand")))) == {
        "missing_sessions": "error"
    }
    one = es.Prices.from_frame(pd.DataFrame({"A": [10.0]}, index=["2025-01-27"]))
    assert es.check_prices(one) == ()


def test_a_benchmark_that_is_not_there_is_refused():
    with pytest.raises(es.errors.InvalidInput, match=r"\^GSPX, which is not in the prices.*\^GSPC"):
        es.check_prices(es.load_prices(["NVDA", "^GSPC"]), benchmarks=["^GSPX"])


def test_five_hundred_honest_tickers_over_three_years_have_no_error():
    days = es.exchange_sessions("XNYS", "2022-01-03", "2024-12-31")
    rng = np.random.default_rng(0)
    moves = rng.standard_t(6, (len(days), 500)) * 0.012
    closes = pd.DataFrame(50.0 * np.exp(moves.cumsum(axis=0)), index=days, columns=[f"T{i}" for i in range(500)])
    volume = pd.DataFrame(rng.lognormal(14.0, 0.4, closes.shape), index=days, columns=closes.columns)
    prices = es.Prices.from_frame(closes, closes, volume)
    findings = es.check_prices(prices)
    assert not [f for f in findings if f.severity == "error"]


@pytest.mark.slow
@settings(max_examples=25, deadline=None, derandomize=True)
@given(st.sampled_from(sorted(set(FAULTS) - {"split"})), st.integers(0, 2**31))
def test_a_fault_anywhere_is_found(fault, seed):
    spoil, check, severity = FAULTS[fault]
    tables = real()
    spoil(tables, np.random.default_rng(seed))
    assert serious(found(tables)).get(check) == severity


@pytest.mark.slow
def test_nine_of_ten_missed_splits_are_found_at_random_places():
    hits = 0
    for seed in range(40):
        tables = real()
        miss_a_split(tables, np.random.default_rng([5, seed]))
        hits += serious(found(tables)) == {"unapplied_split": "error"}
    assert hits >= 36


# -- the values ------------------------------------------------------------------------------------------------


def test_run_lengths_count_equal_closes_across_days_without_a_price():
    nan = np.nan
    closes = np.array([[1.0, 2.0], [1.0, 3.0], [nan, 3.0], [1.0, 4.0], [2.0, 4.0], [2.0, 4.0]])
    assert run_lengths(closes).T.tolist() == [[3, 3, 0, 3, 2, 2], [1, 2, 2, 3, 3, 3]]


def test_findings_of_many_tickers_become_one_that_counts_them():
    many = [make_finding(RULES["stale_prices"], "warning", (f"T{i}",), "a run", "2025-01-02") for i in range(9)]
    (one,) = gathered(many)
    assert len(one.tickers) == 9
    assert "and 6 more" in one.value
    assert len(gathered(many[:4])) == 4
    notes = [make_finding(RULES["short_history"], "note", (f"T{i}",), "late", f"2025-01-0{i + 1}") for i in range(3)]
    (note,) = gathered(notes)
    assert (note.first, note.last) == ("2025-01-01", "2025-01-03")


def test_findings_come_by_severity():
    order = [f.severity for f in gathered(make_finding(RULES["stale_prices"], s, (s,), "") for s in SEVERITIES)]
    assert order == ["error", "warning", "note"]


def test_a_finding_is_plain_values():
    value = make_finding(RULES["stale_prices"], "error", ("A",), "x", "2025-01-02")
    assert set(value.to_dict()) == {
        "check", "severity", "tickers", "first", "last", "value", "rule", "advice", "accepted",
    }  # fmt: skip
    with pytest.raises(AttributeError):
        value.check = "other"  # type: ignore[misc]
