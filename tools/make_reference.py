"""Copy what the reference tests need of the synthetic sets into ``tests/data/reference``, compressed.

Usage: ``python tools/make_reference.py FOLDER`` with the folder that holds ``data/`` and ``expected/paper/``.
"""

from __future__ import annotations

import gzip
import sys
from pathlib import Path

import pandas as pd

SETS = ("synth_small", "synth_clustered", "synth_nonclustered", "synth_missing", "synth_thin")
MODELS = ("market_model", "market_adjusted", "mean_adjusted", "capm", "ff3")
THIN = ("trade_to_trade_log_ar", "trade_to_trade_log_car", "trade_to_trade_log_fit", "trade_to_trade_log_tests")
OUT = Path(__file__).parent.parent / "tests" / "data" / "reference"


def write(table: pd.DataFrame, name: str) -> None:
    """Write a CSV with gzip's time set to zero, so that the bytes do not change."""
    text = table.to_csv(index=False, lineterminator="\n", float_format="%.17g")
    path = OUT / f"{name}.csv.gz"
    path.write_bytes(gzip.compress(text.encode(), 9, mtime=0))


def main(source: Path) -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    for name in SETS:
        returns = pd.read_csv(source / "data" / name / "returns.csv")
        write(returns[["event_id", "firm_id", "date", "tau", "ret"]], f"{name}_returns")
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


if __name__ == "__main__":
    main(Path(sys.argv[1]))
