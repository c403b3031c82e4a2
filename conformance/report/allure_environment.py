"""What was tested, with what and how: environment.properties, which Allure shows above the results."""

from __future__ import annotations

from collections.abc import Mapping

from conformance.verdict.certificate import Certificate

SHORT = 12
"""How much of a commit or a digest names it to people."""


def environment(certificate: Certificate) -> dict[str, str]:
    """The properties, the most important first: Allure shows eight before it is asked for more, the executor among them."""
    suite, contract, target = certificate.suite, certificate.contract, certificate.target
    commit = f", commit {suite.commit[:SHORT]}" if suite.commit else ""
    return {
        "target": f"{target.name} ({target.environment})",
        "URL": target.base_url,
        "verdict": str(certificate.verdict),
        "profile": certificate.profile,
        "seed": str(certificate.seed),
        "suite": f"{suite.version}{commit}",
        "contract": f"{contract.version}, sha256 {contract.sha256[:SHORT]}",
        **{
            reading: f"reading {value} ({certificate.readings_from[reading]})"
            for reading, value in certificate.readings.items()
        },
    }


def properties(values: Mapping[str, str]) -> str:
    """The values as Java reads properties: ASCII, whatever is in them."""
    return "".join(f"{_escaped(name)}={_escaped(value)}\n" for name, value in values.items())


def _escaped(text: str) -> str:
    return "".join(_escaped_unit(unit) for unit in _units(text))


def _units(text: str) -> list[int]:
    """The UTF-16 units of a text."""
    raw = text.encode("utf-16-be", "surrogatepass")
    return [int.from_bytes(raw[place : place + 2], "big") for place in range(0, len(raw), 2)]


def _escaped_unit(unit: int) -> str:
    character = chr(unit)
    if character in "\\:=#! ":
        return f"\\{character}"
    return character if " " < character <= "~" else f"\\u{unit:04x}"
