"""Measure studies of one event a firm beside other Python packages: the same returns, each in an environment of its own.

    python benchmarks/beside.py             write the section "Beside other packages" of RESULTS.md
    python benchmarks/beside.py NAME ...    print the measurement of some packages only

Environments are made under ``.envs`` beside this file, with the versions that `OTHERS` pins; no package gets into the environment of this
project, whose import name one of them shares. Every measurement is a process with one thread: processor seconds of the study alone (a small
one before it is not counted) and the largest memory of the process. Packages take turns in every round; the table has medians.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).parent
ENVIRONMENTS = HERE / ".envs"
#: Firms, each with one event, over so many sessions; rounds; seconds that a process may take.
FIRMS, SESSIONS, ROUNDS, LIMIT = (1_000, 10_000), 503, 3, 120
#: Relative days.
ESTIMATION, WINDOW = (-260, -11), (-10, 10)
#: Firms of the study before the one that is measured.
WARM = 20


class Data(NamedTuple):
    """Returns of firms and of the market, days × firms, and the place of each firm's event."""

    returns: Any
    market: Any
    dates: Any
    names: list[str]
    place: Any

    def of(self, firms: int) -> Data:
        """Return the first firms."""
        return Data(self.returns[:, :firms], self.market, self.dates, self.names[:firms], self.place[:firms])

    def wide(self) -> Any:
        """Return the table of returns with a column ``mkt``."""
        import pandas as pd

        return pd.DataFrame(self.returns, index=self.dates, columns=self.names).assign(mkt=self.market)

    def rows(self) -> Any:
        """Return one row a firm and day: date, number of the firm, return, market."""
        import numpy as np
        import pandas as pd

        days, firms = self.returns.shape
        return pd.DataFrame(
            {
                "date": np.tile(self.dates, firms),
                "firm": np.repeat(np.arange(firms), days),
                "ret": self.returns.T.ravel(),
                "mkt": np.tile(self.market, firms),
            }
        )

    @property
    def events(self) -> list[tuple[str, Any]]:
        """Firm and date of each event."""
        return list(zip(self.names, self.dates[self.place], strict=True))


#: What is to be measured: a function without arguments, made ready before.
Study = Callable[[], object]


# -- One function a package. What is inside `study` is measured; the form that a package wants its data in is not.


def ours(data: Data) -> Study:
    """Every closed-form test of the average, with the checks."""
    import pandas as pd
    from run import DRAWN

    import eventstudy as es

    closed = [name for name, method in es.TESTS.items() if method.scope == "many" and name not in DRAWN]
    table, events = data.wide(), pd.DataFrame(data.events, columns=["ticker", "date"])
    specification = es.EventStudy(model=es.MarketModel("mkt"), estimation=ESTIMATION, window=WINDOW)
    return lambda: specification.run(table, events).run_tests((0, 1), names=closed)


def statsmodels_loop(data: Data) -> Study:
    """A regression by statsmodels and a CAR for each event; one t of the mean."""
    import numpy as np
    import statsmodels.api as sm
    from scipy import stats

    by_firm, days = np.ascontiguousarray(data.returns.T), np.arange(ESTIMATION[0], WINDOW[1] + 1)
    n, length = ESTIMATION[1] - ESTIMATION[0] + 1, WINDOW[1] - WINDOW[0] + 1

    def study() -> object:
        cars = []
        for firm, place in zip(by_firm, data.place, strict=True):
            y, x = firm[place + days], sm.add_constant(data.market[place + days])
            cars.append((y[-length:] - sm.OLS(y[:n], x[:n]).fit().predict(x[-length:])).sum())
        return stats.ttest_1samp(cars, 0.0)

    return study


def eventstudy(data: Data) -> Study:
    """CARs and one t."""
    import eventstudy as other

    columns = dict(zip(data.names, data.returns.T.copy(), strict=True))
    other.Single._save_parameter("returns", {"date": data.dates, "mkt": data.market, **columns})

    def single(event: tuple[str, Any]) -> object:
        return other.Single.market_model(
            security_ticker=event[0],
            market_ticker="mkt",
            event_date=event[1],
            event_window=WINDOW,
            estimation_size=ESTIMATION[1] - ESTIMATION[0] + 1,
            buffer_size=WINDOW[0] - ESTIMATION[1] - 1,
        )

    return lambda: other.Multiple([single(event) for event in data.events]).results()


