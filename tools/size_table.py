"""Measure how often every test rejects a true null at 5 %, by design and number of events; write ``docs/size.csv``; `make_method.py` makes the tables of it.

Usage: ``python tools/size_table.py [DRAWS] [--only WORD]`` (default 2,500, as committed; about an hour on two cores; with ``--only`` the cells
whose design holds the word, beside the file's others). Seeded: the same draws give the same file.

Simulated returns: M = 250 estimation days, market N(0.0004, 0.01), beta N(1, 0.3), residual deviation exp(N(ln 0.022, 0.35)),
normal residuals unless the design says otherwise. Real returns: random firms and dates of the embedded panels.
"""

from __future__ import annotations

import math
import sys
import warnings
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

import eventstudy as es
from eventstudy.estimation.abnormal import AbnormalReturns, abnormal_returns
from eventstudy.estimation.panel import EventPanel
from eventstudy.inference import RECOMMENDED, TESTS, recommend, run_test
from eventstudy.inference.advice import OF_PORTFOLIO
from eventstudy.prices.snapshot import FUNDS
from eventstudy.windows import Window

M, GAP, L = 250, 5, 5
DOCS = Path(__file__).parent.parent / "docs"
#: Random relabellings, flips and resamples in each draw: enough for a size, and quick.
DRAWS_WITHIN = 499
NOMINAL = 0.05
COLUMNS = ["window", "test", "recommended", "warned", "p"]
#: Every caution that names how often a test rejects has these words.
NAMES_A_RATE = "% of true nulls"


@dataclass(frozen=True)
class Design:
    """One null design.

    Attributes
    ----------
    name : str
        Key in the table.
    words : str
        What it is.
    dates : str
        ``one``, ``separate``, ``shared`` (about N/5 dates) or ``week`` (dates within five sessions).
    rho : float
        Correlation of residuals of different firms on one day.
    scale : float
        Standard deviation of the event window's residuals over that of estimation days.
    tails : int
        Degrees of freedom of Student's t for residuals; 0 means normal.
    skew : int
        Shape of gamma residuals, of skewness ``2/√shape``; 0 means none.
    together : float
        Standard deviation of the events' common part in the event window over that of estimation days: no test can tell such a move from
        an effect, so that these rows stand apart from those of true nulls.
    effect : float
        Abnormal return added to every event's day 0: the share rejected is then the test's power.
    days, length : int
        Estimation days and days of the event window.
    jump : float
        The market's return on day 0; 0 means one like any other.
    serial : float
        First autocorrelation of residuals.
    lasting : float
        First autocorrelation of the log of the residuals' deviation, which then has the standard deviation 0.3; 0 means none.
    still : float
        Share of the days without a trade: the next trade has the return of all of them. Day 0 has one.
    blocks : int
        Blocks of firms of correlation ``rho``, 0 means one block of all; ``against`` is the correlation between blocks.
    firms : int
        Firms that have the events by turns; 0 means one firm an event.
    sizes : tuple of int
        Numbers of events; empty means those of `SIZES`.
    """

    name: str
    words: str
    dates: str
    rho: float = 0.0
    scale: float = 1.0
    tails: int = 0
    skew: int = 0
    together: float = 1.0
    effect: float = 0.0
    days: int = M
    length: int = L
    jump: float = 0.0
    serial: float = 0.0
    lasting: float = 0.0
    still: float = 0.0
    blocks: int = 0
    against: float = 0.0
    firms: int = 0
    sizes: tuple[int, ...] = ()


