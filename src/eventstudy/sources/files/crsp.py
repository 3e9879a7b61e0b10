"""CRSP's daily stock file, as WRDS hands it out: its signs, codes and delisting returns."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
import pandas as pd

from eventstudy.errors import DataUnfit, InvalidInput
from eventstudy.sources.files.cells import Figures, check_tickers, column_names, numbers
from eventstudy.wording import first_few, iso_day, plural
from eventstudy.written_days import read_days

if TYPE_CHECKING:
    from collections.abc import Mapping

#: What is done about the return of a firm's last day.
Delisting = Literal["recorded", "shumway", "ignore"]
#: Numbers that stand for a missing return.
_CODES = (-44.0, -55.0, -66.0, -77.0, -88.0, -99.0)
#: There is a price but none before it that a return could be taken from.
_NO_PREVIOUS = ("C", ".C", "-66", "-66.0", -66.0)
_LETTERS = ["", ".", *(f"{dot}{letter}" for dot in ("", ".") for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ")]
SHUMWAY_RETURN = -0.30
#: The newer files' return, which has the delisting return in it.
_WHOLE_RETURN = "dlyret"
#: What was done about missing returns, by the mark of a share.
_CAUTIONS = {
    "filled": "Delisting returns of -30 % (Shumway 1997) were taken for {}.",
    "lacking": "No delisting return is recorded for {}, delisted for poor performance; delisting='shumway' takes -30 %.",
    "left": "Delisting returns were left out for {}.",
    "bridged": "A missing return was bridged by prices without dividends for {}.",
}
#: What a share's figures are called here.
_FIELDS = ("level", "close", "volume")
#: Shares that a caution names.
_SHARES = 10


def check_delisting(word: str) -> None:
    """Raise `InvalidInput` unless ``word`` is one of `Delisting`."""
    if word not in get_args(Delisting):
        raise InvalidInput(f"delisting is {word!r}; choose {', '.join(map(repr, get_args(Delisting)))}.")


def crsp_figures(
    table: pd.DataFrame, columns: Mapping[str, str], name: str, delisting: Delisting = "recorded"
) -> Figures:
    """Bring CRSP's daily file, one row per permno and day, to dates × tickers; ``columns`` are its columns by their older names.

    Notes
    -----
    The adjusted close is the index of cumulated returns, scaled to end at the last price. A negative ``prc`` is the average of bid and
    ask, zero no price. A return that is a letter or one of -44, -55, -66, -77, -88, -99 is missing. CRSP takes a return from the last
    price there was, so cumulated returns bridge days without a price; a day whose return is missing though it has a price (code C) is
    bridged by ``prc / cfacpr``, without dividends. ``dlret`` is compounded with the last day's return; ``shumway`` takes -30 % where it
    is missing and ``dlstcd`` tells of poor performance (500, 520 to 584).

    References
    ----------
    Shumway, T. (1997). The delisting bias in CRSP data. Journal of Finance 52(1), 327-340.
    """
    clean = _cells(table, columns, name)
    if delisting == "shumway" and "dlstcd" not in columns:
        raise InvalidInput(f"delisting='shumway' needs the column dlstcd, which {name} does not have.")
    labels = _labels(clean, name)
    cautions = _contradictions(clean, labels, name)
    edges = np.searchsorted(clean["permno"].to_numpy(), [*labels, max(labels) + 1])
    shares = {
        label: _share(clean.iloc[a:b], label, name, delisting)
        for a, b, label in zip(edges[:-1], edges[1:], labels.values(), strict=True)
    }
    level, close, volume = (pd.DataFrame({t: f[c] for t, (f, _) in shares.items()}).sort_index() for c in _FIELDS)
    for mark, words in _CAUTIONS.items():
        marked = [label for label, (_, marks) in shares.items() if mark in marks]
        cautions += [words.format(first_few(marked, _SHARES))] if marked else []
    if "dlret" not in columns and columns["ret"].strip().lower() != _WHOLE_RETURN:
        cautions.append("The file has no dlret: the last day of a delisted firm lacks its delisting return.")
    quotes = int((clean["prc"] < 0).sum())
    if quotes:
        cautions.append(
            f"{quotes:,} of {int(clean['prc'].notna().sum()):,} closes are averages of bid and ask (negative prc)."
        )
    return Figures(
        level,
        close if "prc" in columns else None,
        volume if "vol" in columns else None,
        "cumulated CRSP returns (splits and distributions)",
        tuple(cautions),
    )


def crsp_shares(table: pd.DataFrame, columns: Mapping[str, str], name: str) -> pd.DataFrame:
    """Return shares outstanding, dates × tickers, from CRSP's thousands."""
    clean = _cells(table, columns, name)
    shares = clean.assign(label=clean["permno"].map(_labels(clean, name)), count=clean["shrout"] * 1000.0)
    wrong = clean["shrout"] < 0
    if wrong.any():
        raise DataUnfit(
            f"{name} has {clean['shrout'][wrong].iloc[0]:g} as shrout; shares outstanding are not below zero."
        )
    wide = shares.pivot_table(index="date", columns="label", values="count", dropna=False)
    return wide.rename_axis(columns=None).where(wide > 0)