def ffjr_eventstudies(data: Data) -> Study:
    """CARs and one t."""
    from eventstudies import MultipleEvents, SingleEvent

    SingleEvent.import_returns(dataframe=data.wide().rename_axis("date"))

    def single(event: tuple[str, Any]) -> object:
        return SingleEvent.MarketModel(
            ticker=event[0],
            mkt_idx="mkt",
            event_date=event[1],
            event_window=WINDOW,
            est_size=ESTIMATION[1] - ESTIMATION[0] + 1,
            buffer_size=WINDOW[0] - ESTIMATION[1] - 1,
        )

    return lambda: MultipleEvents([single(event) for event in data.events]).results()


def robust_eventstudy(data: Data) -> Study:
    """CARs and standardised CARs; windows are calendar days (365 and ±14)."""
    import pandas as pd
    from robust_eventstudy import MarketModel

    index = pd.DatetimeIndex(data.dates)
    series = [pd.Series(firm, index=index) for firm in data.returns.T.copy()]
    model = MarketModel(estimation_window=365, gap_window=15, market_proxy="mkt")
    model.set_market_returns(pd.Series(data.market, index=index))

    def study() -> object:
        found = [
            model.compute_abnormal_returns(firm, date, (-14, 14))
            for firm, (_, date) in zip(series, data.events, strict=True)
        ]
        assert not any("error" in one for one in found)
        return found

    return study


def vibe_trading(data: Data) -> Study:
    """CARs, t, Patell, BMP, rank and sign tests."""
    from src.quantlib.eventstudy import event_study

    table = data.wide()
    estimation = ESTIMATION[1] - ESTIMATION[0] + 1
    market, firms, gap = table.pop("mkt"), table, WINDOW[0] - ESTIMATION[1] - 1

    def study() -> object:
        found = event_study(firms, market, data.events, WINDOW, estimation, gap)
        assert len(found.events) == len(data.names), found.dropped[:1]
        return found

    return study


def easy_es(data: Data) -> Study:
    """CARs and one t of each day."""
    import pandas as pd
    from easy_es import EventStudy, calculate_car_stats

    long = data.rows()
    long["ticker"] = [data.names[i] for i in long.pop("firm")]
    returns = long.rename(columns={"date": "Date", "ret": "Ret"}).drop(columns="mkt").assign(Volume=1.0)
    days = pd.to_datetime(pd.Series(data.dates)).dt.date
    estimation = ESTIMATION[1] - ESTIMATION[0] + 1
    other = EventStudy(estimation, WINDOW[0] - ESTIMATION[1] - 1, -WINDOW[0], WINDOW[1], n_cores=1)
    other.add_returns(ret_df=returns.astype({"Date": object}))
    other.add_factors(pd.DataFrame({"Date": days, "Mkt-RF": data.market}))
    events = pd.DataFrame(data.events, columns=["ticker", "event_date"])
    return lambda: calculate_car_stats(other.run_study(events))


def event_study_toolkit(data: Data) -> Study:
    """CARs, t, Patell and sign tests."""
    import pandas as pd
    from event_study_toolkit.eventstudy import eventstudy as toolkit

    rows = data.rows().rename(columns={"firm": "permno", "ret": "ret_dlst_adj", "mkt": "vwretd"})
    dates = pd.DatetimeIndex(data.dates[data.place])
    events = pd.DataFrame({"permno": range(len(data.names)), "EVT_DATE": dates, "group": 1})
    estimation, gap = ESTIMATION[1] - ESTIMATION[0] + 1, WINDOW[0] - ESTIMATION[1] - 1

    def study() -> object:
        other = toolkit(estimation, gap, WINDOW[0], WINDOW[1], rows, events, groups=["group"])
        return other.getFullSampleTestStatistic("market")

    return study


class Other(NamedTuple):
    """Another package, and how a study is made with it; what it is installed with, the first of it the package."""

    make: Callable[[Data], Study]
    pins: tuple[str, ...]


