"""The loopback server that answers as Yahoo does, as a fixture."""

from __future__ import annotations

import pytest
import yahoo_server as ys

from eventstudy.sources.yahoo import client as yahoo_client


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
