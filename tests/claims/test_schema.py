"""Further articles' claims are added in TOML alone: every kind with invented quotations, and clear words for what is wrong in a file."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.claims.kinds import KINDS

DATA = Path(es.__file__).parent / "data"
STUDY = """
title = "Another article"
event = "DeepSeek R1"
events = "events.csv"
timeline = "timeline.csv"
claims = "claims.toml"

[names]
NVDA = "Nvidia"

[model]
benchmark = "^GSPC"
estimation = [-120, -21]
window = [-2, 2]
report = [[0, 0]]
"""
ARTICLE = """
[articles.paper]
title = "An invented article"
outlet = "The Examiner"
date = "2025-01-28"

[baskets.chips]
label = "four chip makers"
tickers = ["NVDA", "AVGO", "AMD", "MU"]
"""
#: Kind, keys, verdict expected; the numbers are checked below.
CLAIMS = {
    "fell": ("direction", 'asset = "NVDA"\nsays = "fell"', "supported"),
    "fell-sharply": ("direction", 'asset = "NVDA"\nsays = "fell"\nwording = "sharply"', "supported"),
    "rose-slightly": (
        "direction",
        'asset = "AMZN"\nsays = "rose"\nwording = "slightly"\ndate = "2025-01-27"',
        "supported",
    ),
    "mixed": ("direction", 'assets = ["NVDA", "AAPL"]\nsays = "fell"\ndate = "2025-01-27"', "depends on"),
    "panel-firm": ("direction", 'asset = "LLY"\nsays = "rose"\ndate = "2025-01-27"', None),
    "hurt": ("impact", 'asset = "NVDA"\nsays = "fell"', "supported"),
    "about-17": ("size", 'asset = "NVDA"\nsays = "fell"\nvalue = 17\nunit = "percent"\nwording = "about"', "supported"),
    "plain-16": ("size", 'asset = "NVDA"\nsays = "fell"\nvalue = 16\nunit = "percent"', "understated"),
    "abnormal-20": (
        "size",
        'asset = "NVDA"\nsays = "fell"\nvalue = 20\nunit = "percent"\nmeasure = "abnormal"',
        "overstated",
    ),
    "up-to": (
        "size",
        'assets = ["NVDA", "AVGO", "AMD"]\nsays = "fell"\nvalue = 18\nunit = "percent"\nwording = "up to"\ndate = "2025-01-27"',
        "supported",
    ),
    "two-days": (
        "market_value",
        'asset = "NVDA"\nsays = "lost"\nvalue = 335\nunit = "billion"\nwindow = [0, 1]\nwording = "about"',
        None,
    ),
    "gained": (
        "market_value",
        'asset = "AAPL"\nsays = "gained"\nvalue = 100\nunit = "billion"\nwording = "more than"\ndate = "2025-01-27"',
        "supported",
    ),
    "chips-800": (
        "basket_value",
        'basket = "chips"\nsays = "lost"\nvalue = 800\nunit = "billion"\nwording = "over"\nsums = ["gross"]',
        "supported",
    ),
    "worst-day": ("rank", 'asset = "NVDA"\nsays = "fell"\namong = "days"\nsince = "2024-01-02"', "supported"),
    "worst-chip": (
        "rank",
        'asset = "AVGO"\nsays = "fell"\namong = "firms"\nbasket = "chips"\nvalue = 1\ndate = "2025-01-27"',
        "supported",
    ),
    "second": ("rank", 'asset = "NVDA"\nsays = "fell"\namong = "firms"\nbasket = "chips"\nvalue = 1', "overstated"),
    "best-day": ("rank", 'asset = "NVDA"\nsays = "rose"\namong = "days"', "contradicted"),
    "three-of-four": ("count", 'basket = "chips"\nsays = "fell"\nvalue = 3\nunit = "names"', "understated"),
    "most-rose": ("count", 'basket = "sp500"\nsays = "rose"\nwording = "most"', "supported"),
    "share": ("count", 'basket = "sp500"\nsays = "rose"\nvalue = 70\nunit = "percent"\nwording = "about"', "supported"),
    "week": (
        "period",
        'asset = "^GSPC"\nsays = "fell"\nfrom = "2025-01-27"\nto = "2025-01-31"\nvalue = 1\nunit = "percent"',
        "supported",
    ),
    "closed-at": ("level", 'asset = "NVDA"\nvalue = 118.42\ndate = "2025-01-27"', "supported"),
    "below-110": ("level", 'asset = "NVDA"\nvalue = 110\nwording = "under"\ndate = "2025-01-27"', "understated"),
    "quiet": ("no_change", 'asset = "NVDA"\nfrom = "2025-01-21"\nto = "2025-01-24"', "not clear"),
    "not-quiet": ("no_change", 'asset = "NVDA"', "contradicted"),
    "holiday": (
        "date",
        'date = "2025-01-20"\nweekday = "Monday"\nsession = false\nfirst_session = "2025-01-21"',
        "supported",
    ),
    "four-sessions": ("date", 'date = "2025-01-27"\nafter = "2025-01-20"\nvalue = 4\nunit = "sessions"', "supported"),
    "ten-days": ("date", 'date = "2025-01-27"\nafter = "2025-01-20"\nvalue = 10\nunit = "days"', "overstated"),
    "timeline": ("date", 'date = "2025-01-22"\ntimeline = "rout"', "contradicted"),
    "no-entry": ("date", 'date = "2025-01-22"\ntimeline = "moon"', "not testable here"),
    "beyond": ("direction", 'asset = "NVDA"\nsays = "fell"\ndate = "2026-02-02"', "not testable here"),
    "no-count": (
        "market_value",
        'asset = "TSM"\nsays = "lost"\nvalue = 150\nunit = "billion"\ndate = "2025-01-27"',
        "not testable here",
    ),
    "outside": ("not_testable", 'reason = "No bitcoin here"\nneeds = "its prices"', "not testable here"),
}


def claim_text(name: str, kind: str, keys: str) -> str:
    return f'[[claims]]\nid = "{name}"\narticle = "paper"\nquote = "words of {name}"\nkind = "{kind}"\n{keys}\n'


def write(folder: Path, claims: str, study: str = STUDY) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "study.toml").write_text(study, encoding="utf-8")
    (folder / "events.csv").write_text("ticker,date\nNVDA,2025-01-27\n", encoding="utf-8")
    (folder / "timeline.csv").write_text("date,what,source\n2025-01-27,The rout,Reuters\n", encoding="utf-8")
    (folder / "claims.toml").write_text(claims, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    text = ARTICLE + "".join(claim_text(n, kind, keys) for n, (kind, keys, _) in CLAIMS.items())
    return write(tmp_path_factory.mktemp("claims"), text)


@pytest.fixture(scope="module")
def ledger(folder: Path) -> es.claims.ClaimsLedger:
    return es.judge_claims(folder)


def test_every_kind_is_among_the_invented_claims() -> None:
    assert {kind for kind, _, _ in CLAIMS.values()} == set(KINDS)


@pytest.mark.parametrize("name", [n for n, (_, _, verdict) in CLAIMS.items() if verdict])
def test_verdicts_of_invented_claims(ledger: es.claims.ClaimsLedger, name: str) -> None:
    claim = ledger[name]
    assert claim.verdict == CLAIMS[name][2], claim.sentence
    assert claim.sentence
    assert claim.source == "“An invented article”, The Examiner, 2025-01-28"


def test_numbers_of_invented_claims(ledger: es.claims.ClaimsLedger) -> None:
    wide = pd.read_csv(DATA / "prices.csv.gz", index_col=0, parse_dates=True)
    panel = pd.read_csv(DATA / "sp500.csv.gz", index_col=0, parse_dates=True)
    shares = pd.read_csv(DATA / "shares.csv", keep_default_na=False)
    known = shares[shares["period_end"] <= "2025-01-27"].sort_values("period_end").groupby("ticker")["shares"].last()
    close = wide.filter(regex="^close:").rename(columns=lambda c: c.split(":")[1]).loc["2025-01-24":"2025-01-28"]
    step = close.iloc[1] - close.iloc[0]
    lly = panel["LLY"].loc["2025-01-24":"2025-01-27"]
    number = {c.id: c.ruling.number for c in ledger}
    assert number["panel-firm"] == pytest.approx(lly.iloc[1] / lly.iloc[0] - 1, rel=1e-10)
    assert number["two-days"] == pytest.approx(
        known["NVDA"] * (close["NVDA"].iloc[2] - close["NVDA"].iloc[0]), rel=1e-10
    )
    assert number["gained"] == pytest.approx(known["AAPL"] * step["AAPL"], rel=1e-10)
    chips = known[["NVDA", "AVGO", "AMD", "MU"]] * step[["NVDA", "AVGO", "AMD", "MU"]]
    assert number["chips-800"] == pytest.approx(chips[chips < 0].sum(), rel=1e-10)
    day = panel.pct_change(fill_method=None).loc["2025-01-27"]
    own = wide.filter(regex="^close:").rename(columns=lambda c: c.split(":")[1]).pct_change(fill_method=None)
    assert number["up-to"] == pytest.approx(own.at[pd.Timestamp("2025-01-27"), "AVGO"], rel=1e-10)
    day.update(own.loc["2025-01-27"].reindex(day.index).dropna())
    assert number["share"] == pytest.approx((day > 0).sum() / day.notna().sum(), rel=1e-12)
    assert number["most-rose"] == (day > 0).sum()
    assert number["three-of-four"] == 4
    assert number["closed-at"] == 118.42
    returns = own["NVDA"]["2024-01-02":"2025-01-27"]
    assert returns.idxmin() == pd.Timestamp("2025-01-27")
    assert number["worst-day"] == 1


def test_an_asset_of_the_panel_has_an_abnormal_return(ledger: es.claims.ClaimsLedger) -> None:
    ruling = ledger["panel-firm"].ruling
    assert np.isfinite([ruling.low, ruling.high]).all()
    assert "abnormal return" in dict(ruling.inputs)


def test_a_tolerance_and_the_side_of_a_verdict_are_reported(ledger: es.claims.ClaimsLedger) -> None:
    assert "“about 17%” allows 16.15% to 17.85%" in ledger["about-17"].sentence
    assert ledger["mixed"].ruling.condition.startswith("which company is meant")
    assert "2026-02-02" in ledger["beyond"].sentence or "outside the data" in ledger["beyond"].sentence
    assert "no share count of TSM" in ledger["no-count"].sentence


def test_the_ledger_is_a_table_text_and_values(ledger: es.claims.ClaimsLedger) -> None:
    table = ledger.table
    assert list(table.index) == list(CLAIMS)
    assert table.loc["gained", "unit"] == "USD"
    assert ledger.markdown.startswith("## “An invented article”, The Examiner, 2025-01-28\n\n| Verdict |")
    assert "[fell-sharply]" in repr(ledger)
    assert "<table" in ledger._repr_html_()
    assert len(ledger.to_dict()) == len(ledger) == len(CLAIMS)
    with pytest.raises(es.errors.DataMissing, match="fell-sharply"):
        _ = ledger["nothing"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (claim_text("x", "guess", 'asset = "NVDA"'), ("claim 'x'", "kind", "guess", "direction", "basket_value")),
        (claim_text("x", "direction", 'asset = "NVDA"'), ("claim 'x'", "direction", "needs 'says'")),
        (claim_text("x", "direction", 'says = "fell"'), ("claim 'x'", "needs 'assets'")),
        (claim_text("x", "direction", 'asset = "NVDA"\nsays = "lost"'), ("claim 'x'", "fell or rose", "lost")),
        (claim_text("x", "direction", 'asset = "NVDA"\nsays = "fell"\nvalue = 3'), ("claim 'x'", "has no value")),
        (claim_text("x", "direction", 'asset = "NVDA"\nsays = "fell"\nwording = "almost"'), ("claim 'x'", "sharply")),
        (
            claim_text("x", "size", 'asset = "NVDA"\nsays = "fell"\nvalue = 3\nmeasure = "weight"'),
            ("measure", "weight", "abnormal"),
        ),
        (
            claim_text("x", "direction", 'assett = "NVDA"\nsays = "fell"'),
            ("claim 'x'", "assett", "no such key", "asset"),
        ),
        (
            claim_text("x", "direction", 'asset = "NVDAX"\nsays = "fell"'),
            ("claim 'x'", "assets", "NVDAX", "Did you mean NVDA"),
        ),
        (
            claim_text("x", "size", 'asset = "NVDA"\nsays = "fell"\nvalue = 3\nunit = "billion"'),
            ("claim 'x'", "unit", "percent"),
        ),
        (
            claim_text("x", "size", 'asset = "NVDA"\nsays = "fell"\nvalue = -3'),
            ("claim 'x'", "value", "greater than 0"),
        ),
        (claim_text("x", "market_value", 'asset = "NVDA"\nsays = "lost"\nvalue = 3'), ("claim 'x'", "unit", "billion")),
        (
            claim_text("x", "basket_value", 'basket = "chipz"\nsays = "lost"\nvalue = 3\nunit = "billion"'),
            ("claim 'x'", "chipz", "chips", "sp500"),
        ),
        (claim_text("x", "date", 'date = "2025-01-27"'), ("claim 'x'", "weekday", "timeline")),
        (claim_text("x", "date", 'date = "27 January"\nweekday = "Monday"'), ("claim 'x'", "date", "2025-01-27")),
        (claim_text("x", "period", 'asset = "NVDA"\nsays = "fell"\nfrom = "2025-01-27"'), ("claim 'x'", "'to'")),
        (
            claim_text("x", "direction", 'asset = "NVDA"\nsays = "fell"\nfrom = "2025-01-28"\nto = "2025-01-27"'),
            ("swap",),
        ),
        (claim_text("x", "not_testable", 'reason = "none"'), ("claim 'x'", "'needs'")),
        (claim_text("x", "no_change", 'asset = "NVDA"') * 2, ("claim 'x'", "id", "twice")),
        (
            claim_text("x", "no_change", 'asset = "NVDA"').replace("paper", "papers"),
            ("claim 'x'", "article", "papers", "paper"),
        ),
        (claim_text("x", "no_change", 'asset = "NVDA"').replace('id = "x"\n', ""), ("claim number 1", "id", "missing")),
        (
            claim_text("x", "no_change", 'asset = "NVDA"').replace("words of x", "w " * 26),
            ("claim 'x'", "26 words", "25"),
        ),
        (
            claim_text("x", "rank", 'asset = "NVDA"\nsays = "fell"\namong = "firms"\nsince = "2024-06-03"'),
            ("claim 'x'", "since", "among firms"),
        ),
        (
            claim_text("x", "rank", 'asset = "NVDA"\nsays = "rose"\nwording = "worst"'),
            ("claim 'x'", "worst", "opposite ways"),
        ),
        (
            claim_text("x", "rank", 'asset = "NVDA"\nsays = "fell"\nsince = "last March"'),
            ("claim 'x'", "since", "last March", "2 years"),
        ),
        (
            claim_text("x", "size", 'asset = "NVDA"\nsays = "did not fall"\nvalue = 3'),
            ("claim 'x'", "did not fall", "at most"),
        ),
        ("[clams]\n", ("clams", "no such key", "claims")),
        ("claims = 3\n", ("[[claims]]",)),
        ("[articles.other]\noutlet = 'x'\n", ("articles.other", "title", "missing")),
        ("[baskets.sp500]\ntickers = ['A']\n", ("baskets.sp500", "built in")),
        ("[baskets.none]\nlabel = 'A'\n", ("baskets.none", "tickers", "sectors")),
        ("x = \n", ("not valid TOML",)),
    ],
)
def test_a_wrong_file_names_file_claim_key_and_what_is_allowed(
    tmp_path: Path, text: str, words: tuple[str, ...]
) -> None:
    folder = write(tmp_path / "s", (text if text.startswith("claims") else ARTICLE + text))
    with pytest.raises(es.errors.StudyFileError) as caught:
        es.judge_claims(folder)
    for word in (*words, "claims.toml"):
        assert word in str(caught.value)


def test_relative_days_need_one_day_to_count_from(tmp_path: Path) -> None:
    folder = write(
        tmp_path / "s", ARTICLE + claim_text("x", "direction", 'asset = "AAPL"\nsays = "fell"\nwindow = [0, 0]')
    )
    (folder / "events.csv").write_text("ticker,date\nNVDA,2025-01-27\nMETA,2025-01-28\n")
    with pytest.raises(es.errors.StudyFileError, match=r"claim 'x': window: the events do not share a day"):
        es.judge_claims(folder)


def test_a_timeline_without_its_columns_is_named(tmp_path: Path) -> None:
    folder = write(tmp_path / "s", ARTICLE + claim_text("x", "date", 'date = "2025-01-27"\ntimeline = "rout"'))
    (folder / "timeline.csv").write_text("date,event\n2025-01-27,The rout\n")
    with pytest.raises(es.errors.StudyFileError, match=r"claim 'x': timeline: .*no column what"):
        es.judge_claims(folder)
    (folder / "timeline.csv").write_text("date,what\n27 January,The rout\n")
    with pytest.raises(es.errors.StudyFileError, match=r"claim 'x': timeline: .*27 January"):
        es.judge_claims(folder)


def test_claims_need_a_study_of_returns(tmp_path: Path) -> None:
    study = STUDY.replace("[model]\n", '[model]\nmeasure = "volume"\n')
    folder = write(tmp_path / "s", ARTICLE + claim_text("x", "no_change", 'asset = "NVDA"'), study)
    with pytest.raises(es.errors.InvalidInput, match=r"model\.measure"):
        es.judge_claims(folder)


def test_a_share_without_enough_estimation_days_is_not_called_calm_or_sharp(tmp_path: Path) -> None:
    claims = ARTICLE + "".join(
        claim_text(n, kind, f'asset = "ARM"\n{keys}date = "2023-10-02"\n')
        for n, kind, keys in (("calm", "no_change", ""), ("sharp", "direction", 'says = "fell"\nwording = "sharp"\n'))
    )
    ledger = es.judge_claims(write(tmp_path / "s", claims))
    assert {c.id: c.verdict for c in ledger} == dict.fromkeys(("calm", "sharp"), "not testable here")
    assert "Needed: enough estimation days" in ledger["sharp"].sentence
    assert ledger["sharp"].ruling.number < 0.0


@pytest.mark.parametrize("wording", ["as much as", "as low as"])
def test_a_wording_of_a_price_within_the_day_is_called_so(tmp_path: Path, wording: str) -> None:
    keys = f'asset = "META"\nsays = "fell"\nvalue = 4\nwording = "{wording}"\ndate = "2024-12-18"'
    claim = es.judge_claims(write(tmp_path / "s", ARTICLE + claim_text("x", "size", keys)))["x"]
    assert claim.verdict == "not testable here"
    assert f"“{wording}” speaks of a price within the day" in claim.sentence
    assert "did you mean" not in claim.sentence


def test_dollars_need_closes_in_dollars(tmp_path: Path) -> None:
    keys = 'asset = "NVDA"\nsays = "lost"\nvalue = 600\nunit = "billion"'
    spec = es.load_study(write(tmp_path / "s", ARTICLE + claim_text("x", "market_value", keys)))
    prices = spec.load_prices()
    euros = es.Prices.from_frame(prices.adj_close, prices.close, provenance=prices.provenance, currency={"NVDA": "EUR"})
    claim = es.judge_claims(spec, euros)["x"]
    assert claim.verdict == "not testable here"
    assert "EUR" in claim.sentence


def test_log_returns_give_nearly_the_same_abnormal_return(tmp_path: Path) -> None:
    claims = ARTICLE + claim_text("x", "direction", 'asset = "NVDA"\nsays = "fell"')
    simple = es.judge_claims(write(tmp_path / "a", claims))["x"].ruling
    study = STUDY.replace("[model]\n", '[model]\nreturns = "log"\n')
    logs = es.judge_claims(write(tmp_path / "b", claims, study))["x"].ruling
    assert logs.number == pytest.approx(simple.number, rel=1e-12)
    assert (logs.low, logs.high) == pytest.approx((simple.low, simple.high), abs=0.015)


def test_claims_in_the_study_file_are_read_as_before(tmp_path: Path) -> None:
    inline = """