DESIGNS = (
    Design("one event", "one firm, normal residuals", "one"),
    Design("one event, t(4)", "one firm, heavy tails", "one", tails=4),
    Design("one date", "all events on one date, residual correlation 0.1", "one", rho=0.1),
    Design("one date, close firms", "all events on one date, residual correlation 0.3", "one", rho=0.3),
    Design(
        "one date, event-induced variance",
        "one date, correlation 0.1, event-window variance doubled",
        "one",
        rho=0.1,
        scale=math.sqrt(2),
    ),
    Design("shared dates", "five firms a date, correlation 0.1 within a date", "shared", rho=0.1),
    Design("overlapping", "dates within one week, correlation 0.1", "week", rho=0.1),
    Design("separate dates", "independent events, normal residuals", "separate"),
    Design("separate dates, t(4)", "independent events, heavy tails", "separate", tails=4),
    Design(
        "separate dates, event-induced variance",
        "independent events, event-window variance doubled",
        "separate",
        scale=math.sqrt(2),
    ),
    Design("separate dates, skewed", "independent events, gamma(2) residuals of skewness 1.4", "separate", skew=2),
)
POWER = (
    Design("one event", "power: 5 % on day 0", "one", effect=0.05),
    Design("one date", "power: 1 % on day 0", "one", rho=0.1, effect=0.01),
    Design("separate dates", "power: 1 % on day 0", "separate", effect=0.01),
    Design(
        "one date, moved together",
        "the common part of the event window doubled in deviation",
        "one",
        rho=0.1,
        together=2.0,
    ),
)
ALONE, FAR = (1,), 0.095
#: Designs in which tests once failed without a word; only tests that may be recommended, or stand beside them, are run.
FURTHER = (
    *(
        Design(f"one event, far market, {m} days", "the market +9.5 % on day 0", "one", days=m, jump=FAR, sizes=ALONE)
        for m in (60, 120, 250)
    ),
    Design("one event, serial correlation", "autocorrelation 0.1, ten days", "one", serial=0.1, length=10, sizes=ALONE),
    Design("one event, lasting volatility", "restless and calm months", "one", lasting=0.97, sizes=ALONE),
    Design("one event, still days", "a trade on 40 % of the days", "one", still=0.6, sizes=ALONE),
    Design("one date, blocks", "three blocks of correlation 0.7", "one", rho=0.7, blocks=3, sizes=(12,)),
    Design(
        "one date, halves opposed",
        "0.6 within halves, -0.4 between",
        "one",
        rho=0.6,
        blocks=2,
        against=-0.4,
        sizes=(10,),
    ),
    Design("one date, few firms", "their portfolio beside them", "one", rho=0.1, sizes=(2, 5)),
    Design(
        "shared dates, moved together",
        "what events of a date share has twice the deviation on event days",
        "shared",
        rho=0.1,
        together=2.0,
        sizes=(10, 50),
    ),
    Design("three firms, shared dates", "three firms on 2 to 4 dates", "shared", rho=0.1, firms=3, sizes=(6, 12)),
    Design("one firm, separate dates", "one firm on many dates", "separate", firms=1, sizes=(4, 12)),
)
SIZES = (1, 3, 10, 50, 400)
WINDOWS = (Window(0, 0), Window(0, 4))