def _cells(table: pd.DataFrame, columns: Mapping[str, str], name: str) -> pd.DataFrame:
    """Return the cells by permno and date, columns by their older names; what the file lacks is missing, ``no_previous`` marks code C."""
    if not {"permno", "date"} <= set(columns):
        raise InvalidInput(
            f"{name} has the columns {column_names(table.columns)}; a CRSP file needs permno, date and ret."
        )
    if table.empty:
        raise DataUnfit(f"{name} is empty below its header; it needs a row for each share and day.")
    days = read_days(table[columns["date"]], name)
    clean = pd.DataFrame({"date": days})
    for field in ("permno", "prc", "vol", "shrout", "cfacpr", "dlstcd", "ret", "dlret"):
        read = _returns if field.endswith("ret") else numbers
        clean[field] = read(table[columns[field]], name, days).to_numpy() if field in columns else np.nan
    if "ret" in columns:
        clean["no_previous"] = _stripped(table[columns["ret"]]).isin(_NO_PREVIOUS).to_numpy()
    clean["ticker"] = ""
    if "ticker" in columns:
        ticker = table[columns["ticker"]].astype("object")
        clean["ticker"] = ticker.where(ticker.notna(), "").astype(str).str.strip().to_numpy()
    wrong = clean["permno"].isna() | (clean["permno"] % 1 != 0)
    if wrong.any():
        raise DataUnfit(f"{name} has no whole number as permno in data row {int(wrong.to_numpy().argmax()) + 1}.")
    clean["permno"] = clean["permno"].astype("int64")
    clean["prc"] = clean["prc"].where(clean["prc"] != 0)
    clean["vol"] = clean["vol"].where(clean["vol"] != -99)
    clean = clean.drop_duplicates().sort_values(["permno", "date"], kind="stable")
    twice = clean.duplicated(["permno", "date"])
    if twice.any():
        row = clean[twice].iloc[0]
        raise DataUnfit(
            f"{name} has permno {row['permno']} on {iso_day(row['date'])} more than once with different figures; keep one row."
        )
    return clean


def _returns(column: pd.Series[float], name: str, days: pd.DatetimeIndex) -> pd.Series[float]:
    """Return returns as fractions, codes as missing."""
    cells = _stripped(column)
    cells = cells.mask(cells.isin(_LETTERS)) if pd.api.types.is_object_dtype(cells.dtype) else cells
    values = numbers(cells, name, days)
    values = values.mask(values.isin(_CODES))
    wrong = ((values < -1.0) | np.isinf(values)).to_numpy()
    if wrong.any():
        place = int(wrong.argmax())
        raise DataUnfit(
            f"{name} has {values.iloc[place]:g} in column {column.name}, data row {place + 1} ({iso_day(days[place])}); returns are fractions "
            f"of at least -1, a letter, or one of {', '.join(f'{c:g}' for c in _CODES)}.",
            column=str(column.name),
            row=place + 1,
        )
    return values


