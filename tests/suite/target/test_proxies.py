"""The proxy of the environment: which one it is, that it is used, and what is said of one that does not let pass."""

from __future__ import annotations

import base64
import os
import socket
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread
from typing import Final

import pytest

from conformance.contract.credentials import encode_credentials
from conformance.contract.endpoints import Endpoint
from conformance.errors import CannotRun
from conformance.target.wire.http.building import Builder
from conformance.target.wire.http.network import Network, ask
from conformance.target.wire.proxies import Proxy, proxy_to
from tests.suite.support.stage.listener import Exchange, listening
from tests.suite.support.stage.passage import in_json
from tests.suite.support.stage.tls import certificate
from tests.suite.support.told_server import connect

TARGET: Final = "https://koncili.example"
PASSWORD: Final = "pr0xy-pass%"
WITH_PASSWORD: Final = "ana:pr0xy-pass%25@"


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """No variable of whoever runs the tests."""
    for name in tuple(os.environ):
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


NAMED: Final[dict[str, tuple[dict[str, str], str, str | None]]] = {
    "https": ({"HTTPS_PROXY": "http://a:1"}, TARGET, "http://a:1 that HTTPS_PROXY"),
    "in small letters": ({"https_proxy": "http://a:1"}, TARGET, "http://a:1 that https_proxy"),
    "small letters count more": ({"HTTPS_PROXY": "http://a:1", "https_proxy": "http://b:2"}, TARGET, "b:2 that https_"),
    "of all": ({"ALL_PROXY": "http://a:1"}, TARGET, "a:1 that ALL_PROXY"),
    "the scheme's own counts more": (
        {"ALL_PROXY": "http://a:1", "HTTPS_PROXY": "http://b:2"},
        TARGET,
        "b:2 that HTTPS",
    ),
    "http": ({"HTTP_PROXY": "http://a:1"}, "http://koncili.example", "a:1 that HTTP_PROXY"),
    "of the other scheme": ({"HTTP_PROXY": "http://a:1"}, TARGET, None),
    "without a scheme": ({"HTTPS_PROXY": "a:1"}, TARGET, "http://a:1"),
    "without a port": ({"HTTPS_PROXY": "https://a"}, TARGET, "https://a:443"),
    "with a password": ({"HTTPS_PROXY": f"http://{WITH_PASSWORD}a:1"}, TARGET, "http://a:1"),
    "of an address": ({"HTTPS_PROXY": "http://[2001:db8::1]:3128"}, TARGET, "http://2001:db8::1:3128"),
    "empty": ({"HTTPS_PROXY": ""}, TARGET, None),
    "none": ({}, TARGET, None),
    "not for this host": ({"HTTPS_PROXY": "http://a:1", "NO_PROXY": "x.example,koncili.example"}, TARGET, None),
    "not for its domain": ({"HTTPS_PROXY": "http://a:1", "no_proxy": ".example"}, TARGET, None),
    "for no host": ({"HTTPS_PROXY": "http://a:1", "NO_PROXY": "*"}, TARGET, None),
    "but for another": ({"HTTPS_PROXY": "http://a:1", "NO_PROXY": "xkoncili.example"}, TARGET, "a:1"),
    "not for its network": ({"ALL_PROXY": "http://a:1", "NO_PROXY": "10.0.0.0/8"}, "https://10.1.2.3:8443", None),
    "for another network": ({"ALL_PROXY": "http://a:1", "NO_PROXY": "10.0.0.0/8"}, "https://11.1.2.3", "a:1"),
    "never to loopback": ({"ALL_PROXY": "http://a:1", "HTTP_PROXY": "http://a:1"}, "http://127.0.0.1:80", None),
    "never to localhost": ({"ALL_PROXY": "http://a:1", "HTTP_PROXY": "http://a:1"}, "http://localhost:80", None),
    "never to ::1": ({"ALL_PROXY": "http://a:1", "HTTP_PROXY": "http://a:1"}, "http://[::1]:80", None),
}
"""What the environment says, where a run goes, and the words of the proxy on the way (None: there is none)."""


