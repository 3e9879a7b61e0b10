"""The flagship's verdicts against a separate calculation: numpy and pandas on the embedded files, no function of the package."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.studyfile.spec import StudySpec

ROOT = Path(es.__file__).parent
DATA = ROOT / "data"
FLAGSHIP = ROOT.parent.parent / "reports" / "deepseek"
BEFORE, DAY = "2025-01-24", "2025-01-27"


@pytest.fixture(scope="module")
def spec() -> StudySpec:
    return es.load_study(FLAGSHIP)


@pytest.fixture(scope="module")
def ledger(spec: StudySpec) -> es.claims.ClaimsLedger:
    return spec.claims_ledger()


@pytest.fixture(scope="module")
def raw() -> dict[str, pd.DataFrame]:
    """Closes, adjusted closes, the panel, members and the share counts that were known on the day."""
    wide = pd.read_csv(DATA / "prices.csv.gz", index_col=0, parse_dates=True)
    shares = pd.read_csv(DATA / "shares.csv", keep_default_na=False)
    known = shares[shares["period_end"] <= DAY].sort_values("period_end").groupby("ticker").last()
    return {
        "close": wide.filter(like="close:").filter(regex="^close:").rename(columns=lambda c: c.split(":")[1]),
        "adjusted": wide.filter(regex="^adj_close:").rename(columns=lambda c: c.split(":")[1]),
        "panel": pd.read_csv(DATA / "sp500.csv.gz", index_col=0, parse_dates=True),
        "members": pd.read_csv(DATA / "sp500_members.csv", keep_default_na=False).set_index("ticker"),
        "known": known,
    }


def value_steps(raw: dict[str, pd.DataFrame], tickers: list[str], first: str, last: str) -> pd.Series:
    """Dollars by company: closes as traded where there are any, else the panel's; one class a company."""
    out = {}
    for t in dict.fromkeys(tickers):
        if t in ("GOOG", "FOXA", "NWSA") or t not in raw["known"].index:
            continue
        table = (
            raw["close"] if t in raw["close"] and np.isfinite(raw["close"].at[pd.Timestamp(first), t]) else raw["panel"]
        )
        if t in table:
            out[t] = raw["known"].at[t, "shares"] * (table.at[pd.Timestamp(last), t] - table.at[pd.Timestamp(first), t])
    return pd.Series(out).dropna()


def ols(raw: dict[str, pd.DataFrame], ticker: str, first: int, last: int) -> tuple[float, float, float]:
    """Change of the price, abnormal return and its exact prediction error over relative days, by normal equations."""
    returns = raw["adjusted"].pct_change(fill_method=None)[[ticker, "^GSPC"]]
    day = returns.index.get_loc(pd.Timestamp(DAY))
    est = returns.iloc[day - 270 : day - 20].to_numpy()
    x = np.column_stack([np.ones(len(est)), est[:, 1]])
    inverse = np.linalg.inv(x.T @ x)
    beta = inverse @ x.T @ est[:, 0]
    s2 = ((est[:, 0] - x @ beta) ** 2).sum() / (len(est) - 2)
    seen = returns.iloc[day + first : day + last + 1].to_numpy()
    rows = np.column_stack([np.ones(len(seen)), seen[:, 1]])
    sums = rows.sum(axis=0)
    error = np.sqrt(s2 * (len(seen) + sums @ inverse @ sums))
    held = raw["close"][ticker].iloc[[day + first - 1, day + last]].to_numpy()
    return held[1] / held[0] - 1, float((seen[:, 0] - rows @ beta).sum()), float(error)


def test_nvidia_lost_almost_600_billion(ledger: es.claims.ClaimsLedger, raw: dict[str, pd.DataFrame]) -> None:
    claim = ledger["nvidia-600bn"]
    own = float(value_steps(raw, ["NVDA"], BEFORE, DAY)["NVDA"])
    assert own == pytest.approx(-24.477e9 * (142.62 - 118.42), rel=1e-12)
    assert claim.verdict == "supported"
    assert claim.ruling.number == pytest.approx(own, rel=1e-12)
    assert claim.ruling.low == pytest.approx(-24.508e9 * 24.20, rel=1e-12)
    assert claim.ruling.high == pytest.approx(-24.34e9 * 24.20, rel=1e-12)
    inputs = dict(claim.ruling.inputs)
    assert inputs["shares, count of 2025-01-26"] == "24.477bn"
    assert inputs[f"close {BEFORE}"] == "142.62"