_SCIENTIFIC = ("numpy==2.4.6", "pandas==3.0.6", "scipy==1.17.1")
#: Other packages, as they were on the day of the measurement.
OTHERS = {
    "eventstudy": Other(eventstudy, ("eventstudy==0.1a12", "statsmodels==0.15.0", *_SCIENTIFIC)),
    "robust-eventstudy": Other(robust_eventstudy, ("robust-eventstudy==0.1.0", *_SCIENTIFIC)),
    "ffjr-eventstudies": Other(
        ffjr_eventstudies, ("ffjr-eventstudies==0.2.0", "statsmodels==0.15.0", "numpy==1.26.4", *_SCIENTIFIC[1:])
    ),
    "vibe-trading-ai": Other(
        vibe_trading, ("vibe-trading-ai==0.1.18", "numpy==2.4.6", "pandas==2.3.3", "scipy==1.17.1")
    ),
    "easy-es": Other(easy_es, ("easy-es==0.1.2", "statsmodels==0.15.0", *_SCIENTIFIC)),
    "event-study-toolkit": Other(
        event_study_toolkit, ("event-study-toolkit==1.0.0", "statsmodels==0.15.0", *_SCIENTIFIC)
    ),
}
#: Measured with the environment of this project.
HERE_TOO = {"this package": ours, "statsmodels, in a loop": statsmodels_loop}
MADE = {**HERE_TOO, **{name: other.make for name, other in OTHERS.items()}}


# -- Environments.


def environment(name: str) -> tuple[Path, str]:
    """Return the interpreter of a package's environment, made if it is not there, and why it could not be."""
    folder, pins = ENVIRONMENTS / name, OTHERS[name].pins
    python, made = folder / "bin" / "python", folder / "pins.json"
    if made.is_file() and json.loads(made.read_text()) == list(pins):
        return python, ""
    uv = Path(sys.executable).parent / "uv"
    if not uv.is_file():
        return python, "not installed: this environment has no uv (make bench installs it)"
    shutil.rmtree(folder, ignore_errors=True)
    for command in (
        [uv, "venv", "--quiet", "--python", sys.executable, folder],
        [uv, "pip", "install", "--quiet", "--python", python, *pins],
    ):
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
        if done.returncode:
            return python, f"not installed: {_last(done.stderr)}"
    made.write_text(json.dumps(pins))
    return python, ""


def _last(text: str) -> str:
    """Return the last line of an error, fit for a cell of a table."""
    lines = [line.strip(" ╰─▶×") for line in text.splitlines() if line.strip()]
    return (lines[-1] if lines else "no message")[:160].replace("|", "/")


# -- Measuring.


def make_data(firms: int, folder: Path) -> None:
    """Write returns of firms in a market, on sessions of New York, and an event a firm."""
    import numpy as np

    import eventstudy as es

    rng = np.random.default_rng(7)
    dates = es.exchange_sessions("XNYS", "2012-01-03", "2014-12-31")[:SESSIONS]
    market = rng.normal(0.0003, 0.01, SESSIONS)
    returns = 0.0002 + np.outer(market, rng.uniform(0.5, 1.6, firms)) + rng.normal(0.0, 0.02, (SESSIONS, firms))
    place = rng.integers(-ESTIMATION[0] + 20, SESSIONS - 2 * WINDOW[1], firms)
    np.save(folder / "returns.npy", returns)
    np.save(folder / "market.npy", market)
    np.save(folder / "dates.npy", dates.to_numpy(dtype="datetime64[ns]"))
    np.save(folder / "place.npy", place)


