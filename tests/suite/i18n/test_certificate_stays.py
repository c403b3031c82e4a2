"""A certificate and JUnit are the same in any language: gates, baselines and ids of findings hang on them."""

from __future__ import annotations

import re
from pathlib import Path

from tests.suite.support.command_runs import Run, certify

RULE = ("--rule", "ORD-04", "--defect", "ord-04-not-enforced")


def junit(run: Run) -> str:
    """What it left for CI systems, without times."""
    return re.sub(r'(time|timestamp)="[^"]*"', "", (run.reports / "junit.xml").read_text(encoding="utf-8"))


def test_a_certificate_is_the_same_in_every_language(tmp_path: Path) -> None:
    english = certify(tmp_path / "en" / "reports", *RULE)
    portuguese = certify(tmp_path / "pt" / "reports", *RULE, LC_ALL="pt_BR.UTF-8")
    assert (english.code, portuguese.code) == (1, 1)
    assert "mock (http://127.0.0.1:8765): NONCONFORMANT" in english.output
    assert "mock (http://127.0.0.1:8765): NÃO CONFORME" in portuguese.output
    assert "esperava-se que fosse recusada com 400, mas a resposta foi 200" in portuguese.output
    for part in ("rules", "verdict", "readings", "readingsFrom", "contract", "traffic"):
        assert portuguese.certificate[part] == english.certificate[part], part
    assert junit(portuguese) == junit(english)
    assert (portuguese.reports / "index.en.html").is_file()
    assert (english.reports / "index.pt-BR.html").is_file()
