"""With ``--log-format json`` every line of stderr is JSON: retries, the client's own log, warnings of threads, kernels, children."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import pytest
import yahoo_server as ys

from eventstudy.calendars import exchange_sessions
from eventstudy.studyfile.starter import notebook_text

pytestmark = [pytest.mark.builds, pytest.mark.slow]

#: The command with its requests led to a server of the test, short waits, and libraries that talk in threads while it runs.
COMMAND = """
import logging, sys, threading, time, warnings
from urllib.parse import urlsplit
from curl_cffi.requests import Session
from eventstudy.sources.yahoo import client

class Redirected(Session):
    def request(self, method, url, **options):
        parts = urlsplit(url)
        query = f"?{parts.query}" if parts.query else ""
        return super().request(method, f"http://127.0.0.1:PORT/{parts.netloc}{parts.path}{query}", **options)



client.RetryPolicy.wait = lambda self, attempt, kind, at_least=0.0: 0.01

def talk():
    while True:
        warnings.warn("from a thread\\nin two lines", UserWarning, stacklevel=1)
        logging.getLogger("asyncio").error("slow\\ncallback \\x1b[31m")
        logging.getLogger("urllib3.connectionpool").warning("pool is full")
        logging.getLogger("yfinance").error("$SNPS: possibly delisted")
        time.sleep(0.2)

def session():
    threading.Thread(target=talk, daemon=True).start()
    return Redirected()

client._own_session = session
warnings.simplefilter("always")
from eventstudy.cli import main
main()
"""
STUDY = """
title = "One firm"
event = "some news"

[prices]
source = "yahoo"
start = "2024-01-02"
end = "2025-03-31"

[model]
benchmark = "^GSPC"
report = [[0, 0]]
"""
CELLS = (
    (
        "code",
        "import os, subprocess, sys, warnings\nos.write(2, b'raw of a kernel\\n')\nsubprocess.run(['sh', '-c', 'echo child >&2'])",
    ),
    (
        "code",
        "import logging, asyncio\nlogging.getLogger('asyncio').error('talk')\nwarnings.warn('kernel warns')\nprint('x', file=sys.stderr)",
    ),
    ("code", "import threading\nt = threading.Thread(target=lambda: 1 / 0)\nt.start(); t.join()"),
)


def prices(symbol: str, level: float) -> ys.Answer:
    sessions = exchange_sessions("XNYS", date(2024, 1, 2), date(2025, 3, 31))
    rng = np.random.default_rng(int(level))
    table = ys.bars("2024-01-02", list(level * np.exp(np.cumsum(rng.normal(0, 0.01, len(sessions))))))
    return ys.answer(ys.chart(symbol, table.set_axis(sessions)))


def fails_once(symbol: str, level: float) -> Callable[[int], ys.Answer]:
    return lambda count: (502, b"<html>bad\ngateway</html>") if count == 1 else prices(symbol, level)


def build(folder: Path, port: int, *more: str) -> tuple[int, list[dict]]:
    words = ["build", str(folder), "--log-format", "json", "--fetch", *more]
    command = [sys.executable, "-c", COMMAND.replace("PORT", str(port)), *words]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=400, env={**os.environ, "XDG_CACHE_HOME": str(folder.parent)}
    )
    for line in done.stderr.splitlines():
        assert line.startswith("{"), f"no JSON: {line}"
    return done.returncode, [json.loads(line) for line in done.stderr.splitlines()]


def test_every_line_of_a_night_is_json(tmp_path: Path) -> None:
    folder = tmp_path / "one"
    folder.mkdir()
    (folder / "study.toml").write_text(STUDY, encoding="utf-8")
    (folder / "events.csv").write_text("ticker,date\nSNPS,2025-02-27\n", encoding="utf-8")
    (folder / "talks.ipynb").write_text(notebook_text(CELLS), encoding="utf-8")
    with ys.YahooServer() as server:
        # the first night: one answer of each is a failure that passes; then the source is down
        server.answers = {"SNPS": fails_once("SNPS", 500.0), "^GSPC": fails_once("^GSPC", 5000.0)}
        code, first = build(folder, server.port)
        assert code == 0, [line["message"] for line in first if line["level"] != "debug"]
        server.answers = dict.fromkeys(("SNPS", "^GSPC"), (503, b"down\x1b[31m"))
        code, second = build(folder, server.port, "--force")
    assert code == 4, [line["message"] for line in second if line["level"] != "debug"]
    for lines in (first, second):
        assert all({"time", "level", "study", "step", "message"} <= set(line) for line in lines)
        foreign = [
            line for line in lines if "from a thread" in line["message"] or "possibly delisted" in line["message"]
        ]
        assert foreign
        assert {line["level"] for line in foreign} == {"debug"}
        assert not any(
            word in line["message"] for line in lines for word in ("raw of a kernel", "child", "kernel warns")
        )
    assert any("cell 2 of" in line["message"] for line in first)
    assert [line["exit_code"] for line in second if "exit_code" in line] == [4]