def _stripped(column: pd.Series[float]) -> pd.Series[float]:
    """Return a column of figures as it is, one of texts without blanks around them."""
    if pd.api.types.is_numeric_dtype(column.dtype):
        return column
    cells = [c.strip() if isinstance(c, str) else c for c in column.astype("object")]
    return pd.Series(cells, index=column.index, name=column.name, dtype="object")


def _labels(clean: pd.DataFrame, name: str) -> dict[int, str]:
    """Return what to call each share: its last ticker, or its permno."""
    last = clean[clean["ticker"] != ""].groupby("permno")["ticker"].last().to_dict()
    labels = {int(p): str(last.get(p, p)) for p in clean["permno"].unique()}
    check_tickers(labels.values(), name)
    seen: dict[str, int] = {}
    for permno, label in labels.items():
        if label in seen:
            raise DataUnfit(
                f"{name} has the ticker {label} for permno {seen[label]} and {permno}; keep one of them, or leave the column ticker out, "
                f"so that permnos serve as tickers."
            )
        seen[label] = permno
    return labels


def _share(part: pd.DataFrame, label: str, name: str, delisting: Delisting) -> tuple[pd.DataFrame, set[str]]:
    """Return one share's figures by date, its returns cumulated, the delisting return with the last; and the marks of `_CAUTIONS`."""
    ret, price, last = part["ret"].to_numpy(copy=True), part["prc"].abs().to_numpy(), len(part) - 1
    dlret, recorded = part["dlret"].to_numpy(copy=True), part["dlret"].notna().to_numpy()
    if recorded[:-1].any():
        day = part["date"].iloc[int(recorded.argmax())]
        raise DataUnfit(
            f"{name} has a dlret for {label} on {iso_day(day)}, which is not its last day; keep dlret on the day of delisting only."
        )
    code = part["dlstcd"].iloc[last]
    lacking = bool(not recorded[last] and (code == 500 or 520 <= code <= 584))
    if delisting == "shumway" and lacking:
        dlret[last] = SHUMWAY_RETURN
    farewell = 0.0 if delisting == "ignore" or np.isnan(dlret[last]) else float(dlret[last])
    gone = farewell != 0.0 or (recorded[last] and delisting != "ignore")
    if gone:
        ret[last] = (1.0 + (0.0 if np.isnan(ret[last]) else ret[last])) * (1.0 + farewell) - 1.0
    if (ret == -1.0).any():
        day = part["date"].iloc[int((ret == -1.0).argmax())]
        raise DataUnfit(
            f"{name}: {label} loses all its value on {iso_day(day)} (return -1), and a price of zero cannot stand in a price table. Leave "
            f"that day out, or use delisting='ignore' if it is a delisting return.",
            ticker=label,
        )
    with np.errstate(all="ignore"):  # what leaves the range of numbers is refused below
        level, bridged = _cumulated(part, ret, price, label, name)
        level = _scaled(level, price, farewell)
    known = ~np.isnan(ret) | ~np.isnan(price)
    if not ((level[known] > 0) & np.isfinite(level[known])).all():
        raise DataUnfit(
            f"{name}: the returns of {label} cumulate beyond the range of numbers; look for a wrong return or price.",
            ticker=label,
        )
    figures = (level, price, part["vol"].to_numpy())
    done = {"shumway": "filled", "recorded": "lacking"}.get(delisting) if lacking else None
    done = "left" if delisting == "ignore" and recorded[last] else done
    marks = {mark for mark in (done, "bridged" if bridged else None) if mark}
    return pd.DataFrame(dict(zip(_FIELDS, figures, strict=True)), index=pd.DatetimeIndex(part["date"])), marks


def _scaled(level: np.ndarray, price: np.ndarray, farewell: float) -> np.ndarray:
    """Return the index with the last price as its level before the delisting return; from 100 if there is no price."""
    last = len(level) - 1
    before = level / np.where(np.arange(len(level)) == last, 1.0 + farewell, 1.0)
    there = np.flatnonzero(~np.isnan(level))
    anchors = there[~np.isnan(price[there])]
    if len(anchors):
        return np.asarray(level * (price[anchors[-1]] / before[anchors[-1]]))
    return np.asarray(level * (100.0 / level[there[0]])) if len(there) else level


