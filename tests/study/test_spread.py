"""Studies over threads, processes and clusters: the numbers of the same study here, in any parts and any order, whatever dies meanwhile."""

from __future__ import annotations

import io
import multiprocessing
import os
import pickle
import random
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import fields
from functools import reduce
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from doomed import Doomed, Slow

import eventstudy as es
from eventstudy.console import events_bar
from eventstudy.errors import DataUnfit, InvalidInput, SourceFailed, WorkersLost
from eventstudy.estimation.abnormal import each_once
from eventstudy.estimation.model import ModelDefaults
from eventstudy.estimation.panel import EventPanel
from eventstudy.estimation.partials import Partial, Work
from eventstudy.estimation.spread import Spread, Tree, partitions_of
from eventstudy.inference import TESTS
from eventstudy.study.validity import asked_by_checks

pytest.importorskip("pyarrow")

DAYS = pd.bdate_range("2015-01-05", periods=640)
FIRMS = [f"K{i:02d}" for i in range(23)]
WINDOWS = ((0, 0), (-2, 1))


def table() -> pd.DataFrame:
    """Returns of firms with holes, one that begins late, one that never moves, a market and a factor."""
    rng = np.random.default_rng(17)
    market, size = rng.normal(0.0003, 0.012, len(DAYS)), rng.normal(0, 0.005, len(DAYS))
    shocks = 0.018 * rng.standard_t(5, (len(DAYS), len(FIRMS)))
    values = np.outer(market, rng.uniform(0.3, 1.8, len(FIRMS))) + np.outer(size, rng.normal(0, 1, len(FIRMS))) + shocks
    values[rng.random(values.shape) < 0.004] = np.nan
    values[rng.random(values.shape) < 0.02] = 0.0
    values[:200, 4] = np.nan
    values[:, 9] = 0.0
    return pd.DataFrame(values, DAYS, FIRMS).assign(MKT=market, SMB=size, RF=0.00005)


RETURNS = table()