@pytest.mark.parametrize("case", NAMED)
def test_the_proxy_that_the_environment_names(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    environment, base_url, words = NAMED[case]
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    proxy = proxy_to(base_url)
    assert (proxy is None) == (words is None)
    assert words is None or words in str(proxy)
    assert PASSWORD not in repr(proxy) + str(proxy)
    if "password" in case and proxy is not None:
        assert (proxy.user, proxy.password) == ("ana", PASSWORD)


UNUSABLE: Final = {
    f"http://{WITH_PASSWORD}a:port": "HTTPS_PROXY names no proxy: it is no URL",
    f"http://{WITH_PASSWORD}[a": "HTTPS_PROXY names no proxy: it is no URL",
    f"http://{WITH_PASSWORD}": "HTTPS_PROXY names no proxy: its URL has no host",
    f"http://{WITH_PASSWORD}a b": "HTTPS_PROXY names no proxy: its URL has no host",
    f"ftp://{WITH_PASSWORD}a": "HTTPS_PROXY names a proxy of a kind that is not known: ftp",
    f"socks4://{WITH_PASSWORD}a": "HTTPS_PROXY names a proxy of a kind that is not known: socks4",
    f"socks5://{WITH_PASSWORD}a": "HTTPS_PROXY names a SOCKS proxy, for which a package is needed: pip install socksio",
}


@pytest.mark.parametrize("url", UNUSABLE)
def test_a_proxy_that_cannot_be_used_is_told_without_its_password(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", url)
    with pytest.raises(CannotRun, match=UNUSABLE[url]) as raised:
        connect(None, TARGET)
    assert "pr0xy" not in str(raised.value)


def refuses(status: bytes) -> Callable[[Exchange], None]:
    """A proxy that answers so to all that it is asked."""

    def serve(exchange: Exchange) -> None:
        exchange.write(b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\n\r\n")

    return serve


REFUSING: Final = [
    (b"407 Proxy Authentication Required", TARGET, "407"),
    (b"407 Proxy Authentication Required", "http://koncili.example", "it answers 407"),
    (b"403 Forbidden", TARGET, "403 Forbidden"),
    (b"502 Bad Gateway", TARGET, "502 Bad Gateway"),
]


@pytest.mark.parametrize(("status", "base_url", "words"), REFUSING)
def test_a_proxy_that_lets_nothing_pass_is_named(
    status: bytes, base_url: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with listening(refuses(status)) as listener:
        monkeypatch.setenv("ALL_PROXY", f"http://{WITH_PASSWORD}127.0.0.1:{listener.port}")
        says = f"the proxy http://127.0.0.1:{listener.port} that ALL_PROXY names: .*{words}"
        with connect_to(base_url) as client, pytest.raises(CannotRun, match=f"no way to {base_url}: {says}") as raised:
            client()
    assert "check the proxy, or let NO_PROXY name koncili.example" in str(raised.value)
    assert "pr0xy" not in str(raised.value)


def connect_to(base_url: str) -> Caller:
    """What asks for a token there."""
    return Caller(base_url)


class Caller:
    """A client, which is closed in the end. Plain http off loopback no target file may name."""

    def __init__(self, base_url: str) -> None:
        self._client = connect(None, TARGET)
        if base_url != TARGET:
            self._client.close()
            self._client.sender._builder = Builder(base_url, (), "tests")
            self._client._transport._transport = Network(base_url, proxy_to(base_url))
            self._client.sender._target = self._client.target.model_copy(update={"base_url": base_url})

    def __enter__(self) -> Callable[[], str]:
        return self._client.access_token

    def __exit__(self, *_: object) -> None:
        self._client.close()


def test_a_proxy_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    monkeypatch.setenv("HTTPS_PROXY", f"http://{WITH_PASSWORD}127.0.0.1:{port}")
    says = f"the proxy http://127.0.0.1:{port} that HTTPS_PROXY names: it can't be reached: .*refused; check the proxy"
    with connect(None, TARGET) as client, pytest.raises(CannotRun, match=says):
        client.access_token()


def test_the_credentials_of_a_proxy_are_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://{WITH_PASSWORD}127.0.0.1:1")
    with connect(None, TARGET) as client:
        shown = client.journal.redactor.text(f"{PASSWORD} {encode_credentials('ana', PASSWORD)} pr0xy-pass%25")
    assert "pr0xy" not in shown
    assert encode_credentials("ana", PASSWORD) not in shown


class Tunnel:
    """A proxy that leads every CONNECT to one place of this machine, and keeps what it was asked."""

    def __init__(self, port: int) -> None:
        self.heads: list[bytes] = []
        self._to = port
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        self._threads = [Thread(target=self._serve)]
        self._threads[0].start()

    def _serve(self) -> None:
        connection, _ = self._server.accept()
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += connection.recv(1)
        self.heads.append(head)
        there = socket.create_connection(("127.0.0.1", self._to))
        connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        back = Thread(target=_pass_on, args=(there, connection))
        back.start()
        _pass_on(connection, there)
        back.join()
        connection.close()
        there.close()

    def close(self) -> None:
        """Wait for its end."""
        self._threads[0].join()
        self._server.close()


def _pass_on(source: socket.socket, to: socket.socket) -> None:
    try:
        while piece := source.recv(65536):
            to.sendall(piece)
        to.shutdown(socket.SHUT_WR)
    except OSError:
        pass


@pytest.fixture
def secured(tmp_path: Path) -> Iterator[tuple[int, Path]]:
    """A server that speaks TLS, and its certificate."""
    from tests.suite.support.stage.listener import Listener

    own, key = certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(own, key)
    answer = in_json(200, {"accessToken": "access-token-0123", "refreshToken": "refresh-token-0123"})
    listener = Listener(lambda exchange: exchange.write(answer.head + answer.body), 0, context)
    yield listener.port, own
    listener.close()


def test_a_request_goes_through_the_proxy(secured: tuple[int, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    port, own = secured
    monkeypatch.setenv("SSL_CERT_FILE", str(own))
    tunnel = Tunnel(port)
    proxy = Proxy("http", "127.0.0.1", tunnel.port, "HTTPS_PROXY", "ana", PASSWORD)
    network = Network("https://localhost", proxy)
    request = Builder("https://localhost", (), "tests").build(
        "POST", Endpoint.CREATE_TOKEN.path, None, b"{}", {"gumgaToken": "mine"}
    )
    assert ask(network, request, lambda *_: None).status == 200
    network.close()
    tunnel.close()
    head = tunnel.heads[0]
    assert head.startswith(b"CONNECT localhost:443 HTTP/1.1\r\n")
    assert b"Basic " + base64.b64encode(f"ana:{PASSWORD}".encode()) in head
    assert b"mine" not in head


@pytest.mark.parametrize("content", [None, b"no certificate"])
def test_certificates_that_cannot_be_read_are_told(
    content: bytes | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "authorities.pem"
    if content is not None:
        path.write_bytes(content)
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    with pytest.raises(CannotRun, match=r"SSL_CERT_FILE or SSL_CERT_DIR: the certificates can't be read: "):
        connect(None, TARGET)
