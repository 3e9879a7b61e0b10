"""Play every case of ``tests/helpers/replay.py`` to the real client and print what became of each.

    python tools/replay_faults.py [words of the names to play]

The last line holds the totals; all but the number of cases must be 0.
"""

from __future__ import annotations

import logging
import sys
import tempfile
import time
import warnings
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests" / "helpers"), str(ROOT / "src")]


def main() -> int:
    import replay

    from eventstudy.sources.yahoo import client as yahoo_client

    warnings.simplefilter("ignore")
    logging.getLogger("eventstudy.sources").propagate = False
    wanted = [c for c in replay.cases() if all(w in c.name for w in sys.argv[1:])]
    outcomes, began = [], time.monotonic()
    with tempfile.TemporaryDirectory() as place, replay.ReplayServer() as server:
        yahoo_client._use_own_folder(__import__("yfinance"), Path(place))
        for number, case in enumerate(wanted):
            outcomes.append(replay.run(case, server, Path(place) / f"{number}"))
    print(replay.as_text(outcomes))
    print(f"{time.monotonic() - began:.1f} s")
    return 1 if any(replay.totals(outcomes).values()) else 0


if __name__ == "__main__":
    raise SystemExit(main())
