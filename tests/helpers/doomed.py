"""Models whose workers die, or take their time, for tests of studies that are spread over processes."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

import eventstudy as es
from eventstudy.estimation.model import Fit
from eventstudy.estimation.panel import EventPanel


@dataclass(frozen=True)
class Doomed(es.MarketModel):
    """Kills the process that fits it, unless that is the one whose number is spared, or one did before."""

    spared: int = 0
    marker: str = ""
    always: bool = False

    def fit(self, panel: EventPanel) -> Fit:
        if os.getpid() != self.spared and (self.always or not Path(self.marker).exists()):
            Path(self.marker).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return super().fit(panel)


class Slow(es.MarketModel):
    """Takes as many seconds for each chunk as the environment variable ``SLOW`` says."""

    def fit(self, panel: EventPanel) -> Fit:
        time.sleep(float(os.environ.get("SLOW", "0")))
        return super().fit(panel)