def processor_seconds() -> float:
    """Return the processor seconds of this process and of those that it started."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(u.ru_utime + u.ru_stime for u in used)


def measure(name: str, folder: Path) -> None:
    """Print what a study costs in this process, as JSON."""
    import contextlib
    import io
    import warnings

    import numpy as np

    warnings.simplefilter("ignore")
    returns, market, dates, place = (
        np.load(folder / f"{part}.npy") for part in ("returns", "market", "dates", "place")
    )
    data = Data(returns, market, dates, [f"S{i:05d}" for i in range(len(place))], place)
    with contextlib.redirect_stdout(io.StringIO()):
        MADE[name](data.of(WARM))()
        study = MADE[name](data)
        start = processor_seconds()
        study()
        seconds = processor_seconds() - start
    print(json.dumps({"seconds": seconds}))


def in_a_process(name: str, folder: Path) -> tuple[float, float, str]:
    """Return processor seconds and largest memory (GB) of a study in a process of its own, and why there are none."""
    python, why = (Path(sys.executable), "") if name in HERE_TOO else environment(name)
    if why:
        return float("nan"), float("nan"), why
    alone = os.environ | {f"{lib}_NUM_THREADS": "1" for lib in ("OPENBLAS", "OMP", "MKL", "NUMBA")}
    # isolated: no path of this project's, where a package of the same name would hide the other
    isolated = [] if name in HERE_TOO else ["-I"]
    command = [str(python), *isolated, str(Path(__file__).resolve()), "--measure", name, str(folder)]
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        process = subprocess.Popen(command, env=alone, stdout=out, stderr=err, cwd=folder)
        timer = _killer(process)
        _, status, usage = os.wait4(process.pid, 0)
        late = not timer.is_alive()
        timer.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        if late:
            return float("nan"), float("nan"), f"more than {LIMIT} s"
        if process.returncode:
            return float("nan"), float("nan"), f"failed: {_last(err.read())}"
        return json.loads(out.read().splitlines()[-1])["seconds"], usage.ru_maxrss / 2**20, ""


def _killer(process: subprocess.Popen[str]) -> Any:
    """Return a started timer that ends a process at the limit."""
    from threading import Timer

    timer = Timer(LIMIT, process.kill)
    timer.start()
    return timer


def rounds(names: list[str]) -> dict[tuple[str, int], tuple[float, float, str]]:
    """Return the medians of seconds and memory of every package and number of firms, or why there are none."""
    found: dict[tuple[str, int], list[tuple[float, float, str]]] = {}
    for firms in FIRMS:
        with tempfile.TemporaryDirectory() as folder:
            make_data(firms, Path(folder))
            for number in range(ROUNDS):
                for name in names:
                    runs = found.setdefault((name, firms), [])
                    if any(why for *_, why in runs):
                        continue
                    runs.append(in_a_process(name, Path(folder)))
                    print(f"{firms:6,} firms, round {number + 1}: {name:24} {runs[-1]}", flush=True)
    return {
        key: (statistics.median(r[0] for r in runs), statistics.median(r[1] for r in runs), runs[-1][2])
        for key, runs in found.items()
    }


def table(found: dict[tuple[str, int], tuple[float, float, str]], names: list[str]) -> list[str]:
    """Return the rows of the table: seconds, multiples of this package's, memory, and what is computed or why it is not."""
    heads = [f"{firms:,} firms, s | × ours | peak, GB" for firms in FIRMS]
    lines = [f"| package | {' | '.join(heads)} | what it computes |", "| --- |" + " ---: |" * 3 * len(FIRMS) + " --- |"]
    for name in names:
        cells = [OTHERS[name].pins[0].replace("==", " ") if name in OTHERS else name]
        said = (MADE[name].__doc__ or "").strip()
        for firms in FIRMS:
            seconds, peak, why = found[name, firms]
            own = found[next(iter(HERE_TOO)), firms][0]
            cells += [why, "", ""] if why else [f"{seconds:.3g}", f"{seconds / own:.1f}", f"{peak:.2f}"]
        lines.append(f"| {' | '.join([*cells, said])} |")
    return lines


ABOUT = f"""\
One event a firm over {SESSIONS} sessions, market model, estimation days [{ESTIMATION[0]}, {ESTIMATION[1]}], event window [{WINDOW[0]}, +{WINDOW[1]}]: the same returns for
all, already in the form that each wants, in memory. Seconds of one processor for the study alone, the largest memory of the whole process,
medians of {ROUNDS} rounds in which all take turns; no process has more than {LIMIT} s. Each other package has an environment of its own, with
the versions that `beside.py` pins, and cannot be imported from the one of this project."""


def write() -> None:
    """Measure all packages and write their section of `RESULTS.md`."""
    from run import machine, put_section

    names = list(MADE)
    lines = table(rounds(names), names)
    put_section("Beside other packages", [f"Measured on {machine()}.", "", *ABOUT.splitlines(), "", *lines])


def main() -> None:
    """Measure in this process, some packages, or all."""
    if sys.argv[1:2] == ["--measure"]:
        measure(sys.argv[2], Path(sys.argv[3]))
    elif sys.argv[1:]:
        rounds(sys.argv[1:])
    else:
        write()


if __name__ == "__main__":
    main()