def events(n: int = 460, seed: int = 3) -> pd.DataFrame:
    """Events on many dates and, a third of them, on few: their windows overlap."""
    rng = np.random.default_rng(seed)
    day = np.concatenate([rng.integers(135, len(DAYS) - 8, n - n // 3), rng.integers(300, 307, n // 3)])
    return pd.DataFrame({"ticker": rng.choice(FIRMS, n), "date": DAYS[day]})


EVENTS = events()
MODELS = {
    "market": es.MarketModel("MKT"),
    "factors": es.FactorModel(["MKT", "SMB"], risk_free="RF"),
    "peers": es.PeerPortfolio(FIRMS[:4]),
    "dimson": es.Dimson("MKT"),
    "trades": es.TradeToTrade("MKT"),
    "huber": es.RobustMarketModel("MKT"),
}


def study(model: object = MODELS["market"], **options: object) -> es.EventStudy:
    kind = "log" if isinstance(model, es.TradeToTrade) else "simple"
    return es.EventStudy(model, (-120, -11), (-3, 3), returns=kind, max_dropped=0.5, **options)


def said(result: es.EventStudyResult) -> dict[str, object]:
    """What a study says: checks, audit, sums, estimates, and every test of an average."""
    drawn = {"signflip", "bootstrap", "wild_bootstrap"}
    names = [name for name, method in TESTS.items() if method.scope == "many" and name not in drawn]
    found: dict[str, object] = {
        "checks": tuple(map(str, result.checks)),
        "dropped": result.dropped,
        "audit": result.audit,
        "car": result.car(-2, 1),
        "coefficients": result.coefficients,
    }
    for window in WINDOWS:
        for test in result.run_tests(window, names=names)[0]:
            found[f"{test.name} {window}"] = np.array([test.statistic, test.p_value])
    return found


def same(one: dict[str, object], other: dict[str, object]) -> None:
    assert one.keys() == other.keys()
    for key, value in one.items():
        if isinstance(value, pd.DataFrame):
            pd.testing.assert_frame_equal(value, other[key], rtol=1e-12, atol=1e-15)
        elif isinstance(value, np.ndarray):
            np.testing.assert_allclose(value, other[key], rtol=1e-12, atol=1e-13, err_msg=key)
        else:
            assert value == other[key], key


@pytest.fixture(scope="module")
def here() -> dict[str, object]:
    return said(study().run(RETURNS, EVENTS))


@pytest.fixture(scope="module")
def pool() -> Iterator[Executor]:
    with processes() as executor:
        yield executor


def processes(count: int = 2) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(count, mp_context=multiprocessing.get_context("spawn"))


# -- Parts, and the order in which they come.


@pytest.mark.parametrize("partitions", [1, 2, 7])
def test_any_number_of_parts_in_processes_says_the_same(partitions, pool, here):
    same(said(study().run(RETURNS, EVENTS, executor=pool, partitions=partitions)), here)


@pytest.mark.parametrize("name", [name for name in MODELS if name != "market"])
def test_other_models_in_processes(name, pool):
    asked = study(MODELS[name], gaps="void" if name in {"factors", "dimson"} else "skip")
    same(said(asked.run(RETURNS, EVENTS, executor=pool, partitions=5)), said(asked.run(RETURNS, EVENTS)))


def test_prices_threads_and_few_events(pool):
    moves = RETURNS.drop(columns=["SMB", "RF", "K04", "K09"]).fillna(0.001)
    prices = es.load_prices(100 * (1 + moves).cumprod())
    few = events(3, 5).assign(ticker=["K01", "K02", "K05"])
    asked = study(calendar=None)
    right = asked.run(prices, few)
    with ThreadPoolExecutor(2) as threads:
        for executor in (threads, pool):
            found = asked.run(prices, few, executor=executor)
            same(said(found), said(right))
            np.testing.assert_array_equal(found.abnormal.raw_returns((0, 1)), right.abnormal.raw_returns((0, 1)))
            np.testing.assert_array_equal(found.abnormal.residuals, right.abnormal.residuals)


def test_partial_results_add_up_in_any_order():
    result = study().run(RETURNS, EVENTS)
    panel, model = result.panel, MODELS["market"]
    work = Work(model, each_once(asked_by_checks(panel, model, "return")), keep=False)
    whole = work.partial(panel, np.arange(panel.n), alone=True)
    parts = partitions_of(panel, 7)
    assert sorted(np.concatenate(parts).tolist()) == list(range(panel.n))
    firms = [set(panel.events.tickers[p]) for p in parts]
    assert sum(map(len, firms)) == len(set().union(*firms))

    def answers(found):
        for tally in found.tallies:
            answer = tally.total(found.asked)
            names = [f.name for f in fields(answer) if f.name != "window"]
            yield from (np.asarray(getattr(answer, name), dtype=float) for name in names)

    found = [work.sent(pickle.loads(pickle.dumps(panel.take(p))), p) for p in parts]  # noqa: S301 - our own
    right = list(answers(whole))
    orders = [random.Random(seed).sample(range(7), 7) for seed in range(4)]
    trees = []
    for order in orders:
        tree = Tree(7, Partial.merged)
        for number in order:
            tree.add(found[number], number, number + 1)
        trees.append(list(answers(tree.whole)))
        in_a_row = list(answers(reduce(lambda a, b: a.merged(b), [found[number] for number in order])))
        for a, b, c in zip(right, trees[-1], in_a_row, strict=True):
            np.testing.assert_allclose(b, a, rtol=1e-12, atol=1e-11)
            np.testing.assert_allclose(c, a, rtol=1e-12, atol=1e-11)
    for a, b in zip(trees[0], trees[3], strict=True):
        np.testing.assert_array_equal(a, b)  # the order in which they come changes no digit


def test_a_worker_gets_the_rows_of_its_firms_alone():
    panel = study().run(RETURNS, EVENTS).panel
    places = partitions_of(panel, 7)[2]
    content = pickle.dumps(panel.take(places))
    there = pickle.loads(content)  # noqa: S301 - our own
    assert set(there.__dict__["_again"].tables[0].columns) == {*panel.events.tickers[places], "MKT"}
    assert len(content) < 8 * len(DAYS) * (len(set(panel.events.tickers[places])) + 1) + 40_000
    np.testing.assert_array_equal(there.est_returns, panel.part(places).est_returns)


@pytest.mark.parametrize("count", [5, 460])
def test_a_result_can_be_sent_and_gathers_what_is_large_there(count):
    result = study(MODELS["factors"]).run(RETURNS, events(count))
    there = pickle.loads(pickle.dumps(result))  # noqa: S301 - our own
    same(said(there), said(result))
    np.testing.assert_array_equal(there.abnormal.residuals, result.abnormal.residuals)
    np.testing.assert_array_equal(there.panel.est_returns, result.panel.est_returns)
    np.testing.assert_array_equal(there.abnormal.run_up, result.abnormal.run_up)


def test_events_that_cannot_be_studied_here_or_there(pool):
    still = RETURNS.assign(**dict.fromkeys(FIRMS[:3], 0.0))
    for count in (460, 5):  # several chunks, and one
        asked = events(count).assign(ticker=np.resize(FIRMS[:3], count))
        for executor in (None, pool):
            with pytest.raises(DataUnfit, match="No event can be studied"):
                study().run(still, asked, executor=executor, partitions=3)


# -- Processes that die.


@pytest.mark.slow
def test_a_pool_whose_process_died_is_told_and_the_folder_goes_on(tmp_path, here):
    doomed = study(Doomed("MKT", spared=os.getpid(), marker=str(tmp_path / "died")))
    out = tmp_path / "out"
    with (
        processes(1) as broken,
        pytest.raises(WorkersLost, match=r"The workers are gone \(BrokenProcessPool\).*with out="),
    ):
        doomed.run(RETURNS, EVENTS, executor=broken, partitions=4, out=out)
    with processes(1) as another:
        found = doomed.run(RETURNS, EVENTS, executor=another, out=out)
    assert said(found).keys() == here.keys()
    same({k: v for k, v in said(found).items() if k != "checks"}, {k: v for k, v in here.items() if k != "checks"})


@pytest.fixture(scope="module")
def cluster() -> Iterator[object]:
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, silence_logs=50
        ) as found,
        distributed.Client(found, set_as_default=False) as client,
    ):
        yield client


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """The returns on disk, a row a firm and day, in folders by firm."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = RETURNS.rename_axis("date").reset_index().melt("date", var_name="ticker", value_name="ret")
    path = tmp_path_factory.mktemp("data") / "returns"
    pq.write_to_dataset(pa.Table.from_pandas(rows, preserve_index=False), path, partition_cols=["ticker"])
    return path


@pytest.mark.slow
@pytest.mark.parametrize("partitions", [1, 2, 7])
def test_a_cluster_says_the_same(partitions, cluster, folder, here):
    same(said(study().run(folder, EVENTS, executor=cluster, partitions=partitions)), here)


@pytest.mark.slow
def test_a_cluster_fills_a_folder_from_which_another_goes_on(cluster, folder, here, tmp_path, monkeypatch):
    same(said(study().run(folder, EVENTS, executor=cluster, partitions=4, out=tmp_path)), here)
    (tmp_path / "events-00001.parquet").unlink()
    worked = watched(monkeypatch)
    same(said(study().run(RETURNS, EVENTS, out=tmp_path)), here)
    assert len(worked) == 4  # one partial result is left of all, and it is not finished


@pytest.mark.slow
def test_the_command_line_lets_a_cluster_work(cluster):
    from typer.testing import CliRunner

    from eventstudy.cli import app

    flagship = Path(__file__).parents[2] / "reports" / "deepseek"
    done = CliRunner().invoke(app, ["run", str(flagship), "--csv", "--scheduler", cluster.scheduler.address])
    assert done.exit_code == 0, done.output
    there = pd.read_csv(io.StringIO(done.stdout), index_col=0)
    here = pd.read_csv(io.StringIO(CliRunner().invoke(app, ["run", str(flagship), "--csv"]).stdout), index_col=0)
    pd.testing.assert_frame_equal(there, here, rtol=1e-12)


@pytest.mark.slow
def test_a_cluster_whose_worker_is_killed_ends_right(cluster, folder, here, tmp_path):
    before = set(cluster.run(os.getpid).values())
    doomed = study(Doomed("MKT", spared=os.getpid(), marker=str(tmp_path / "died")))
    found = said(doomed.run(folder, EVENTS, executor=cluster, partitions=7))
    assert (tmp_path / "died").exists()
    same({k: v for k, v in found.items() if k != "checks"}, {k: v for k, v in here.items() if k != "checks"})
    cluster.wait_for_workers(2)
    assert set(cluster.run(os.getpid).values()) != before


@pytest.mark.slow
def test_a_partition_that_kills_every_worker_is_told(cluster, folder, tmp_path, monkeypatch):
    monkeypatch.setattr(cluster.cluster.scheduler, "allowed_failures", 0)
    doomed = study(Doomed("MKT", spared=os.getpid(), marker=str(tmp_path / "died"), always=True))
    with pytest.raises(WorkersLost, match=r"The workers are gone \(KilledWorker\)"):
        doomed.run(folder, EVENTS, executor=cluster, partitions=1)


def kept(out: Path) -> int:
    """Return of how many partitions a folder has partial results."""
    spans = [tuple(map(int, file.stem.split("-"))) for file in out.glob("_partials/[0-9]*.npz")]
    return len(set().union(*(range(*span) for span in spans)))


CLIENT = """
    import sys
    from doomed import Slow
    from test_spread import EVENTS, RETURNS, study

    study(Slow("MKT")).run(RETURNS, EVENTS, partitions=12, out=sys.argv[1])
"""


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_client_that_is_stopped_goes_on_where_it_was(how, tmp_path, monkeypatch, here):
    out = tmp_path / "out"
    rooms = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "helpers"), os.environ.get("PYTHONPATH", "")]
    client = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(CLIENT), str(out)],
        env={**os.environ, "SLOW": "0.1", "PYTHONPATH": os.pathsep.join(rooms)},
        stderr=subprocess.PIPE,
    )
    deadline = time.monotonic() + 60
    while kept(out) < 3 and time.monotonic() < deadline and client.poll() is None:
        time.sleep(0.02)
    client.send_signal(how)
    assert client.wait(30) in (-how, 1, 130), client.stderr.read()
    client.stderr.close()
    done = kept(out)
    assert 3 <= done < 12
    assert done <= len(list(out.glob("events-*.parquet"))) <= done + 1
    worked = watched(monkeypatch)
    found = said(study(Slow("MKT")).run(RETURNS, EVENTS, out=out))
    assert len(worked) == 12 - done
    same({k: v for k, v in found.items() if k != "checks"}, {k: v for k, v in here.items() if k != "checks"})


# -- The folder.


def watched(monkeypatch: pytest.MonkeyPatch, stop_after: int | None = None) -> list[int]:
    """Return the list into which the size of each partition goes that is worked on from now on; after so many somebody presses Ctrl-C."""
    found: list[int] = []
    sent = Work.sent

    def watch(self: Work, panel: EventPanel, places: np.ndarray) -> Partial:
        found.append(panel.n)
        if stop_after is not None and len(found) > stop_after:
            raise KeyboardInterrupt
        return sent(self, panel, places)

    monkeypatch.setattr(Work, "sent", watch)
    return found


@pytest.mark.parametrize("name", ["market", "huber"])
def test_the_folder_holds_the_table_of_events(name, tmp_path):
    result = study(MODELS[name]).run(RETURNS, EVENTS, out=tmp_path / "out", partitions=np.int64(5))
    right = said(study(MODELS[name]).run(RETURNS, EVENTS))
    same(said(result), right)
    rows = pd.read_parquet(tmp_path / "out").set_index("event").loc[list(result.events)]
    assert len(rows) == result.abnormal.n < len(EVENTS)
    for window, at in (((0, 0), "0"), ((0, 1), "0_1"), ((-3, 3), "-3_3")):
        car = result.car(window)
        for column, own in (("car", "car"), ("se", "se"), ("t", "t"), ("p_value", "p_value")):
            np.testing.assert_allclose(rows[f"{column}_{at}"], car[own], rtol=1e-12)
    if name == "market":  # against a loop
        for _, row in rows.iloc[:40].iterrows():
            day = DAYS.get_loc(pd.Timestamp(row["session"]))
            before, now = RETURNS.iloc[day - 120 : day - 10], RETURNS.iloc[day]
            used = before[[row["ticker"], "MKT"]].dropna()
            slope, level = np.polyfit(used["MKT"], used[row["ticker"]], 1)
            assert row["coef_beta"] == pytest.approx(slope, rel=1e-9)
            assert row["n_est"] == len(used)
            own = now[row["ticker"]] - level - slope * now["MKT"]
            assert row["ar_0"] == pytest.approx(own, rel=1e-9, nan_ok=True)


@pytest.mark.parametrize("name", ["market", "huber"])
def test_a_finished_study_is_read_and_what_is_damaged_is_done_again(name, tmp_path, monkeypatch):
    out, asked = tmp_path / "out", study(MODELS[name])
    right = said(asked.run(RETURNS, EVENTS))
    with monkeypatch.context() as stopped:
        worked = watched(stopped, stop_after=5)
        with pytest.raises(KeyboardInterrupt):
            asked.run(RETURNS, EVENTS, out=out, partitions=7)
    assert [file.name for file in sorted(out.glob("_partials/*"))] == ["00000-00004.npz", "00004-00005.npz"]
    trap, damaged = tmp_path / "sprung", out / "_partials" / "00004-00005.npz"
    with np.load(damaged) as arrays:
        content = dict(arrays)
    whole = damaged.read_bytes()
    (out / ".events-00004.parquet.x1y2").write_bytes(b"half")
    for spoil in ("short", "trap", "other events", "no table"):
        damaged.write_bytes(whole)
        if spoil == "short":
            damaged.write_bytes(whole[:-900])
        elif spoil == "trap":
            np.savez(damaged, **{**content, "asked": np.array([Trap(trap)], dtype=object)})
        elif spoil == "other events":
            np.savez(damaged, **{**content, "places": content["places"] + 1})
        else:
            (out / "events-00004.parquet").unlink()
        with monkeypatch.context() as stopped:
            worked = watched(stopped, stop_after=0)
            with pytest.raises(KeyboardInterrupt):
                asked.run(RETURNS, EVENTS, out=out)
            assert len(worked) == 1
    worked = watched(monkeypatch)
    same(said(asked.run(RETURNS, EVENTS, out=out)), right)
    assert len(worked) == 3
    assert not trap.exists()
    names = [*(f"events-{k:05d}.parquet" for k in range(7)), "_partials/00000-00007.npz", "_study.json", "_lock"]
    assert sorted(f.relative_to(out).as_posix() for f in out.rglob("*") if f.is_file()) == sorted(names)
    same(said(asked.run(RETURNS, EVENTS, out=out)), right)
    assert len(worked) == 3


class Trap:
    """Leaves a mark if it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


@pytest.fixture(scope="module")
def begun(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("begun") / "out"
    study().run(RETURNS, EVENTS, out=out, partitions=3)
    return out


def changed() -> pd.DataFrame:
    other = RETURNS.copy()
    other.iloc[333, 7] += 1e-12
    return other


@pytest.mark.parametrize(
    ("asked", "data", "wanted", "options", "told"),
    [
        (study(gaps="void"), RETURNS, EVENTS, {}, "holds another study: its specification differs. Name another folder"),
        (study(es.MeanAdjusted()), RETURNS, EVENTS, {}, "its specification differs"),
        (study(), changed(), EVENTS, {}, "holds another study: its data differ"),
        (study(), RETURNS, EVENTS.iloc[::-1], {}, "holds another study: its events differ"),
        (study(), RETURNS, EVENTS.assign(label="x"), {}, "holds another study: its events differ"),
        (study(), RETURNS, EVENTS, {"partitions": 4}, "partitions is 4, and the study in the folder was begun with 3"),
    ],
)  # fmt: skip
def test_another_study_is_refused(asked, data, wanted, options, told, begun):
    with pytest.raises(InvalidInput, match=told):
        asked.run(data, wanted, out=begun, **options)


def test_folders_that_are_none_of_a_study(tmp_path, begun):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("x")
    with pytest.raises(InvalidInput, match=r"holds thesis\.tex and no study; name a new or an empty folder"):
        study().run(RETURNS, EVENTS, out=tmp_path / "mine")
    with pytest.raises(InvalidInput, match=r"thesis\.tex, a file; name a folder"):
        study().run(RETURNS, EVENTS, out=tmp_path / "mine" / "thesis.tex")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "_study.json").write_text("{}")
    with pytest.raises(InvalidInput, match=r"_study\.json is damaged; name another folder"):
        study().run(RETURNS, EVENTS, out=tmp_path / "other")


HOLDS = """
    import sys, time
    from pathlib import Path
    from eventstudy.files import locked

    with locked(Path(sys.argv[1]) / "_lock", 0, ""):
        print("held", flush=True)
        time.sleep(60)
"""


def test_two_processes_do_not_write_into_one_folder(begun):
    other = subprocess.Popen([sys.executable, "-c", textwrap.dedent(HOLDS), str(begun)], stdout=subprocess.PIPE)
    assert other.stdout.readline()
    try:
        with pytest.raises(SourceFailed, match=r"Another process is at the study in .*; wait for its end, or stop it"):
            study().run(RETURNS, EVENTS, out=begun)
    finally:
        other.kill()
        other.wait()
        other.stdout.close()


class Nameless(ModelDefaults):
    """A model whose repr is an address."""

    name, formula, benchmark, columns = "nameless", "R = e", "MKT", ("MKT",)

    def design(self, columns):
        return columns

    def fit(self, panel):
        return es.MarketModel("MKT").fit(panel)


def test_what_cannot_be_known_again_or_sent_is_refused(tmp_path, pool):
    local = type("Local", (Nameless,), {"__module__": "nowhere"})
    with pytest.raises(InvalidInput, match=r"out= needs a model whose repr tells its parameters"):
        study(Nameless()).run(RETURNS, EVENTS, out=tmp_path / "out")
    with pytest.raises(InvalidInput, match=r"The nameless cannot be sent to other processes .*ThreadPoolExecutor"):
        study(local()).run(RETURNS, EVENTS, executor=pool)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"executor": 4}, "executor is 4; give a concurrent.futures.Executor"),
        ({"executor": "tcp://10.0.0.5:8786"}, "executor is 'tcp://10.0.0.5:8786'; give .*dask.distributed.Client"),
        ({"executor": pd}, "executor is a module"),
        ({"partitions": 0}, "partitions is 0; give a whole number of at least 1"),
        ({"partitions": 2.5}, "partitions is 2.5"),
        ({"partitions": True}, "partitions is True"),
    ],
)
def test_options_that_are_none(options, told):
    with pytest.raises(InvalidInput, match=told):
        study().run(RETURNS, EVENTS, **options)


