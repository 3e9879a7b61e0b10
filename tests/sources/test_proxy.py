"""The client as it is, TLS and all, through a proxy that answers in Yahoo's place."""

from __future__ import annotations

import shutil
import socketserver
import ssl
import subprocess
import threading

import pytest
import replay
from curl_cffi.requests import Session

from eventstudy.errors import SourceFailed
from eventstudy.sources.yahoo.fetch import fetch_yahoo

pytestmark = pytest.mark.faults

TRUTH = replay.Truth("PROXY", 4)
NAMES = "DNS:*.finance.yahoo.com,DNS:fc.yahoo.com,DNS:guce.yahoo.com,DNS:consent.yahoo.com"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    if shutil.which("openssl") is None:
        pytest.skip("openssl is needed to make a certificate")
    folder = tmp_path_factory.mktemp("tls")
    key, cert = folder / "key.pem", folder / "cert.pem"
    words = f"req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=loopback -keyout {key} -out {cert} -addext"
    subprocess.run(["openssl", *words.split(), f"subjectAltName={NAMES}"], check=True, capture_output=True)
    return key, cert


@pytest.fixture
def proxy(client_folder, certificate):
    key, cert = certificate
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    with replay.ReplayServer() as answers:

        class Answering(answers._http.RequestHandlerClass):
            def do_GET(self):  # noqa: N802
                self.path = f"/{self.headers['Host']}{self.path}"
                super().do_GET()

        class Tunnel(socketserver.StreamRequestHandler):
            def handle(self):
                while self.rfile.readline().strip():
                    pass
                self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
                try:
                    with context.wrap_socket(self.connection, server_side=True) as secured:
                        Answering(secured, self.client_address, answers._http)
                except OSError:  # the client trusts nobody
                    return

        with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Tunnel) as server:
            server.daemon_threads = True
            threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
            answers.address = f"http://127.0.0.1:{server.server_address[1]}"
            yield answers
            server.shutdown()


def fetch(proxy, session, folder):
    case = replay.Case("through a proxy", (TRUTH,), cold=True)
    proxy.play(case)
    replay._forget_client(case)
    return fetch_yahoo("PROXY", replay.START, replay.END, session=session, cache_dir=folder, pause=0.0, attempts=1)


def test_the_table_is_right_and_the_cookie_stays_in_memory(proxy, certificate, client_folder, tmp_path):
    _, cert = certificate
    with Session(impersonate="chrome", verify=str(cert), proxies={"https": proxy.address}) as session:
        prices = fetch(proxy, session, tmp_path / "cache")
        cookies = [c for c in session.cookies.jar if "yahoo.com" in c.domain]
    assert prices.close["PROXY"].tolist() == TRUTH.table()["close"].tolist()
    assert [c.value for c in cookies] == [replay.COOKIE]  # the client would write it to a file
    assert all("fc.yahoo.com" in c.domain for c in cookies)
    for folder in (client_folder, tmp_path):
        content = b"".join(p.read_bytes() for p in folder.rglob("*") if p.is_file())
        assert replay.COOKIE.encode() not in content
        assert replay.CRUMB.encode() not in content


def test_a_proxy_with_a_certificate_of_its_own_is_not_trusted(proxy, tmp_path):
    session = Session(impersonate="chrome", proxies={"https": proxy.address})
    with session, pytest.raises(SourceFailed) as caught:
        fetch(proxy, session, tmp_path / "cache")
    assert caught.value.facts["kind"] == "network"
    assert "certificate" in str(caught.value).lower()
    assert not (tmp_path / "cache").exists()