[[claims]]
quote = "wiping out almost $600 billion"
source = "A wire report"
ticker = "NVDA"
kind = "market_value"
says = "lost"
billions = 600
wording = "almost"
"""
    folder = write(tmp_path / "s", "", STUDY.replace('claims = "claims.toml"\n', "") + inline)
    (claim,) = es.load_study(folder).claims_ledger()
    assert (claim.id, claim.source, claim.verdict) == ("claim 1", "A wire report", "supported")
    assert claim.ruling.number == pytest.approx(-592.3434e9)


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("'../claims.toml'", es.errors.StudyFileError),
        ("'none.toml'", es.errors.DataMissing),
        ("7", es.errors.StudyFileError),
    ],
)
def test_the_file_of_claims_must_be_there_and_inside(tmp_path: Path, name: str, error: type[Exception]) -> None:
    folder = write(tmp_path / "s", "", STUDY.replace('"claims.toml"', name))
    (tmp_path / "claims.toml").write_text("")
    with pytest.raises(error, match="claims"):
        es.load_study(folder)


def run(*args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "eventstudy", "claims", *args], capture_output=True, text=True)


@pytest.mark.slow
def test_the_command_prints_text_json_csv_and_markdown(folder: Path, ledger: es.claims.ClaimsLedger) -> None:
    done = run(str(folder), "--json")
    assert done.returncode == 0, done.stderr
    content = json.loads(done.stdout)
    assert [c["id"] for c in content["claims"]] == list(CLAIMS)
    assert {c["id"]: c["verdict"] for c in content["claims"]} == {c.id: c.verdict for c in ledger}
    table = run(str(folder), "--csv")
    assert table.returncode == 0
    assert table.stdout.startswith("id,source,quote,assets,kind,days,claimed,verdict")
    assert run(str(folder), "--markdown").stdout == ledger.markdown
    assert "CONTRADICTED  [best-day]" in run(str(folder)).stdout


@pytest.mark.slow
def test_the_command_ends_in_2_for_a_wrong_file(tmp_path: Path) -> None:
    folder = write(tmp_path / "s", ARTICLE + claim_text("x", "guess", ""))
    done = run(str(folder))
    assert done.returncode == 2
    assert "claim 'x': kind" in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert run(str(folder), "--json", "--csv").returncode == 2


@pytest.mark.slow
def test_your_own_price_file_with_another_close_gives_another_verdict(tmp_path: Path) -> None:
    prices = es.load_prices(["NVDA", "^GSPC"])
    close = prices.close.copy()
    adjusted = prices.adj_close.copy()
    claims = ARTICLE + claim_text(
        "almost", "market_value", 'asset = "NVDA"\nsays = "lost"\nvalue = 600\nunit = "billion"\nwording = "almost"'
    )
    found = {}
    for price in (118.42, 125.0):
        adjusted.loc["2025-01-27", "NVDA"] *= price / close.at[pd.Timestamp("2025-01-27"), "NVDA"]
        close.loc["2025-01-27", "NVDA"] = price
        folder = write(tmp_path / f"{price:.0f}", claims, STUDY + '\n[prices]\nsource = "own.csv"\n')
        long = pd.concat(
            [
                pd.DataFrame({"date": close.index, "ticker": t, "close": close[t], "adj_close": adjusted[t]})
                for t in close
            ]
        )
        long.to_csv(folder / "own.csv", index=False)
        found[price] = json.loads(run(str(folder), "--json").stdout)["claims"][0]["verdict"]
    assert found == {118.42: "supported", 125.0: "overstated"}