def test_the_falls_of_nvidia_meta_and_alphabet(ledger: es.claims.ClaimsLedger, raw: dict[str, pd.DataFrame]) -> None:
    from scipy.stats import t as student

    reach = student.ppf(0.975, 248)
    returns = raw["close"].pct_change(fill_method=None)
    day = returns.index.get_loc(pd.Timestamp(DAY))
    for name, ticker in (("sharp-nvidia", "NVDA"), ("sharp-meta", "META"), ("sharp-alphabet", "GOOGL")):
        move, abnormal, error = ols(raw, ticker, 0, 0)
        low, high = abnormal - reach * error, abnormal + reach * error
        tail = returns[ticker].iloc[day - 270 : day - 20].quantile(0.05)
        expected = "contradicted" if move >= 0 else "overstated" if move >= tail else "supported"
        claim = ledger[name]
        assert claim.verdict == expected, name
        assert claim.ruling.number == pytest.approx(move, rel=1e-10)
        assert (claim.ruling.low, claim.ruling.high) == pytest.approx((low, high), rel=1e-9)
    assert [ledger[n].verdict for n in ("sharp-nvidia", "sharp-meta")] == ["supported", "contradicted"]


def test_no_crisis_yet_from_21_to_24_january(ledger: es.claims.ClaimsLedger, raw: dict[str, pd.DataFrame]) -> None:
    from scipy.stats import t as student

    reach = student.ppf(0.975, 248)
    for name, ticker in (("crisis-google", "GOOGL"), ("crisis-meta", "META")):
        move, abnormal, error = ols(raw, ticker, -4, -1)
        assert abs(abnormal) < reach * error
        assert ledger[name].verdict == "not visible in prices"
        assert ledger[name].ruling.number == pytest.approx(move, rel=1e-10)
        assert ledger[name].days == "2025-01-21 to 2025-01-24"
    quiet = ledger["no-crisis-yet"]
    closes = raw["close"]
    day = closes.index.get_loc(pd.Timestamp(DAY))
    for reading, ticker in zip(quiet.ruling.readings, ("NVDA", "META", "GOOGL"), strict=True):
        _, abnormal, error = ols(raw, ticker, -4, -1)
        low, high = abnormal - reach * error, abnormal + reach * error
        inside = closes[ticker].iloc[day - 271 : day - 20]
        margin = (inside / inside.shift(4) - 1.0).dropna().quantile([0.05, 0.95])
        assert low < 0.0 < high
        equivalent = margin[0.05] <= low and high <= margin[0.95]
        assert reading.verdict == ("supported" if equivalent else "not clear"), ticker
    assert quiet.verdict == "not clear"
    assert [r.number for r in quiet.ruling.readings] == pytest.approx(
        [ols(raw, t, -4, -1)[0] for t in ("NVDA", "META", "GOOGL")], rel=1e-10
    )


def test_one_trillion_is_more_than_all_companies_lost_and_the_losers_are_named_beside(
    ledger: es.claims.ClaimsLedger, raw: dict[str, pd.DataFrame]
) -> None:
    steps = value_steps(raw, list(raw["members"].index), BEFORE, DAY)
    claim = ledger["market-1tn"]
    assert claim.verdict == "overstated"
    (net,) = claim.ruling.readings
    assert net.number == pytest.approx(steps.sum(), rel=1e-10)
    inputs = dict(claim.ruling.inputs)
    gross = f"−${-steps[steps < 0].sum() / 1e12:.3f}tn"
    assert inputs["another sum, the S&P 500, gross"] == f"{gross}, alone understated"
    assert f"what the losers alone come to is another number: {gross}" in claim.sentence
    assert inputs["companies, the S&P 500"] == str(len(steps))
    assert "BRK-B" in inputs["without price or share count"]


def test_nearly_one_and_a_half_trillion_is_too_much_by_every_reading(
    ledger: es.claims.ClaimsLedger, raw: dict[str, pd.DataFrame]
) -> None:
    sector = list(raw["members"].index[raw["members"]["sector"] == "Information Technology"])
    wide = ["GOOGL", "META", "AMZN", "TSLA", "NFLX", *sector]
    claim = ledger["tech-1500bn"]
    expected = []
    for first in (BEFORE, "2025-01-23"):
        for tickers in (sector, wide):
            steps = value_steps(raw, tickers, first, DAY)
            expected.append(steps.sum())
    assert [r.number for r in claim.ruling.readings] == pytest.approx(expected, rel=1e-10)
    assert all(-v < 0.95 * 1.5e12 for v in expected)
    assert claim.verdict == "overstated"


