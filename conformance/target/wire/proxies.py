"""The proxy on the way to a target, as the environment names it: HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from ipaddress import ip_address, ip_network
from typing import Final
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies_environment, proxy_bypass

from conformance.errors import CannotRun

_PORTS: Final = {"http": 80, "https": 443, "socks5": 1080, "socks5h": 1080}
_REMEDY: Final = "give http://host:port, or let NO_PROXY name the target's host"


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy, without its credentials where it is shown."""

    scheme: str
    host: str
    port: int
    variable: str
    """The variable of the environment that names it."""
    user: str = field(default="", repr=False)
    password: str = field(default="", repr=False)

    def __str__(self) -> str:
        return f"the proxy {self.scheme}://{self.host}:{self.port} that {self.variable} names"


def proxy_to(base_url: str) -> Proxy | None:
    """The proxy on the way to this URL; none is ever on the way to this machine itself, nor where NO_PROXY says so.

    Raises CannotRun where the environment names one that can't be used. No message has its password.
    """
    target = urlsplit(base_url)
    named = getproxies_environment()
    found = next((scheme for scheme in (target.scheme, "all") if named.get(scheme)), None)
    if found is None or _is_passed_by(target.netloc, target.hostname or "", named):
        return None
    return _proxy(named[found], _variable(found))


def _variable(scheme: str) -> str:
    """The variable that was asked: the one in small letters counts more."""
    name = f"{scheme}_proxy"
    return name if os.environ.get(name) else name.upper()


def _is_passed_by(netloc: str, host: str, named: dict[str, str]) -> bool:
    with suppress(ValueError):  # a name and no address
        address = ip_address(host)
        if address.is_loopback:
            return True
        for network in named.get("no", "").split(","):
            with suppress(ValueError):
                if address in ip_network(network.strip(), strict=False):
                    return True
    return host == "localhost" or bool(proxy_bypass(netloc))


def _proxy(url: str, variable: str) -> Proxy:
    url = url.strip()
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        host, port, scheme = parts.hostname, parts.port, parts.scheme.lower()
    except ValueError:
        raise CannotRun(f"{variable} names no proxy: it is no URL; {_REMEDY}") from None
    if scheme not in _PORTS:
        raise CannotRun(f"{variable} names a proxy of a kind that is not known: {scheme}; {_REMEDY}")
    if not host or not host.isascii() or any(character.isspace() for character in host):
        raise CannotRun(f"{variable} names no proxy: its URL has no host; {_REMEDY}")
    if scheme.startswith("socks") and find_spec("socksio") is None:
        raise CannotRun(
            f"{variable} names a SOCKS proxy, for which a package is needed: pip install socksio (into the environment "
            "of the suite), or name an http proxy"
        )
    return Proxy(
        scheme, host, port or _PORTS[scheme], variable, unquote(parts.username or ""), unquote(parts.password or "")
    )