def test_workers_of_another_version_are_told(pool, monkeypatch):
    monkeypatch.setattr(es, "__version__", "0.0.9")
    with pytest.raises(
        InvalidInput, match=r"A worker has eventstudy .*, and this process 0\.0\.9; install the same version"
    ):
        study().run(RETURNS, EVENTS, executor=pool)


def test_an_executor_that_has_ended_is_told():
    with ThreadPoolExecutor(1) as ended:
        pass
    with pytest.raises(InvalidInput, match=r"The executor takes no more work .*; make a new one"):
        study().run(RETURNS, EVENTS, executor=ended)


@pytest.mark.slow
def test_a_client_that_is_closed_is_told(cluster):
    with type(cluster)(cluster.scheduler.address, set_as_default=False) as closed:
        pass
    with pytest.raises(InvalidInput, match="The client of the cluster is closed; make a new one"):
        study().run(RETURNS, EVENTS, executor=closed)


def test_a_cluster_that_is_not_there_is_told(monkeypatch):
    pytest.importorskip("distributed")
    from eventstudy.estimation import crews

    monkeypatch.setattr(crews, "CONNECT", 1)
    with (
        pytest.raises(SourceFailed, match=r"No scheduler answers at tcp://127\.0\.0\.1:9"),
        crews.connected("tcp://127.0.0.1:9"),
    ):
        pass
    with pytest.raises(InvalidInput, match="'nowhere' is no address of a scheduler"), crews.connected("nowhere"):
        pass


