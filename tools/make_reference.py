"""Copy what the reference tests need into ``tests/data/reference``, compressed.

Usage: ``python tools/make_reference.py FOLDER`` with the folder that holds ``data/``, ``expected/`` and ``cross_check.csv``.
Only the synthetic sets and the numbers computed from them are copied; the example data of other packages are under their
licences and stay where they are.
"""

from __future__ import annotations

import gzip
import sys
from pathlib import Path

import pandas as pd

SETS = ("synth_small", "synth_clustered", "synth_nonclustered", "synth_missing", "synth_thin")
COMPLETE, STUDIED = SETS[:3], SETS[:4]
MODELS = ("market_model", "market_adjusted", "mean_adjusted", "capm", "ff3")
THIN = ("trade_to_trade_log_ar", "trade_to_trade_log_car", "trade_to_trade_log_fit", "trade_to_trade_log_tests")
#: The output of other packages, as it came: package -> set -> tables.
R_MARKET = (
    "tests", "ar_car", "fit", "diagnostics", "car_quantiles_m1_p1", "car_by_group_m1_p1", "multiplicity_CSectT",
)  # fmt: skip
R_MODEL = ("tests", "ar_car", "fit")
PACKAGES: dict[str, dict[str, list[str]]] = {
    "r_EventStudy": {
        name: [
            f"market_model_{part}"
            for part in (*R_MARKET, *(("tests_by_group", "pretrend") if name in COMPLETE else ()))
        ]
        for name in STUDIED
    },
    "estudy2": {name: [f"sim_{part}" for part in ("ar", "daily_tests", "car_tests", "fit")] for name in STUDIED},
    "eventstudies": {name: ["ar", "car", "inference"] for name in COMPLETE},
}
PACKAGES["r_EventStudy"]["synth_small"] += [f"mean_adjusted_{part}" for part in R_MODEL]
PACKAGES["r_EventStudy"]["synth_nonclustered"] += [
    *(f"{model}_{part}" for model in ("market_adjusted", "mean_adjusted", "ff3", "volume") for part in R_MODEL),
    "volatility_ar_car",
    "market_model_hac_fit",
    "market_model_wild_bootstrap_rademacher_B1999_MONTE_CARLO",
]
PACKAGES["estudy2"]["synth_nonclustered"] += ["mrkt_adj_ar", "mrkt_adj_daily_tests"]
OUT = Path(__file__).parent.parent / "tests" / "data" / "reference"


def store(text: bytes, name: str) -> None:
    """Write compressed, with gzip's time set to zero, so that the bytes do not change."""
    path = OUT / f"{name}.csv.gz"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(text, 9, mtime=0))


def write(table: pd.DataFrame, name: str) -> None:
    store(table.to_csv(index=False, lineterminator="\n", float_format="%.17g").encode(), name)


def write_sets(source: Path) -> None:
    """The synthetic returns, and the papers' formulas computed from them."""
    for name in SETS:
        returns = pd.read_csv(source / "data" / name / "returns.csv")
        write(returns[["event_id", "firm_id", "date", "tau", "ret"]], f"{name}_returns")
        if name == "synth_nonclustered":
            write(returns[["firm_id", "date", "volume"]], f"{name}_volume")
        write(pd.read_csv(source / "data" / name / "market.csv"), f"{name}_market")
        write(pd.read_csv(source / "data" / name / "events.csv"), f"{name}_events")
        for model in MODELS:
            stem = source / "expected" / "paper" / name / model
            if not stem.with_name(f"{model}_tests.csv").exists():
                continue
            tests = pd.read_csv(stem.with_name(f"{model}_tests.csv"))
            write(tests.drop(columns=["dataset", "model", "note"]), f"{name}_{model}_tests")
            for part in ("ar", "car", "fit"):
                write(pd.read_csv(stem.with_name(f"{model}_{part}.csv")), f"{name}_{model}_{part}")
    for part in THIN:
        write(pd.read_csv(source / "expected" / "paper" / "synth_thin" / f"{part}.csv"), f"synth_thin_{part}")


def write_packages(source: Path) -> None:
    """What the R packages made of the synthetic returns, and how that relates to the papers' formulas."""
    for package, sets in PACKAGES.items():
        for name, tables in sets.items():
            for table in tables:
                store((source / "expected" / package / name / f"{table}.csv").read_bytes(), f"{package}/{name}/{table}")
    relations = pd.read_csv(source / "cross_check.csv", dtype=str, keep_default_na=False)
    write(relations[relations["package"].isin(PACKAGES.keys() | {"EventStudy"})], "cross_check")


if __name__ == "__main__":
    write_sets(Path(sys.argv[1]))
    write_packages(Path(sys.argv[1]))
