"""What the checks of prices do to a study: errors stop it, reasons let it pass, and both reach every output."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import eventstudy as es
from eventstudy.cli import app, main
from eventstudy.report.findings import compute, data_checks
from eventstudy.report.page import report_page
from eventstudy.study.summary import summary_text

EVENT = es.Event("NVDA", "2025-01-27")
MODEL = es.MarketModel("^GSPC")
SPEC = {"model": MODEL, "estimation": (-120, -11), "window": (-2, 2)}
REASON = "The exchange printed no trade on these days."


def tables(*tickers: str) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    prices = es.load_prices(list(tickers) or ["NVDA", "META", "^GSPC"])
    assert prices.close is not None
    assert prices.volume is not None
    return prices.adj_close.copy(), prices.close.copy(), prices.volume.copy()


def stale(first: str = "2024-11-04", days: int = 6) -> es.Prices:
    adj, close, volume = tables()
    rows = adj.index[adj.index.get_loc(first) :][:days]
    for frame in (adj, close):
        frame.loc[rows, "NVDA"] = frame.loc[rows[0], "NVDA"]
    volume.loc[rows[1:], "NVDA"] = 0.0
    return es.Prices.from_frame(adj, close, volume)


def run(prices: es.Prices | pd.DataFrame, events: object = EVENT, **options: object) -> es.EventStudyResult:
    return es.EventStudy(**{**SPEC, **options}).run(prices, events)


# -- what is an error ------------------------------------------------------------------------------------------


def test_an_error_inside_the_windows_stops_the_study_and_outside_it_is_a_note():
    with pytest.raises(
        es.errors.DataUnfit, match=r"stale_prices \(NVDA, 2024-11-04 to 2024-11-11\).*To do: .*drop the ticker"
    ):
        run(stale())
    for day in ("2023-05-01", "2025-03-03"):
        assert {f.check: f.severity for f in run(stale(day)).findings} == {
            "stale_prices": "note",
            "zero_volume": "note",
        }


def test_a_fault_of_a_ticker_that_is_not_studied_does_not_concern_the_study():
    assert run(stale(), es.Event("META", "2025-01-27")).findings == ()


def test_every_error_is_listed_with_what_to_do():
    prices = stale()
    closes = prices.adj_close.copy()
    closes.loc[closes.index < "2024-12-02", "META"] *= 4.0
    closes = closes.drop(index=[pd.Timestamp("2025-01-28")])
    spoiled = es.Prices.from_frame(closes, volume=prices.volume)
    events = [EVENT, es.Event("META", "2025-01-27")]
    with pytest.raises(es.errors.DataUnfit) as error:
        run(spoiled, events)
    text = str(error.value)
    for name in ("missing_sessions", "stale_prices", "unapplied_split"):
        assert f"error: {name}" in text
    assert text.count("To do:") == 3
    assert 'accept={"missing_sessions": "the reason"}' in text
    assert [f["check"] for f in error.value.facts["findings"]] == [
        "missing_sessions",
        "stale_prices",
        "unapplied_split",
    ]
    assert error.value.EXIT_CODE == 3


def test_a_hole_of_the_benchmark_is_an_error_in_an_event_window_a_warning_before_and_a_note_elsewhere():
    for day, expected in (("2025-01-29", None), ("2024-11-05", "warning"), ("2022-06-07", "note")):
        adj, _, volume = tables()
        adj.loc[day, "^GSPC"] = np.nan
        prices = es.Prices.from_frame(adj, volume=volume)
        if expected is None:
            with pytest.raises(es.errors.DataUnfit, match=r"benchmark_holes \(\^GSPC, 2025-01-29\)"):
                run(prices)
        else:
            assert [(f.check, f.severity) for f in run(prices).findings] == [("benchmark_holes", expected)]


def test_a_benchmark_with_many_holes_cannot_carry_an_estimation():
    adj, _, volume = tables()
    adj.loc[adj.index[600:720:9], "^GSPC"] = np.nan
    with pytest.raises(es.errors.DataUnfit, match="benchmark_holes"):
        run(es.Prices.from_frame(adj, volume=volume), min_estimation=30)


def test_prices_that_end_inside_the_event_window_are_told():
    adj, _, volume = tables()
    adj.loc["2025-01-28":, "NVDA"] = np.nan
    result = run(es.Prices.from_frame(adj, volume=volume))
    early = next(f for f in result.findings if f.check == "early_end")
    assert (early.severity, early.tickers, early.first) == ("warning", ("NVDA",), "2025-01-27")
    assert "2025-01-29" in early.value


def test_thin_trading_is_expected_by_the_models_made_for_it():
    result = run(stale(), model=es.ScholesWilliams("^GSPC"))
    assert {(f.check, f.severity) for f in result.findings} == {("stale_prices", "note"), ("zero_volume", "note")}


def test_prices_of_the_benchmark_under_a_firms_name_are_refused():
    adj, _, volume = tables()
    with pytest.raises(es.errors.DataUnfit, match=r"equals_benchmark \(NVDA, \^GSPC"):
        run(es.Prices.from_frame(adj.assign(NVDA=adj["^GSPC"] * 0.1), volume=volume))


def test_returns_under_two_names_are_told_and_others_have_no_findings():
    returns = es.load_prices(["NVDA", "META", "^GSPC"]).returns()
    assert run(returns).findings == ()
    result = run(returns.assign(META=returns["NVDA"]), [EVENT, es.Event("META", "2025-01-27")])
    assert [(f.check, f.severity, f.tickers) for f in result.findings] == [
        ("duplicate_series", "warning", ("NVDA", "META"))
    ]
    assert not next(c for c in result.checks if c.name == "Prices fit for use").passed


@pytest.mark.parametrize("model", [MODEL, es.MeanAdjusted()])
def test_when_no_event_is_left_the_refusal_says_why(model):
    prices = es.load_prices(["NVDA", "^GSPC"])
    for data in (prices, prices.returns()):
        with pytest.raises(es.errors.DataUnfit, match="No event can be studied"):
            run(data, es.Event("NVDA", "2022-01-20"), model=model)


def test_a_result_does_not_depend_on_being_checked():
    adj, close, volume = tables()
    whole = run(es.Prices.from_frame(adj, close, volume))
    plain = run(es.Prices.from_frame(adj).returns())
    np.testing.assert_allclose(whole.ar, plain.ar, rtol=1e-12)


# -- what is accepted ------------------------------------------------------------------------------------------


def test_an_accepted_error_is_printed_with_its_reason():
    result = run(stale(), accept={"stale_prices": REASON})
    accepted = next(f for f in result.findings if f.severity == "error")
    assert (accepted.check, accepted.accepted) == ("stale_prices", REASON)
    check = next(c for c in result.checks if c.name == "Prices fit for use")
    assert not check.passed
    assert check.value.startswith("1 accepted error")
    assert f"Accepted: {REASON}" in summary_text(result)
    assert REASON in result._repr_html_()
    dumped = json.dumps(result.to_dict())
    assert REASON in dumped
    assert next(f["check"] for f in result.to_dict()["findings"]) == "stale_prices"


def test_one_accepted_error_does_not_let_another_pass():
    prices = stale()
    closes = prices.adj_close.copy()
    closes.loc["2025-01-28", "^GSPC"] = np.nan
    with pytest.raises(es.errors.DataUnfit, match="1 error") as error:
        run(es.Prices.from_frame(closes, volume=prices.volume), accept={"stale_prices": REASON})
    assert "error: benchmark_holes" in str(error.value)
    assert "error: stale_prices" not in str(error.value)


def test_accepted_extra_days_are_left_out():
    adj, _, _ = tables()
    saturday = adj.loc[["2025-01-24"]].set_axis([pd.Timestamp("2025-01-25")]) * 1.01
    prices = es.Prices.from_frame(pd.concat([adj, saturday]))
    with pytest.raises(es.errors.DataUnfit, match="extra_days"):
        run(prices)
    result = run(prices, accept={"extra_days": "a test session"})
    np.testing.assert_allclose(result.ar, run(es.Prices.from_frame(adj)).ar, rtol=1e-12)


@pytest.mark.parametrize(
    ("accept", "words"),
    [
        ({"stale_price": "x"}, r"no check of prices.*stale_prices"),
        ({"stale_prices": "  "}, "no reason for stale_prices"),
        ({"stale_prices": 3}, "no reason for stale_prices"),
        ({"stale_prices": "x" * 501}, "501 characters; 500 are enough"),
        ({"non_positive_prices": "x"}, "no reason makes usable"),
        (["stale_prices"], "names of checks with reasons"),
    ],
)
def test_an_acceptance_without_a_name_or_a_reason_is_refused(accept, words):
    with pytest.raises(es.errors.InvalidInput, match=words):
        es.EventStudy(model=MODEL, accept=accept)


def test_a_study_that_accepts_something_is_a_plain_value():
    one = es.EventStudy(model=MODEL, accept={"stale_prices": "a  reason\nin two lines"})
    assert one.accept == {"stale_prices": "a reason in two lines"}
    assert one == es.EventStudy(model=MODEL, accept={"stale_prices": "a reason in two lines"})
    assert isinstance(hash(one), int)


# -- study files, the command line, the report -----------------------------------------------------------------


def study(folder: Path, prices: es.Prices, extra: str = "") -> Path:
    """A study of one event on a price file that lies beside it."""
    assert prices.volume is not None
    long = {"adj_close": prices.adj_close, "volume": prices.volume}
    columns = [t.melt(ignore_index=False, var_name="ticker", value_name=n) for n, t in long.items()]
    frame = columns[0].assign(volume=columns[1]["volume"].to_numpy())
    frame.to_csv(folder / "prices.csv", index_label="date")
    (folder / "events.csv").write_text("ticker,date\nNVDA,2025-01-27\nMETA,2025-01-27\n", encoding="utf-8")
    (folder / "study.toml").write_text(
        'title = "T"\nevent = "E"\n[prices]\nsource = "prices.csv"\n'
        f"{extra}\n[model]\nestimation = [-120, -11]\nwindow = [-2, 2]\nreport = [[0, 0]]\n",
        encoding="utf-8",
    )
    return folder


ACCEPT = f'[prices.accept]\nstale_prices = "{REASON}"'


def test_the_study_file_accepts_by_name_with_a_reason(tmp_path):
    with pytest.raises(es.errors.DataUnfit, match="stale_prices"):
        es.load_study(study(tmp_path, stale())).run()
    result = es.load_study(study(tmp_path, stale(), ACCEPT)).run()
    assert next(f for f in result.findings if f.severity == "error").accepted == REASON


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ('[prices.accept]\nstale_price = "x"', r"prices\.accept: accept names stale_price.*Did you mean.*stale_prices"),
        ('[prices.accept]\nstale_prices = ""', r"prices\.accept: accept gives no reason for stale_prices"),
        ("[prices.accept]\nstale_prices = true", r"prices\.accept\.stale_prices"),
        ('accept = "stale_prices"', r"prices\.accept"),
    ],
)
def test_a_wrong_acceptance_names_the_file_and_the_key(tmp_path, lines, words):
    with pytest.raises(es.errors.StudyFileError, match=words):
        es.load_study(study(tmp_path, stale(), lines))


def test_the_command_line_stops_with_3_and_prints_what_is_accepted(tmp_path, capsys, monkeypatch):
    folder = study(tmp_path, stale())
    for command in ("run", "check"):
        monkeypatch.setattr("sys.argv", ["eventstudy", command, str(folder)])
        with pytest.raises(SystemExit) as stop:
            main()
        assert stop.value.code == 3
        assert "error: stale_prices (NVDA" in capsys.readouterr().err
    study(tmp_path, stale(), ACCEPT)
    printed = CliRunner().invoke(app, ["run", str(folder)])
    assert printed.exit_code == 0
    assert f"Accepted: {REASON}" in printed.stdout
    checked = CliRunner().invoke(app, ["check", str(folder)])
    assert "NOTE   Prices fit for use: 1 accepted error" in checked.stdout
    assert "prices accepted error: stale_prices (NVDA, 2024-11-04 to 2024-11-11)" in checked.stdout
    assert checked.stdout.count(REASON) == 1


def test_the_report_lists_findings_with_reasons_escaped(tmp_path):
    reason = ACCEPT.replace(REASON, "halted <b>& resumed</b>")
    found = compute(es.load_study(study(tmp_path, stale(), reason)))
    (accepted, *notes) = map(str, data_checks(found))
    assert accepted.startswith("accepted error: stale_prices (NVDA")
    assert all(line.startswith("note:") for line in notes)
    page = report_page(found, (), ())
    assert "Data checks" in page
    assert "halted &lt;b&gt;&amp; resumed&lt;/b&gt;" in page
    assert "<b>& resumed" not in page


def test_a_report_without_findings_says_so(tmp_path):
    adj, _, volume = tables()
    page = report_page(compute(es.load_study(study(tmp_path, es.Prices.from_frame(adj, volume=volume)))), (), ())
    assert "The checks of prices found nothing" in page


def study_of(closes: pd.DataFrame, accept: dict[str, str] | None = None) -> es.EventStudyResult:
    study = es.EventStudy(es.MarketModel("^GSPC"), estimation=(-120, -21), window=(-2, 2), accept=accept or {})
    return study.run(es.Prices.from_frame(closes), [es.Event("META", "2025-01-27"), es.Event("NVDA", "2025-01-27")])


def snapshot_closes() -> pd.DataFrame:
    return es.load_prices(["META", "NVDA", "^GSPC"], "2024-06-03", "2025-02-28").adj_close.copy()


def test_prices_that_stand_still_over_the_event_stop_the_study():
    closes = snapshot_closes()
    closes.loc["2025-01-22":"2025-01-31", "META"] = closes.loc["2025-01-22", "META"]
    with pytest.raises(es.errors.DataUnfit, match=r"error: stale_prices \(META"):
        study_of(closes)
    accept = {"stale_prices": "trading was halted, notice 7"}
    with pytest.raises(es.errors.DataUnfit, match=r"META 2025-01-27: no usable return in the event window"):
        study_of(closes, accept)
    closes = snapshot_closes()
    closes.loc["2025-01-21":"2025-01-27", "META"] = closes.loc["2025-01-21", "META"]
    result = study_of(closes, accept)
    assert np.isnan(result.car(0, 0).loc["META", "car"])
    found = [f for f in result.findings if f.check == "stale_prices" and f.severity != "note"]
    assert [f.accepted for f in found] == ["trading was halted, notice 7"] * len(found) != []
    assert "Accepted: trading was halted" in str(result)


def test_a_warning_can_be_accepted_and_an_idle_reason_is_told():
    closes = snapshot_closes()
    closes.loc["2024-10-01":"2024-10-08", "META"] = closes.loc["2024-10-01", "META"]
    result = study_of(closes, {"stale_prices": "looked up", "wrong_price": "not needed"})
    by = {f.check: f for f in result.findings}
    assert (by["stale_prices"].severity, by["stale_prices"].accepted) == ("warning", "looked up")
    assert by["wrong_price"].idle
    assert "accepted (not needed), but not found" in str(by["wrong_price"])


def test_a_session_missing_before_the_event_is_named():
    closes = snapshot_closes().drop(pd.Timestamp("2025-01-24"))
    with pytest.raises(es.errors.DataUnfit, match="No event can be studied") as caught:
        study_of(closes)
    assert "missing_sessions (2025-01-24)" in str(caught.value)
    assert "on it and on the session before" in str(caught.value)


def test_prices_in_doubt_are_told_before_any_number_that_rests_on_them():
    """A split that was not applied, on a day of news, without volumes to tell it by: no error, but nothing to read past either."""
    closes = es.load_prices(["NVDA", "^GSPC"], "2023-11-01", "2025-02-28").adj_close.copy()
    study, event = es.EventStudy(model=es.MarketModel("^GSPC")), es.Event("NVDA", "2025-01-27")
    clean = study.run(es.Prices.from_frame(closes), event)
    closes.loc["2025-01-27":, "NVDA"] /= 2.9
    result = study.run(es.Prices.from_frame(closes), event)
    text, page = repr(result), result._repr_html_()
    assert "Check the prices first: warning: level_shift (NVDA, 2025-01-27)" in text
    assert text.index("Check the prices first") < text.index("−71")
    assert page.index("Check the prices first") < page.index("−71")
    assert "Check the prices" not in repr(clean) + clean._repr_html_()
