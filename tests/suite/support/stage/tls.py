"""An endpoint behind TLS, with a certificate that nobody trusts unless told to."""

from __future__ import annotations

import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from conformance.mock.faults import Plan
from tests.suite.support.stage.fault_proxy import FaultProxy, fault_proxy


@dataclass(frozen=True)
class Secured:
    """A layer that is spoken to over https."""

    layer: FaultProxy
    certificate: Path
    """The certificate (PEM): `SSL_CERT_FILE` with this path has a client trust it."""

    @property
    def base_url(self) -> str:
        """Where it listens."""
        return self.layer.base_url


@contextmanager
def tls_listener(upstream: str, directory: Path, *plans: Plan) -> Iterator[Secured]:
    """A TLS listener in front of this base URL, with a self-signed certificate for loopback that is left in `directory`."""
    own, key = certificate(directory)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(own, key)
    with fault_proxy(upstream, *plans, tls=context) as layer:
        yield Secured(layer, own)


def certificate(directory: Path) -> tuple[Path, Path]:
    """A certificate for loopback that signs itself, and its key."""
    own, key = directory / "certificate.pem", directory / "key.pem"
    made = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-x509", "-days", "2"]
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"]
    command = ["openssl", "req", *made, *names, "-keyout", str(key), "-out", str(own)]
    subprocess.run(command, check=True, capture_output=True)
    return own, key