@pytest.mark.slow
def test_biggest_drop(ledger: es.claims.ClaimsLedger, raw: dict[str, pd.DataFrame]) -> None:
    claim = ledger["biggest-drop"]
    assert claim.verdict == "supported"
    shares = pd.read_csv(DATA / "shares.csv", keep_default_na=False)
    best = 0.0
    for ticker, rows in shares.groupby("ticker"):
        closes = raw["close"].get(ticker, raw["panel"].get(ticker))
        if closes is None:
            continue
        closes = closes[:DAY]
        ends = pd.to_datetime(rows["period_end"])
        place = np.maximum(np.searchsorted(ends, closes.index, side="right") - 1, 0)
        losses = (closes.diff() * rows["shares"].to_numpy()[place]).dropna()
        if ticker == "NVDA":
            assert losses.idxmin() == pd.Timestamp(DAY)
            losses = losses.drop(pd.Timestamp(DAY))
            runner_up = losses.min()
        best = min(best, losses.min())
    assert claim.ruling.number == 1.0
    assert best > -592e9
    assert f"${-best / 1e9:.1f}bn" in claim.sentence
    assert runner_up == best, "it is Nvidia's own day of 3 September 2024"
    assert "2024-09-03" in claim.sentence


def test_counts_and_the_week(ledger: es.claims.ClaimsLedger, raw: dict[str, pd.DataFrame]) -> None:
    panel, adjusted = raw["panel"], raw["adjusted"]
    sector = raw["members"].index[raw["members"]["sector"] == "Information Technology"]
    steps = {
        t: (adjusted if t in adjusted else panel)[t].loc[[BEFORE, DAY]].diff().iloc[-1]
        for t in sector
        if t in adjusted or t in panel
    }
    count = ledger["several-downturn"]
    assert count.ruling.number == sum(v < 0 for v in steps.values())
    assert count.verdict == "supported"
    week = ledger["chill-this-week"]
    levels = raw["close"].loc[["2025-01-24", "2025-01-31"], ["^GSPC", "^IXIC"]].to_numpy()
    assert [r.number for r in week.ruling.readings] == pytest.approx(list(levels[1] / levels[0] - 1), rel=1e-12)
    for reading, index in zip(week.ruling.readings, ("^GSPC", "^IXIC"), strict=True):
        closes = raw["close"][index]
        day = closes.index.get_loc(pd.Timestamp(DAY))
        inside = closes.iloc[day - 271 : day - 20]
        assert reading.number > (inside / inside.shift(5) - 1.0).dropna().quantile(0.05), "within the ordinary"
    assert week.verdict == "overstated"
    assert "1.00%" in week.sentence
    assert "1.64%" in week.sentence


def test_dates(ledger: es.claims.ClaimsLedger) -> None:
    from datetime import date

    assert (date(2025, 1, 27) - date(2025, 1, 20)).days == 7
    expected = {
        "last-monday": "supported",
        "bitcoin-monday": "contradicted",
        "liquidated-friday": "supported",
        "week-after": "supported",
        "january-20-release": "supported",
        "app-store-monday": "not clear",
        "wake-up-monday": "supported",
        "report-later": "contradicted",
    }
    assert {name: ledger[name].verdict for name in expected} == expected
    assert date(2026, 2, 12).strftime("%A") in ledger["bitcoin-monday"].sentence


def test_what_cannot_be_tested_says_what_is_needed(ledger: es.claims.ClaimsLedger) -> None:
    outside = [c for c in ledger if c.kind == "not_testable"]
    assert len(outside) >= 6
    assert {c.verdict for c in outside} == {"not testable here"}
    assert all(c.ruling.needs and "Needed:" in c.sentence for c in outside)


def test_nothing_is_written_into_the_file_that_the_data_decide() -> None:
    """A remark may quote the press; it may not hold a verdict."""
    book = tomllib.loads((FLAGSHIP / "claims.toml").read_text(encoding="utf-8"))
    for claim in book["claims"]:
        text = claim.get("remark", "")
        assert not any(w in text.lower() for w in ("supported", "contradicted", "overstated", "understated")), claim[
            "id"
        ]
        assert len(claim["quote"].split()) <= 25