# -- What is told meanwhile.


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_events_done_are_told_on_a_terminal_and_nowhere_else(monkeypatch, capsys):
    told: list[tuple[int, bool]] = []
    panel = study().run(RETURNS, EVENTS).panel
    work = Work(MODELS["market"], (), keep=False)
    Spread(partitions=4, told=lambda done, known: told.append((done, known))).over(work, panel)
    assert [done for done, _ in told][-1] == panel.n
    assert [done for done, _ in told] == sorted({done for done, _ in told})
    study().run(RETURNS, EVENTS, partitions=4)
    assert capsys.readouterr() == ("", "")
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setenv("TERM", "xterm")
    with events_bar(5_000) as tell:
        tell(1_000, True)
        time.sleep(0.12)
        tell(3_000, False)
        time.sleep(0.12)
    shown = stream.getvalue()
    assert "1,000 of 5,000 events" in shown
    assert "3,000 of 5,000 events" in shown
    assert " a second" in shown
    assert "0:00:00 to go" in shown


@pytest.mark.parametrize("count", [10**6, 10**12, 10**20])
def test_partitions_are_never_more_than_firms(count):
    found = study().run(RETURNS, EVENTS, partitions=count)
    pd.testing.assert_frame_equal(found.car(0, 1), study().run(RETURNS, EVENTS).car(0, 1), rtol=1e-12)