def _cumulated(
    part: pd.DataFrame, ret: np.ndarray, price: np.ndarray, label: str, name: str
) -> tuple[np.ndarray, bool]:
    """Return the index of cumulated returns, NaN on days with neither return nor price, and whether prices had to bridge."""
    adjusted = price / part["cfacpr"].where(part["cfacpr"] > 0).to_numpy()
    known = ~np.isnan(ret) | ~np.isnan(price)
    growth = np.where(np.isnan(ret), 1.0, 1.0 + ret)
    bridged = False
    begun = np.flatnonzero(known)
    for place in np.flatnonzero(np.isnan(ret) & (known | part["no_previous"].to_numpy())):
        if len(begun) == 0 or place <= begun[0]:
            continue
        earlier = np.flatnonzero(~np.isnan(adjusted[:place]))
        if np.isnan(adjusted[place]) or len(earlier) == 0:
            raise DataUnfit(
                f"{name} has no return for {label} on {iso_day(part['date'].iloc[place])}, and no prc and cfacpr there and before that could "
                f"bridge it. Add these columns, or begin the share on that day.",
                ticker=label,
            )
        reached = earlier[-1]
        growth[place] = adjusted[place] / adjusted[reached] / np.prod(growth[reached + 1 : place])
        bridged = True
    if len(begun):
        growth[begun[0]] = 1.0
    level = np.cumprod(growth)
    level[~known] = np.nan
    return level, bridged


# -- Returns compared with the changes of prices.


#: A return may lie so far below the change of the price (rounding), and so far above it (a distribution).
_BELOW, _ABOVE = 0.02, 0.25
#: Without cfacpr, changes of the price beyond these may be splits.
_NO_SPLIT = (-0.25, 0.40)
#: Smaller changes of the price tell nothing of the returns' unit, and fewer days neither.
_TELLING, _FEWEST = 0.002, 3
#: Median of return over change of the price in a file of per cents.
_PER_CENT = (50.0, 200.0)
_SHOWN = 3


def _contradictions(clean: pd.DataFrame, labels: Mapping[int, str], name: str) -> list[str]:
    """Compare returns with ``prc / cfacpr``; return a caution that counts the days on which they contradict, if there are any."""
    priced = clean[clean["prc"].notna()]
    factor = priced["cfacpr"].where(priced["cfacpr"] > 0)
    here, before = factor.notna(), factor.groupby(priced["permno"]).shift().notna()
    price = priced["prc"].abs() / factor.fillna(1.0)
    change = price / price.groupby(priced["permno"]).shift() - 1.0
    known = priced["ret"].notna() & change.notna() & (here == before) & (here | change.between(*_NO_SPLIT))
    ret, change, rows = priced["ret"][known], change[known], priced[known]
    telling = change.abs() >= _TELLING
    if int(telling.sum()) >= _FEWEST:
        times = float(np.median(ret[telling].abs() / change[telling].abs()))
        if _PER_CENT[0] <= times <= _PER_CENT[1]:
            raise DataUnfit(
                f"{name} has returns of about {times:.0f} times the changes of prc, so they seem to be per cents; CRSP's are fractions "
                f"(0.01 is one per cent). Divide ret by 100.",
                times=times,
            )
    wrong = ((ret < change - _BELOW) | (ret > change + _ABOVE)).to_numpy()
    if not wrong.any():
        return []
    found = zip(rows["permno"][wrong], rows["date"][wrong], ret[wrong], change[wrong], strict=True)
    shown = [
        f"{labels[int(p)]} {iso_day(d)} (ret {r:+.2%}, prices {c:+.2%})"
        for p, d, r, c in itertools.islice(found, _SHOWN)
    ]
    more = ", …" if wrong.sum() > _SHOWN else ""
    return [
        f"On {plural(int(wrong.sum()), 'day')} ret contradicts the change of prc / cfacpr: {', '.join(shown)}{more}."
    ]