def positions(design: Design, n: int, rng: np.random.Generator) -> np.ndarray:
    """Return the session of each event, from 0."""
    if design.firms > 1:
        return (np.arange(n, dtype=np.int64) // design.firms) * (2 * L)
    if design.dates == "one":
        return np.zeros(n, dtype=np.int64)
    if design.dates == "separate":
        return np.arange(n, dtype=np.int64) * (2 * L)
    if design.dates == "shared":
        return (np.arange(n, dtype=np.int64) // 5) * (2 * L)
    return np.sort(rng.integers(0, L, n)).astype(np.int64)


def simulate(design: Design, n: int, draws: int, rng: np.random.Generator) -> tuple[AbnormalReturns, np.ndarray]:
    """Return the events of many draws in one value, fitted by the market model; events of a draw are neighbours."""
    m, length = design.days, design.length
    before = m + GAP
    place = np.concatenate([positions(design, n, rng) for _ in range(draws)])
    block = np.repeat(np.arange(draws), n)
    if design.dates == "week":
        width = before + 2 * length
        common_key = block
        start = place
    else:
        width = before + length
        _, common_key = np.unique(np.stack([block, place]), axis=1, return_inverse=True)
        common_key = common_key.ravel()
        start = np.zeros_like(place)
    groups = int(common_key.max()) + 1
    market = rng.normal(0.0004, 0.01, (groups, width))
    if design.jump:
        market[:, before] = design.jump
    shape = (draws * n, width)
    own = noise(design, rng, shape)
    if design.blocks:
        own = in_blocks(design, n, own)
    elif design.rho:
        common = math.sqrt(design.rho) * noise(design, rng, (groups, width))
        common[:, before:] *= design.together
        own = math.sqrt(1 - design.rho) * own + common[common_key]
    own = over_time(design, rng, own)
    s = np.exp(rng.normal(np.log(0.022), 0.35, draws * n))
    beta = rng.normal(1.0, 0.3, draws * n)
    if design.firms:
        one = block * n + np.arange(draws * n) % n % design.firms
        s, beta = s[one], beta[one]
    scale = np.ones(width)
    scale[before:] = design.scale
    returns = beta[:, None] * market[common_key] + s[:, None] * own * scale
    if design.still:
        returns = between_trades(returns, rng.random(shape) < design.still, before)
    returns[np.arange(draws * n), start + before] += design.effect
    row = np.arange(draws * n)[:, None]
    est, event = start[:, None] + np.arange(m), start[:, None] + before + np.arange(length)
    panel = EventPanel(
        events=tuple(es.Event(f"F{i % n % (design.firms or n)}", "2025-01-27") for i in range(draws * n)),
        keys=tuple(map(str, range(draws * n))),
        position=place + before,
        calendar=pd.bdate_range("1990-01-01", periods=int(place.max()) + before + length + 1),
        estimation=Window(-before, -GAP - 1),
        window=Window(0, length - 1),
        est_returns=returns[row, est],
        event_returns=returns[row, event],
        columns=("MKT",),
        est_columns=market[common_key[:, None], est][:, :, None],
        event_columns=market[common_key[:, None], event][:, :, None],
    )
    model = es.MarketModel("MKT")
    between = start[:, None] + np.arange(m, before)
    gap = replace(
        panel,
        window=Window(-GAP, -1),
        event_returns=returns[row, between],
        event_columns=market[common_key[:, None], between][:, :, None],
    )
    return with_run_up(panel, gap, model), block


def with_run_up(panel: EventPanel, gap: EventPanel, model: es.MarketModel) -> AbnormalReturns:
    """Return abnormal returns that know those of the sessions between the windows."""
    run_up = dict(zip(panel.keys, abnormal_returns(gap, model.fit(gap)).comparable, strict=True))
    return replace(abnormal_returns(panel, model.fit(panel)), before=lambda keys: np.array([run_up[k] for k in keys]))


def in_blocks(design: Design, n: int, own: np.ndarray) -> np.ndarray:
    """Return independent rows mixed so that the n firms of a draw are correlated in blocks."""
    number = np.arange(n) * design.blocks // n
    correlation = np.where(number[:, None] == number[None, :], design.rho, design.against)
    np.fill_diagonal(correlation, 1.0)
    mixed = np.linalg.cholesky(correlation) @ own.reshape(-1, n, own.shape[1])
    return mixed.reshape(own.shape)


def over_time(design: Design, rng: np.random.Generator, own: np.ndarray) -> np.ndarray:
    """Return residuals that are correlated over time, or whose deviation lasts."""
    if design.serial:
        own = own.copy()
        for t in range(1, own.shape[1]):
            own[:, t] = design.serial * own[:, t - 1] + math.sqrt(1 - design.serial**2) * own[:, t]
    if design.lasting:
        level = rng.normal(0.0, 0.3, len(own))
        deviation = np.empty_like(own)
        for t in range(own.shape[1]):
            level = design.lasting * level + 0.3 * math.sqrt(1 - design.lasting**2) * rng.standard_normal(len(own))
            deviation[:, t] = np.exp(level)
        own = own * deviation
    return own


def between_trades(returns: np.ndarray, still: np.ndarray, day: int) -> np.ndarray:
    """Return what is observed if a day's return waits for the next trade; ``day`` has one."""
    still[:, day] = False
    seen, waiting = np.zeros_like(returns), np.zeros(len(returns))
    for t in range(returns.shape[1]):
        waiting = waiting + returns[:, t]
        seen[:, t] = np.where(still[:, t], 0.0, waiting)
        waiting = np.where(still[:, t], waiting, 0.0)
    return seen


def noise(design: Design, rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Return residuals of variance one."""
    if design.tails:
        return rng.standard_t(design.tails, shape) / math.sqrt(design.tails / (design.tails - 2))
    if design.skew:
        return (rng.gamma(design.skew, 1.0, shape) - design.skew) / math.sqrt(design.skew)
    return rng.standard_normal(shape)


def options(name: str) -> dict[str, object]:
    """Return fewer random draws for the tests that take them."""
    from inspect import signature

    return {"draws": DRAWS_WITHIN} if "draws" in signature(TESTS[name].compute).parameters else {}


def tested(abnormal: AbnormalReturns, n: int, draws: int, names: list[str]) -> list[tuple[str, str, bool, bool, float]]:
    """Return window, test, whether it was recommended, whether the advice named a rate, and the p-value, for each draw."""
    out = []
    whole = Window(0, abnormal.window.end)
    for draw in range(draws):
        part = abnormal.take(np.arange(draw * n, (draw + 1) * n))
        for window in (WINDOWS[0], whole):
            _, recommended, reason = recommend(part, window)
            warned = NAMES_A_RATE in reason
            out += [
                (str(window), name, name in recommended, warned, run_test(name, part, window, **options(name)).p_value)
                for name in names
            ]
    return out


def cell(job: tuple[Design, int, int, int]) -> pd.DataFrame:
    """Return rejection rates of one design and number of events."""
    design, n, draws, seed = job
    rng = np.random.default_rng([seed, n])
    on_one_date = design.together != 1.0 and design.dates == "one"  # no test can tell that from the news
    origin = (
        "simulated, with an effect" if design.effect else "simulated, a common move" if on_one_date else "simulated"
    )
    scope = "one" if n == 1 else "many"
    names = [name for name, method in TESTS.items() if method.scope == scope]
    if design.sizes and n > 1:
        shown = {*OF_PORTFOLIO}.union(*RECOMMENDED.values())
        names = [name for name in names if name in shown]
    batch = max(1, min(200, 20_000 // n))
    rows: list[tuple[str, str, bool, bool, float]] = []
    done = 0
    while done < draws:
        now = min(batch, draws - done)
        rows += tested(simulate(design, n, now, rng)[0], n, now, names)
        done += now
    return rates(pd.DataFrame(rows, columns=COLUMNS), design.name, origin, n)


@dataclass(frozen=True)
class Panel:
    """Real returns to draw from.

    Attributes
    ----------
    name : str
        Key in the table.
    estimation : int
        Estimation days before each event.
    """

    name: str
    estimation: int


SHARES, MEMBERS = Panel("28 shares, 2022 to 2025", 250), Panel("S&P 500 members, 2024", 100)
SQUARES = Panel("28 shares, squared returns", 250)
VOLUMES = Panel("28 shares, log volume", 250)


def real_returns(panel: Panel) -> tuple[np.ndarray, np.ndarray, pd.DatetimeIndex]:
    """Return firms' returns (T, K), the S&P 500's (T,) and the dates."""
    if panel == SQUARES:
        shares, market, dates = real_returns(SHARES)
        return shares**2, market**2, dates
    if panel == VOLUMES:
        volume = np.log(es.load_prices().volume)
        firms = [t for t in volume if not t.startswith("^") and t not in FUNDS]
        return volume[firms].to_numpy(), volume["SPY"].to_numpy(), pd.DatetimeIndex(volume.index)
    if panel == SHARES:
        everything = es.load_prices()
        firms = [t for t in everything.tickers if not t.startswith("^") and t not in FUNDS]
        table = everything.returns()[[*firms, "^GSPC"]].iloc[1:]
    else:
        table = es.load_universe().returns().join(es.load_prices(["^GSPC"]).returns()).iloc[1:]
        firms = [c for c in table.columns if c != "^GSPC"]
    return table[firms].to_numpy(), table["^GSPC"].to_numpy(), pd.DatetimeIndex(table.index)


def real_cell(job: tuple[Panel, str, int, int, int]) -> pd.DataFrame:
    """Return rejection rates on random firms and dates of a real panel."""
    source, dates, n, draws, seed = job
    rng = np.random.default_rng([seed, n])
    returns, market, calendar = real_returns(source)
    before = source.estimation + GAP
    names = [name for name, method in TESTS.items() if method.scope == ("one" if n == 1 else "many")]
    rows: list[tuple[str, str, bool, bool, float]] = []
    batch = max(1, min(200, 20_000 // n))
    for done in range(0, draws, batch):
        now = min(batch, draws - done)
        drawn = [real_draw(returns, before, dates, n, rng) for _ in range(now)]
        place, firm = (np.concatenate([d[k] for d in drawn]) for k in (0, 1))
        rows += tested(real_events(returns, market, calendar, place, firm, source), n, now, names)
    label = real_design(dates, n)
    return rates(pd.DataFrame(rows, columns=COLUMNS), label, source.name, n)


def real_design(dates: str, n: int) -> str:
    """Return the name of a design of real returns."""
    return "one event" if n == 1 else f"{dates} date{'s' * (dates != 'one')}"


def real_draw(
    returns: np.ndarray, before: int, dates: str, n: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Draw n different firms on one date, or firms on dates a window apart, all with complete returns."""
    last = len(returns) - L
    complete = np.isfinite(returns)
    while True:
        if dates == "one":
            place = np.full(n, rng.integers(before, last))
            whole = np.flatnonzero(complete[place[0] - before : place[0] + L].all(axis=0))
            if len(whole) >= n:
                return place, rng.choice(whole, n, replace=False)
        else:
            slots = np.arange(before + rng.integers(0, L), last, L)
            place = np.sort(rng.choice(slots, n, replace=False))
            firm = rng.integers(0, returns.shape[1], n)
            if all(complete[p - before : p + L, f].all() for p, f in zip(place, firm, strict=True)):
                return place, firm


def real_events(
    returns: np.ndarray,
    market: np.ndarray,
    calendar: pd.DatetimeIndex,
    place: np.ndarray,
    firm: np.ndarray,
    source: Panel,
) -> AbnormalReturns:
    """Return the abnormal returns of firms around places of the calendar."""
    before = source.estimation + GAP
    est = place[:, None] - before + np.arange(source.estimation)
    event = place[:, None] + np.arange(L)
    panel = EventPanel(
        events=tuple(es.Event(f"F{f}", "2025-01-27") for f in firm),
        keys=tuple(map(str, range(len(place)))),
        position=place.astype(np.int64),
        calendar=calendar,
        estimation=Window(-before, -GAP - 1),
        window=Window(0, L - 1),
        est_returns=returns[est, firm[:, None]],
        event_returns=returns[event, firm[:, None]],
        columns=("^GSPC",),
        est_columns=market[est][:, :, None],
        event_columns=market[event][:, :, None],
    )
    between = place[:, None] + np.arange(-GAP, 0)
    gap = replace(
        panel,
        window=Window(-GAP, -1),
        event_returns=returns[between, firm[:, None]],
        event_columns=market[between][:, :, None],
    )
    return with_run_up(panel, gap, es.MarketModel("^GSPC"))


def rates(table: pd.DataFrame, design: str, returns: str, n: int) -> pd.DataFrame:
    """Return one row a window and test: share rejected, how often it applied, was recommended, and had its rate named beside it."""
    table = table.assign(applies=table["p"].notna(), rejects=(table["p"] <= NOMINAL).astype(float))
    table["rejects_recommended"] = table["rejects"].where(table["recommended"])
    table["rejects_unwarned"] = table["rejects"].where(table["recommended"] & ~table["warned"])
    table["warned"] = table["warned"].astype(float).where(table["recommended"])
    table["rejects"] = table["rejects"].where(table["applies"])
    out = table.groupby(["window", "test"], sort=False).agg(
        draws=("p", "size"), applies=("applies", "mean"), recommended=("recommended", "mean"), size=("rejects", "mean"),
        size_when_recommended=("rejects_recommended", "mean"), warned=("warned", "mean"), size_unwarned=("rejects_unwarned", "mean"),
    )  # fmt: skip
    return out.reset_index().assign(design=design, returns=returns, n=n)


def jobs(draws: int) -> list[tuple[Design, int, int, int]]:
    """Return every simulated cell: one event alone, several in the other designs."""
    wanted = []
    for seed, design in enumerate((*DESIGNS, *POWER, *FURTHER)):
        for n in design.sizes or SIZES:
            if (n == 1) != design.name.startswith("one event"):
                continue
            wanted.append((design, n, (2 if design.sizes else 8) * draws if n == 1 else draws, 20250127 + seed))
    return sorted(wanted, key=lambda job: -job[1] * job[2])


def real_jobs(draws: int) -> list[tuple[Panel, str, int, int, int]]:
    """Return every cell of real returns that the panels can fill."""
    cells = [
        (SHARES, "one", 1),
        (SHARES, "one", 3),
        (SHARES, "one", 10),
        (SHARES, "separate", 3),
        (SHARES, "separate", 10),
    ]
    cells += [(SHARES, "separate", 50), (SQUARES, "separate", 10), (SQUARES, "separate", 50)]
    cells += [(MEMBERS, "one", 50), (MEMBERS, "one", 400), (VOLUMES, "one", 1)]
    return [(panel, dates, n, draws // 4 if n == 400 else draws, 7) for panel, dates, n in cells]


def main(draws: int, only: str = "") -> None:
    """Measure and write."""
    warnings.simplefilter("error")
    real = [job for job in real_jobs(draws) if only in f"{real_design(job[1], job[2])}, {job[0].name}"]
    made = [job for job in jobs(draws) if only in job[0].name]
    if only:
        tables = [*map(real_cell, real), *map(cell, made)]
    else:
        with ProcessPoolExecutor(2) as pool:
            tables = [*pool.map(real_cell, real), *pool.map(cell, made)]
    table = pd.concat(tables, ignore_index=True)
    keys = ["returns", "design", "n"]
    if only:
        before = pd.read_csv(DOCS / "size.csv")
        again = pd.MultiIndex.from_frame(table[keys])
        table = pd.concat([before[~pd.MultiIndex.from_frame(before[keys]).isin(again)], table], ignore_index=True)
    order = [
        *keys,
        "window",
        "test",
        "draws",
        "applies",
        "recommended",
        "size",
        "size_when_recommended",
        "warned",
        "size_unwarned",
    ]
    table = table[order].sort_values([*keys, "window"], kind="stable").round(4)
    table.to_csv(DOCS / "size.csv", index=False, lineterminator="\n")
    low = np.where(table["returns"].str.startswith("simulated"), 0.035, 0.03)
    high = np.where(table["returns"].str.startswith("simulated"), 0.065, 0.08)
    size = table["size_unwarned"].fillna(table["size_when_recommended"].where(table["warned"].isna()))
    worst = table[
        (table["recommended"] > 0.02)
        & ((size < low) | (size > high))
        & ~table["returns"].isin(["simulated, with an effect", "simulated, a common move"])
    ]
    print(worst.to_string())


if __name__ == "__main__":
    chosen = sys.argv[sys.argv.index("--only") + 1] if "--only" in sys.argv else ""
    main(int(sys.argv[1]) if sys.argv[1:2] and sys.argv[1].isdigit() else 2500, chosen)