@pytest.mark.parametrize("name", ["file/below", "n" * 300, "a\0b"])
def test_a_folder_that_cannot_be_made_is_refused(name, tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(InvalidInput, match=r"a folder that cannot be used \(.+\); name another one"):
        study().run(RETURNS, EVENTS, out=f"{tmp_path}/{name}")


def test_a_table_of_events_that_is_cut_off_is_written_again(tmp_path):
    out = tmp_path / "out"
    kept = study().run(RETURNS, EVENTS, out=out, partitions=3).abnormal.n
    table = out / "events-00001.parquet"
    table.write_bytes(table.read_bytes()[:100])
    study().run(RETURNS, EVENTS, out=out)
    assert len(pd.read_parquet(out)) == kept


@pytest.mark.parametrize(
    ("harm", "told"),
    [
        (lambda out: (out / "events-00009.parquet").write_bytes(b""), r"events-00009\.parquet is no part of this study"),
        (lambda out: (out / "events-00009.parquet").mkdir(), r"events-00009\.parquet is a folder, and a file belongs there"),
        (lambda out: (shutil.rmtree(out / "_partials"), (out / "_partials").write_text("x")), "_partials is a file, and a folder belongs there"),
        (lambda out: ((out / "_lock").unlink(), (out / "_lock").mkdir()), r"a folder that cannot be used \(Is a directory\)"),
        (lambda out: ((out / "_study.json").unlink(), (out / "_study.json").mkdir()), r"_study\.json is damaged"),
        (lambda out: (out / "_study.json").write_text('{"partitions": Infinity}'), r"_study\.json is damaged"),
    ],
)  # fmt: skip
def test_what_no_study_writes_is_named(harm, told, begun, tmp_path):
    out = tmp_path / "out"
    shutil.copytree(begun, out)
    harm(out)
    with pytest.raises(InvalidInput, match=told):
        study().run(RETURNS, EVENTS, out=out)


def test_an_executor_that_takes_no_work_is_named():
    with pytest.raises(
        InvalidInput, match="The executor is a Executor, which takes no work; give a ThreadPoolExecutor"
    ):
        study().run(RETURNS, EVENTS, executor=Executor())
