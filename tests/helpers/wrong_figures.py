"""Answers of the right form with wrong figures; each function changes the parts of a chart answer at a place."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from misbehaviour import Parts

Change = Callable[[Parts, int], None]
CLOSED_DAY = int(pd.Timestamp("2025-01-09 09:30", tz="America/New_York").timestamp())  # a day of mourning


def set_meta(key: str, value: object) -> Change:
    return lambda p, _: p.meta.update({key: value})


def no_meta(key: str) -> Change:
    return lambda p, _: p.meta.pop(key, None)


def put(value: float | None, last: bool = False) -> Change:
    return lambda p, at: p.put(-1 if last else at, value)


def last_empty(p: Parts, _: int) -> None:
    p.put(-1, None)
    p.quote["volume"][-1] = None


def no_adjusted(p: Parts, at: int) -> None:
    p.adj[at] = None


def adjusted_as_close(p: Parts, _: int) -> None:
    p.adj[:] = p.quote["close"]


def adjusted_by(multiple: float) -> Change:
    """Adjusted closes before the dividend as if it were a multiple of what is listed."""

    def change(p: Parts, _: int) -> None:
        (paid,) = p.result["events"]["dividends"].values()
        at = p.stamps.index(paid["date"])
        step = paid["amount"] / p.quote["close"][at - 1]
        p.adj[:at] = [close * (1 - multiple * step) for close in p.quote["close"][:at]]

    return change


def listed_amount(amount: float | None) -> Change:
    return lambda p, _: next(iter(p.result["events"]["dividends"].values())).update(amount=amount)


def block_again(count: int) -> Change:
    def change(p: Parts, at: int) -> None:
        for column in p.columns:
            column[at + count : at + 2 * count] = column[at : at + count]

    return change


def without_adjusted(p: Parts, _: int) -> None:
    del p.result["indicators"]["adjclose"]


def drop(first: int | None, last: int | None) -> Change:
    return lambda p, _: p.drop(slice(first, last))


def drop_at(count: int) -> Change:
    return lambda p, at: p.drop(slice(at, at + count))


def weekly(p: Parts, _: int) -> None:
    p.reorder(np.arange(0, len(p.stamps), 5))


def scale_at(factor: float, count: int) -> Change:
    return lambda p, at: p.scale(slice(at, at + count), factor)


def scale_before(factor: float) -> Change:
    return lambda p, at: p.scale(slice(0, at), factor)


def scale_close(factor: float) -> Change:
    return lambda p, at: p.scale(slice(at, at + 1), factor, adjusted=False)


def listed_split(new: int) -> Change:
    def change(p: Parts, at: int) -> None:
        stamp = p.stamps[at]
        p.scale(slice(0, at), float(new))
        split = {"date": stamp, "numerator": new, "denominator": 1, "splitRatio": f"{new}:1"}
        p.result["events"]["splits"] = {str(stamp): split}

    return change


def hidden_dividend(p: Parts, _: int) -> None:
    p.result["events"].pop("dividends", None)


def repeat(factor: float, last: bool = False, later: int = 0) -> Change:
    return lambda p, at: p.repeat(-1 if last else at, factor, later)


def closed_day(factor: float, volume: float) -> Change:
    return lambda p, _: p.insert_day(CLOSED_DAY, factor, volume)


def empty_closed_day(p: Parts, _: int) -> None:
    p.insert_day(CLOSED_DAY, 1.0, 0.0)
    p.put(p.stamps.index(CLOSED_DAY), None)


def frozen(p: Parts, at: int) -> None:
    p.put(at, p.quote["close"][at - 1])
    p.adj[at] = p.adj[at - 1]
    p.quote["volume"][at] = 0


def frozen_without_volume(p: Parts, at: int) -> None:
    frozen(p, at)
    p.quote["volume"][at] = None


def late_first_trade(p: Parts, at: int) -> None:
    p.meta["firstTradeDate"] = p.stamps[-5]
    p.drop(slice(at, at + 3))


def split_3_for_2(factor: float, days_late: int) -> Change:
    """A split that is listed some days after the one on which the prices have its ratio, or have it once too often."""

    def change(p: Parts, at: int) -> None:
        mondays = [i for i in range(5, 40) if pd.Timestamp(p.stamps[i], unit="s").dayofweek == 0]
        at = mondays[at % 3]
        p.scale(slice(0, at), factor)
        stamp = p.stamps[at] + days_late * 86400
        p.result["events"]["splits"] = {
            str(stamp): {"date": stamp, "numerator": 3, "denominator": 2, "splitRatio": "3:2"}
        }

    return change


def unequal(p: Parts, _: int) -> None:
    p.quote["close"].pop()


def no_timestamps(p: Parts, _: int) -> None:
    del p.result["timestamp"]


def no_quote(p: Parts, _: int) -> None:
    p.result["indicators"]["quote"] = [{}]


def result(value: object) -> Change:
    return lambda p, _: p.chart["chart"].update(result=value)


def no_chart(p: Parts, _: int) -> None:
    p.chart["chart"] = None


def words(p: Parts, at: int) -> None:
    p.quote["close"][at] = "n/a"


def negative_volume(p: Parts, at: int) -> None:
    p.quote["volume"][at] = -5


def noon(p: Parts, _: int) -> None:
    p.meta["regularMarketTime"] = p.stamps[-1] + 9000


def shuffled(p: Parts, at: int) -> None:
    p.reorder(np.random.default_rng(at).permutation(len(p.stamps)))


def after_the_end(p: Parts, _: int) -> None:
    p.repeat(-1, 1.5, later=86400)


def no_volume(p: Parts, at: int) -> None:
    p.quote["volume"][at] = None


def missed_split(ratio: float) -> Change:
    def change(p: Parts, at: int) -> None:
        p.scale(slice(0, at), ratio)
        p.quote["volume"][:at] = [v / ratio for v in p.quote["volume"][:at]]

    return change


def other_volume(p: Parts, at: int) -> None:
    p.quote["volume"][:] = np.floor(np.random.default_rng(at + 99).uniform(2e7, 3e7, len(p.stamps))).tolist()


SCHEMA, HOLES, PRICES = {"schema_changed"}, {"missing_sessions"}, {"non_positive_prices"}
JUMP, ADJUSTMENT, EMPTY, CURRENCY = {"unapplied_split"}, {"adjustment_ratio"}, {"empty"}, {"currency"}
WRONG: dict[str, tuple[Change, set[str]]] = {
    "null close": (put(None), HOLES),
    "last day null": (last_empty, {"early_end"}),
    "last day null with volume": (put(None, last=True), {"early_end"}),
    "null adjusted close": (no_adjusted, HOLES),
    "adjusted as close despite dividend": (adjusted_as_close, ADJUSTMENT),
    "adjusted by a fifth of the dividend": (adjusted_by(0.2), ADJUSTMENT),
    "adjusted by twice the dividend": (adjusted_by(2.0), ADJUSTMENT),
    "adjusted by ten times the dividend": (adjusted_by(10.0), ADJUSTMENT),
    "a dividend of 1.25 listed as 0.05": (listed_amount(0.05), ADJUSTMENT),
    "a dividend of 1e308": (listed_amount(1e308), SCHEMA),
    "a negative dividend": (listed_amount(-1.25), SCHEMA),
    "five days again": (block_again(5), {"repeated_block"}),
    "adjusted closes absent": (without_adjusted, SCHEMA),
    "dividend not listed": (hidden_dividend, ADJUSTMENT),
    "one session absent": (drop_at(1), HOLES),
    "three sessions absent": (drop_at(3), HOLES),
    "late start": (drop(0, 5), HOLES),
    "stale end": (drop(-5, None), HOLES),
    "last session absent": (drop(-1, None), HOLES),
    "only the last five": (drop(0, -5), HOLES),
    "weekly bars": (weekly, SCHEMA),
    "weekly by name": (set_meta("dataGranularity", "1wk"), SCHEMA),
    "price of its own on a closed day": (closed_day(1.01, 5e5), {"extra_days"}),
    "session carried forward": (frozen, HOLES),
    "session carried forward, volume null": (frozen_without_volume, HOLES),
    "three sessions absent, first trade later": (late_first_trade, HOLES),
    "day twice, double": (repeat(2.0), SCHEMA),
    "day twice, a little other": (repeat(1.003), SCHEMA),
    "last day twice, other": (repeat(1.02, last=True, later=20000), SCHEMA),
    "other symbol": (set_meta("symbol", "OTHER"), {"wrong_instrument"}),
    "no symbol": (no_meta("symbol"), SCHEMA),
    "pence": (set_meta("currency", "GBp"), CURRENCY),
    "no currency": (no_meta("currency"), SCHEMA),
    "null currency": (set_meta("currency", None), SCHEMA),
    "no zone": (no_meta("exchangeTimezoneName"), SCHEMA),
    "no type": (no_meta("instrumentType"), SCHEMA),
    "no meta": (lambda p, _: p.result.pop("meta"), SCHEMA),
    "no timestamps": (no_timestamps, SCHEMA),
    "no quote": (no_quote, EMPTY | SCHEMA),
    "columns of unequal length": (unequal, SCHEMA),
    "words for a price": (words, SCHEMA),
    "zero price": (put(0.0), PRICES),
    "negative price": (put(-3.0), PRICES),
    "huge price": (put(1e15), PRICES),
    "NaN": (put(float("nan")), HOLES),
    "Infinity": (put(float("inf")), PRICES),
    "negative volume": (negative_volume, {"negative_volume"}),
    "times 100 for three days": (scale_at(100.0, 3), JUMP),
    "by 100 for a day": (scale_at(0.01, 1), JUMP),
    "close alone times 100": (scale_close(100.0), JUMP),
    "missed split 4:1, listed": (listed_split(4), JUMP),
    "missed split 2:1, listed": (listed_split(2), JUMP),
    "missed split 3:1, not listed": (scale_before(3.0), JUMP),
    "missed split 2:1, not listed": (scale_before(2.0), JUMP),
    "split 3:2 applied twice": (split_3_for_2(1 / 1.5, 0), JUMP),
    "split 3:2 listed a session late": (split_3_for_2(1.5, 1), JUMP),
    "split 3:2 listed on a Saturday": (split_3_for_2(1.5, -2), JUMP),
    "missed reverse split": (scale_before(0.1), JUMP),
    "result null": (result(None), EMPTY),
    "result empty": (result([]), EMPTY),
    "chart null": (no_chart, SCHEMA),
    "answer of noon": (noon, {"early_end"}),
}
#: Wrong, and no single answer shows it; the checks of prices see some of it. In docs/data.md by these names.
UNSEEN: dict[str, Change] = {
    "one day × 1.1": scale_at(1.1, 1),
    "one day × 1.4": scale_at(1.4, 1),
    "missed split 3:2, not listed": missed_split(1.5),
    "volume of another ticker": other_volume,
    "another currency from a day on": scale_before(1 / 0.92),
}
#: Odd, and yet nothing is lost.
HARMLESS: dict[str, Change] = {
    "last day twice, alike": repeat(1.0, last=True, later=20000),
    "day twice, alike": repeat(1.0),
    "out of order": shuffled,
    "carried forward on a closed day": closed_day(1.0, 0.0),
    "empty row on a closed day": empty_closed_day,
    "row after the end": after_the_end,
    "no volume": no_volume,
}