def with_close(spec: StudySpec, ticker: str, close: float) -> es.EventStudyResult:
    """Run the study on a copy of its prices in which one close of the event day is another."""
    prices = spec.load_prices()
    traded, adjusted = prices.close.copy(), prices.adj_close.copy()
    scale = adjusted.at[pd.Timestamp(DAY), ticker] / traded.at[pd.Timestamp(DAY), ticker]
    traded.loc[DAY, ticker], adjusted.loc[DAY, ticker] = close, close * scale
    changed = es.Prices.from_frame(adjusted, traded, prices.volume, prices.provenance, prices.currency)
    return replace(spec.build_study(), accept={}).run(changed, spec.event_list(), spec.factors())


@pytest.mark.slow
def test_a_changed_price_changes_the_verdict(spec: StudySpec) -> None:
    milder = spec.claims_ledger(with_close(spec, "NVDA", 135.0))
    assert milder["nvidia-600bn"].verdict == "overstated"
    assert milder["biggest-drop"].verdict == "overstated"
    lower = spec.claims_ledger(with_close(spec, "META", 590.0))
    assert lower["sharp-meta"].verdict == "supported"
    higher = spec.claims_ledger(with_close(spec, "GOOGL", 205.0))
    assert higher["sharp-alphabet"].verdict == "contradicted"


def test_changed_share_counts_change_the_verdict(spec: StudySpec) -> None:
    from eventstudy.prices.snapshot import share_counts

    result = spec.run()
    tickers = [*es.sources.universe_members().index]
    more = {t: tuple(replace(c, shares=int(c.shares * 1.1)) for c in share_counts(t)) for t in tickers}
    found = spec.claims_ledger(result, shares=more)
    claim = found["nvidia-600bn"]
    assert claim.verdict == "depends on"
    assert claim.ruling.condition.startswith("the share count within 24.340 to 26.959bn")
    assert "depends on the share count" in claim.verdict_text
    more = {t: tuple(replace(c, shares=int(c.shares * 1.25)) for c in share_counts(t)) for t in tickers}
    assert spec.claims_ledger(result, shares=more)["market-1tn"].verdict == "supported"
    without = spec.claims_ledger(result, shares={})
    assert without["market-1tn"].verdict == "not testable here"
    printed = without["nvidia-600bn"]  # which names the counts in print, and is judged by them
    assert (printed.verdict, len(printed.ruling.readings)) == ("supported", 2)


@pytest.mark.slow
def test_a_changed_panel_changes_the_sums(spec: StudySpec, raw: dict[str, pd.DataFrame]) -> None:
    panel = es.load_universe()
    calm = panel.adj_close.copy()
    own = spec.load_prices().tickers
    others = [t for t in calm.columns if t not in own]
    calm.loc[DAY, others] = calm.loc[BEFORE, others].to_numpy()
    found = spec.claims_ledger(panel=es.Prices.from_frame(calm, provenance=panel.provenance))
    held = [t for t in es.sources.universe_members().index if t in own]
    assert found["market-1tn"].ruling.number == pytest.approx(value_steps(raw, held, BEFORE, DAY).sum(), rel=1e-10)


def test_a_changed_claim_changes_the_verdict(tmp_path: Path) -> None:
    for name in ("study.toml", "events.csv", "timeline.csv"):
        (tmp_path / name).write_bytes((FLAGSHIP / name).read_bytes())
    text = (FLAGSHIP / "claims.toml").read_text(encoding="utf-8")
    study = (tmp_path / "study.toml").read_text(encoding="utf-8")
    start = study.index("notebooks = [")
    (tmp_path / "study.toml").write_text(study[:start] + study[study.index("]\n", start) + 2 :], encoding="utf-8")
    text = text.replace('value = 600\nunit = "billion"', 'value = 700\nunit = "billion"')
    text = text.replace('wording = "nearly"', 'wording = "about"')
    (tmp_path / "claims.toml").write_text(text, encoding="utf-8")
    found = es.judge_claims(tmp_path)
    assert found["nvidia-600bn"].verdict == "overstated"
    assert {r.verdict for r in found["tech-1500bn"].ruling.readings} == {"overstated"}
