"""Python starts with this on a night of tests/report/test_week.py: another clock, and a loopback server in Yahoo's place.

It is found by its name through PYTHONPATH, so that the command itself is the one that operators run.
"""

import ctypes
import datetime
import gc
import os
import sys
import time
from importlib.machinery import PathFinder

_REAL_TIME, _REAL_SLEEP = time.time, time.sleep


def _set_clock(moment: str) -> None:
    """Let time go on from a moment, for whoever asks; datetime cannot be replaced, pandas knows it by address."""
    ahead = datetime.datetime.fromisoformat(moment).timestamp() - _REAL_TIME()
    moved = {
        "now": classmethod(lambda cls, tz=None: cls.fromtimestamp(time.time(), tz)),
        "utcnow": classmethod(lambda cls: cls.fromtimestamp(time.time(), datetime.UTC).replace(tzinfo=None)),
        "today": classmethod(lambda cls: cls.fromtimestamp(time.time())),
    }
    gc.get_referents(datetime.datetime.__dict__)[0].update(moved)
    ctypes.pythonapi.PyType_Modified(ctypes.py_object(datetime.datetime))
    time.time = lambda: _REAL_TIME() + ahead
    time.sleep = lambda seconds: _REAL_SLEEP(min(seconds, 0.02))


def _lead_to(port: str) -> None:
    """Send every request of the client's library to a port of this machine; port 0 refuses."""
    from urllib.parse import urlsplit

    from curl_cffi.requests import Session

    request = Session.request

    def led(self, method, url, **options):
        parts = urlsplit(url)
        query = f"?{parts.query}" if parts.query else ""
        return request(self, method, f"http://127.0.0.1:{port}/{parts.netloc}{parts.path}{query}", **options)

    Session.request = led


def _fill_disk() -> None:
    """Refuse, as a full disk does, every file that is made safe; where no small disk can be mounted."""

    def full(handle):
        raise OSError(28, os.strerror(28))

    os.fsync = full


class _Plain(PathFinder):
    """Lets the room that makes a report draw no figures, once it is imported."""

    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name != "eventstudy.report.builds.outputs":
            return None
        spec = super().find_spec(name, path, target)
        run = spec.loader.exec_module

        def run_plain(module):
            run(module)
            module.draw_charts = lambda *given: ()

        spec.loader.exec_module = run_plain
        return spec


if "NIGHT_CLOCK" in os.environ:
    _set_clock(os.environ["NIGHT_CLOCK"])
if "NIGHT_YAHOO" in os.environ:
    _lead_to(os.environ["NIGHT_YAHOO"])
if "NIGHT_FULL" in os.environ:
    _fill_disk()
if "NIGHT_PLAIN" in os.environ:
    sys.meta_path.insert(0, _Plain)
    # a library of schemas reads a grammar of addresses, for seconds, wherever it is installed; it does without
    sys.modules["rfc3987_syntax"] = None
