"""The loopback server as a fixture; its modules can be imported by name in this folder under every import mode."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

from eventstudy.sources.yahoo import client as yahoo_client


def _load(name):
    path = Path(__file__).with_name(f"{name}.py")
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


ys = _load("yahoo_server")
for _name in ("misbehaviour", "wrong_figures", "replay"):
    _load(_name)


@pytest.fixture(scope="session")
def client_folder(tmp_path_factory):
    """One folder for the client's own caches: it stays with the first it is told."""
    import yfinance as yf

    folder = tmp_path_factory.mktemp("client")
    yf.set_tz_cache_location(str(folder))
    yahoo_client._FOLDER_SET.set()
    yahoo_client._keep_no_cookies()
    return folder


@pytest.fixture
def server(client_folder):
    from yfinance.data import YfData

    YfData.cache_get.cache_clear()
    with ys.YahooServer() as running:
        yield running
