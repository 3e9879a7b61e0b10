"""The command line: results to stdout, messages to stderr, and an exit code for each kind of end."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

import eventstudy as es

FLAGSHIP = Path(__file__).parent.parent.parent / "reports" / "deepseek"


def eventstudy(*args: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "eventstudy", *args]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd)


def test_help_teaches() -> None:
    done = eventstudy("--help")
    assert done.returncode == 0
    for word in ("run", "build", "fetch", "check", "new", "Exit codes"):
        assert word in done.stdout


@pytest.mark.slow
def test_json_is_what_an_independent_regression_gives() -> None:
    done = eventstudy("run", str(FLAGSHIP), "--json")
    assert done.returncode == 0, done.stderr
    events = {e["ticker"]: e for e in json.loads(done.stdout)["events"]}
    prices = es.load_prices(["NVDA", "META", "GOOGL", "^GSPC"]).adj_close
    returns = prices.pct_change(fill_method=None)
    day = returns.index.get_loc(pd.Timestamp("2025-01-27"))
    estimation = returns.iloc[day - 270 : day - 20]
    assert len(estimation) == 250
    assert events["NVDA"]["raw_return"] == pytest.approx(-0.1697, abs=5e-5)
    for ticker in ("NVDA", "META", "GOOGL"):
        fit = sm.OLS(estimation[ticker], sm.add_constant(estimation["^GSPC"])).fit()
        expected = float(fit.params @ np.array([1.0, returns["^GSPC"].iloc[day]]))
        own = events[ticker]
        assert own["abnormal_return"] == pytest.approx(returns[ticker].iloc[day] - expected, rel=1e-10)
    assert events["META"]["abnormal_return"] > 0


@pytest.mark.slow
def test_csv_and_text() -> None:
    table = eventstudy("run", str(FLAGSHIP), "--csv")
    assert table.returncode == 0
    assert table.stdout.startswith("event,car,se,t,p_value,low,high")
    text = eventstudy("run", str(FLAGSHIP))
    assert "kp_bmp_t" in text.stdout
    assert text.stderr == ""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (("run", "nowhere"), 2, "study.toml"),
        (("run", str(FLAGSHIP), "--json", "--csv"), 2, "choose one"),
        (("frobnicate",), 2, "frobnicate"),
        (("build",), 2, "eventstudy new"),
        (("new", "."), 2, "name of a new folder"),
    ],
)
def test_wrong_arguments_end_in_2(tmp_path: Path, args: tuple[str, ...], code: int, words: str) -> None:
    (tmp_path / "something").touch()
    done = eventstudy(*args, cwd=tmp_path)
    assert done.returncode == code
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


@pytest.mark.slow
def test_missing_data_end_in_3(tmp_path: Path) -> None:
    folder = tmp_path / "s"
    assert eventstudy("new", str(folder)).returncode == 0
    (folder / "events.csv").write_text(
        "ticker,date\nAVGO,2024-12-12\nMRVL,2024-12-12\nNVDA,2024-12-12\nZZZZ,2024-12-12\n"
    )
    done = eventstudy("run", str(folder))
    assert done.returncode == 3
    assert "ZZZZ" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_a_new_study_runs_at_once(tmp_path: Path) -> None:
    made = eventstudy("new", "my-event", cwd=tmp_path)
    assert made.returncode == 0
    assert made.stdout.strip() == "my-event"
    done = eventstudy("run", "my-event", "--json", cwd=tmp_path)
    assert done.returncode == 0
    avgo = json.loads(done.stdout)["events"][0]
    assert avgo["session"] == "2024-12-13"
    assert avgo["raw_return"] == pytest.approx(0.2443, abs=1e-4)


@pytest.mark.slow
def test_check_tells_what_changed(tmp_path: Path) -> None:
    eventstudy("new", "s", cwd=tmp_path)
    done = eventstudy("build", "s", "--check", cwd=tmp_path)
    assert done.returncode == 1
    assert "not built yet" in done.stdout


@pytest.mark.slow
def test_fetch_without_a_network_ends_in_4(tmp_path: Path) -> None:
    folder = tmp_path / "s"
    eventstudy("new", str(folder))
    command = [sys.executable, "-m", "eventstudy", "fetch", str(folder)]
    offline = {
        "HTTPS_PROXY": "http://127.0.0.1:9",
        "HTTP_PROXY": "http://127.0.0.1:9",
        "HOME": str(tmp_path),
        "PATH": "",
    }
    done = subprocess.run(command, capture_output=True, text=True, env=offline)
    assert done.returncode == 4, done.stderr
    assert "AVGO" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (folder / "prices").exists()


@pytest.mark.slow
def test_a_study_on_a_file_says_what_the_file_leaves_open_and_who_asks_for_what_it_lacks(tmp_path: Path) -> None:
    assert eventstudy("new", "mine", cwd=tmp_path).returncode == 0
    folder = tmp_path / "mine"
    es.load_prices(["AVGO", "MRVL", "NVDA", "AMD", "^GSPC"]).adj_close.to_csv(folder / "closes.csv")
    study = (folder / "study.toml").read_text(encoding="utf-8").replace('"snapshot"', '"closes.csv"')
    (folder / "study.toml").write_text(study, encoding="utf-8")
    done = eventstudy("run", "mine", cwd=tmp_path)
    assert done.returncode == 3
    assert "[[robustness]] 'Market model on the semiconductor index' asks for ^SOX" in done.stderr
    (folder / "study.toml").write_text(study[: study.index("[[robustness]]")], encoding="utf-8")
    done = eventstudy("run", "mine", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "taken as closes adjusted for splits and dividends" in done.stdout


@pytest.mark.slow
def test_the_advice_to_fetch_names_the_folder_from_where_the_reader_stands(tmp_path: Path) -> None:
    assert eventstudy("new", "reports/my event", cwd=tmp_path).returncode == 0
    path = tmp_path / "reports" / "my event" / "study.toml"
    path.write_text(path.read_text(encoding="utf-8").replace('"snapshot"', '"yahoo"'), encoding="utf-8")
    done = eventstudy("run", "reports/my event", cwd=tmp_path)
    assert done.returncode == 3
    assert "eventstudy fetch 'reports/my event'" in done.stderr


@pytest.mark.slow
def test_a_name_with_a_line_break_is_no_name_of_a_study(tmp_path: Path) -> None:
    done = eventstudy("new", "a\nstatus = 'final'", cwd=tmp_path)
    assert done.returncode == 2
    assert "line break" in done.stderr
    assert not list(tmp_path.iterdir())
