"""The target file: as documented it parses whole; whatever is wrong is told with file, key and remedy, and no secret."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Final
from uuid import UUID

import pytest

from conformance.errors import CannotRun
from conformance.run.session import Options, open_session
from conformance.target.config import Credentials, Target, load_target

DOCUMENTED = """
name = "sandbox"
environment = "sandbox"
base_url = "https://koncili.example"
integrator = "3f0e0f64-8c55-4a7e-9d7e-2f1f0a4c9a11"
pace = "documented"
error_budget = 400
coordination = "sqlite"
reconciles_in = "2m"
[credentials]
email_env = "KONCILI_EMAIL"
password_env = "KONCILI_PASSWORD"
[[accounts]]
id = 19055
channel = "CHANNEL_NAME"
[fixtures]
inactive_account = { id = 20001, channel = "CHANNEL_NAME" }
disabled_account = { id = 20002, channel = "CHANNEL_NAME" }
unauthorised_channel = { id = 19055, channel = "OTHER_CHANNEL" }
foreign_order = { id = 19055, channel = "CHANNEL_NAME", marketplaceCode = "FOREIGN-1" }
callback_url = "http://127.0.0.1:9100/notifications"
[readings]
extract-types = "workflow"
[dates]
orders = { from = 2026-03-01, to = 2026-09-01 }
periods = { from = 2025-01-01, to = 2026-09-01 }
[about]
owner = "Koncili"
version = "4.2"
contact = "api@sellers.example"
[not_exercised]
ORD-07 = "why"
"""

ACCOUNTS = '[[accounts]]\nid = 19055\nchannel = "CHANNEL_NAME"\n'
CREDENTIALS = 'email_env = "KONCILI_EMAIL"\npassword_env = "KONCILI_PASSWORD"\n'
SECRET = 'Tr0ub4dor "&3'
"""No name of an environment variable looks like that."""
LITERAL = f"email = 'ana@shop.example'\npassword = '{SECRET}'\n"

LEAST = """
name = "sandbox"
environment = "sandbox"
base_url = "https://koncili.example"
integrator = "3f0e0f64-8c55-4a7e-9d7e-2f1f0a4c9a11"
[credentials]
email_env = "KONCILI_EMAIL"
password_env = "KONCILI_PASSWORD"
[[accounts]]
id = 19055
channel = "CHANNEL_NAME"
"""


def put(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def changed(*changes: tuple[str, str]) -> str:
    """The documented file with parts of it replaced."""
    text = DOCUMENTED
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


def complaint(path: Path) -> str:
    with pytest.raises(CannotRun) as raised:
        load_target(path)
    return str(raised.value)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "target.toml"


# -- what is right -------------------------------------------------------------------------------------------------


def test_the_documented_file_parses_whole(file: Path) -> None:
    target = load_target(put(file, DOCUMENTED))
    assert target.model_dump(by_alias=True) == {
        "name": "sandbox",
        "environment": "sandbox",
        "base_url": "https://koncili.example",
        "integrator": UUID("3f0e0f64-8c55-4a7e-9d7e-2f1f0a4c9a11"),
        "pace": "documented",
        "error_budget": 400,
        "coordination": "sqlite",
        "reconciles_in": 120.0,
        "credentials": {
            "email": None,
            "password": None,
            "email_env": "KONCILI_EMAIL",
            "password_env": "KONCILI_PASSWORD",
        },
        "accounts": ({"id": 19055, "channel": "CHANNEL_NAME"},),
        "about": {"owner": "Koncili", "version": "4.2", "contact": "api@sellers.example"},
        "fixtures": {
            "inactive_account": {"id": 20001, "channel": "CHANNEL_NAME"},
            "disabled_account": {"id": 20002, "channel": "CHANNEL_NAME"},
            "unauthorised_channel": {"id": 19055, "channel": "OTHER_CHANNEL"},
            "foreign_order": {"id": 19055, "channel": "CHANNEL_NAME", "marketplaceCode": "FOREIGN-1"},
            "callback_url": "http://127.0.0.1:9100/notifications",
            "callback_listen": None,
        },
        "readings": {"extract-types": "workflow"},
        "dates": {
            "orders": {"from": date(2026, 3, 1), "to": date(2026, 9, 1)},
            "periods": {"from": date(2025, 1, 1), "to": date(2026, 9, 1)},
        },
        "not_exercised": {"ORD-07": "why"},
    }


@pytest.mark.parametrize(
    ("stated", "told"),
    [
        ('[not_exercised]\nORD-99 = "why"', "names ORD-99, which is no rule"),
        ('[not_exercised]\nORD-04 = ""', "must say in words why ORD-04 is not exercised"),
        ("[not_exercised]\nORD-04 = 3", "must say in words why ORD-04 is not exercised"),
    ],
)
def test_what_is_wrong_in_the_stated_skips_is_named(stated: str, told: str, file: Path) -> None:
    with pytest.raises(CannotRun, match=f"not_exercised {told}"):
        load_target(put(file, f"{LEAST}\n{stated}\n"))


def test_what_may_be_left_out_has_its_documented_default(file: Path) -> None:
    target = load_target(put(file, LEAST))
    assert (target.pace, target.error_budget, target.coordination) == ("documented", 400, "sqlite")
    assert target.reconciles_in is None
    assert not target.readings
    assert not any(target.fixtures.has(name) for name in type(target.fixtures).model_fields)


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:8765", "http://localhost:8765", "http://[::1]:8765", "https://koncili.example:8443/api"],
)
def test_https_anywhere_and_http_on_this_machine(file: Path, url: str) -> None:
    assert load_target(put(file, changed(("https://koncili.example", url)))).base_url == url


@pytest.mark.parametrize("url", ["http://127.0.0.1:8765", "https://localhost"])
def test_unlimited_pace_is_for_this_machine(file: Path, url: str) -> None:
    target = load_target(
        put(file, changed(("https://koncili.example", url), ('pace = "documented"', 'pace = "unlimited"')))
    )
    assert target.pace == "unlimited"


def test_the_longest_budget_is_450(file: Path) -> None:
    assert load_target(put(file, changed(("= 400", "= 450")))).error_budget == 450


@pytest.mark.parametrize(
    ("lines", "environment"),
    [
        ("email = 'a@b.example'\npassword = 'secret'\n", {}),
        (CREDENTIALS, {"KONCILI_EMAIL": "a@b.example", "KONCILI_PASSWORD": "secret"}),
        ("email = 'a@b.example'\npassword_env = 'P'\n", {"P": "secret"}),
    ],
    ids=["values", "environment", "mixed"],
)
def test_credentials_come_from_the_file_or_the_environment(
    file: Path, lines: str, environment: Mapping[str, str]
) -> None:
    target = load_target(put(file, changed((CREDENTIALS, lines))))
    assert target.credentials.values(environment) == ("a@b.example", "secret")


# -- what is wrong -------------------------------------------------------------------------------------------------

FAULTS = {
    "missing key": (('name = "sandbox"\n', ""), "name", "is missing; add it"),
    "missing nested key": (("id = 19055\nchannel", "channel"), "accounts[0].id", "is missing; add it"),
    "missing code": ((', marketplaceCode = "FOREIGN-1"', ""), "fixtures.foreign_order.marketplaceCode", "add it"),
    "no credentials": (("[credentials]\n" + CREDENTIALS, ""), "credentials", "is missing; add it"),
    "unknown key": (("pace =", "speed ="), "speed", "remove it or mend its spelling"),
    "misspelt nested key": (("email_env =", "emial_env ="), "credentials.emial_env", "mend its spelling"),
    "misspelt fixture": (("inactive_account", "inaktive_account"), "fixtures.inaktive_account", "mend its spelling"),
    "bad UUID": (("3f0e0f64-8c55", "3f0e0f64-8cXY"), "integrator", "is not a UUID such as"),
    "environment": (('environment = "sandbox"', 'environment = "staging"'), "environment", "'sandbox'"),
    "http elsewhere": (("https://koncili", "http://koncili"), "base_url", "must be https"),
    "http on a look-alike": (("https://koncili.example", "http://localhost.example"), "base_url", "must be https"),
    "no scheme": (("https://koncili.example", "koncili.example"), "base_url", "such as https://"),
    "user info": (("https://", "https://ana:Tr0ub4dor@"), "base_url", "belong in [credentials]"),
    "user alone": (("https://", "https://ana@"), "base_url", "belong in [credentials]"),
    "query": (("koncili.example", "koncili.example?x=1"), "base_url", "neither a query nor a fragment"),
    "port": (("koncili.example", "koncili.example:https"), "base_url", "port"),
    "port too high": (("koncili.example", "koncili.example:99999"), "base_url", "port"),
    "callback as a file": (
        ("http://127.0.0.1:9100/notifications", "file:///etc/passwd"),
        "callback_url",
        "http or https",
    ),
    "callback by ftp": (("http://127", "ftp://127"), "callback_url", "must be an http or https URL, not ftp"),
    "callback without a host": (("http://127.0.0.1:9100", "http://:9100"), "callback_url", "must name a host"),
    "callback's password": (("http://127", "http://ana:pw@127"), "callback_url", "no user name or password"),
    "callback's port": ((":9100/", ":91000/"), "callback_url", "one from 1 to 65535"),
    "budget 451": (("= 400", "= 451"), "error_budget", "is more than 450"),
    "budget 0": (("= 400", "= 0"), "error_budget", "greater than or equal to 1"),
    "unlimited": (('pace = "documented"', 'pace = "unlimited"'), "pace", "loopback only; leave it out"),
    "unknown pace": (('pace = "documented"', 'pace = "fast"'), "pace", "'documented' or 'unlimited'"),
    "email twice": (("email_env", "email = 'a@b.example'\nemail_env"), "credentials", "either email or email_env"),
    "no email": (('email_env = "KONCILI_EMAIL"\n', ""), "credentials", "either email or email_env"),
    "no password": (('password_env = "KONCILI_PASSWORD"\n', ""), "credentials", "either password or password_env"),
    "unknown reading": (("extract-types", "extract-kinds"), "readings.extract-kinds", "known: extract-types"),
    "reading's value": (('= "workflow"', '= "all"'), "readings.extract-types", "use workflow | extended | portal"),
    "no account": ((ACCOUNTS, ""), "accounts", "is missing; add it"),
    "empty accounts": ((ACCOUNTS, ""), "accounts", "at least 1"),
    "reconciles in": (('"2m"', '"soon"'), "reconciles_in", "'soon' is no duration such as 90s"),
    "reconciles in less than nothing": (('"2m"', "-1"), "reconciles_in", "greater than or equal to 0"),
    "coordination": (
        ('= "sqlite"', '= "memcached://cache"'),
        "coordination",
        "must be sqlite, sqlite:PATH or redis://HOST",
    ),
}


@pytest.mark.parametrize(("change", "key", "remedy"), FAULTS.values(), ids=FAULTS)
def test_a_fault_is_told_with_file_key_and_remedy(
    file: Path, change: tuple[str, str], key: str, remedy: str, request: pytest.FixtureRequest
) -> None:
    text = changed(change)
    if request.node.callspec.id == "empty accounts":
        text = "accounts = []\n" + text
    (line,) = complaint(put(file, text)).splitlines()
    assert line.startswith(f"{file}: ")
    assert key in line
    assert remedy.lower() in line.lower()


@pytest.mark.parametrize(
    ("faults", "keys"),
    [
        (["missing key", "bad UUID", "budget 451", "misspelt fixture"], ["name", "integrator", "error_budget"]),
        (["http elsewhere", "unknown reading", "no password"], ["base_url", "readings", "credentials"]),
        (["no email", "no password"], ["email_env", "password_env"]),
        (["missing key", "unlimited"], ["name", "pace"]),
    ],
    ids=["shapes", "values", "both credentials", "a key and the pace"],
)
def test_several_faults_are_told_at_once(file: Path, faults: list[str], keys: list[str]) -> None:
    told = complaint(put(file, changed(*(FAULTS[fault][0] for fault in faults))))
    assert all(line.startswith(f"{file}: ") for line in told.splitlines())
    assert [key for key in keys if key not in told] == []


def test_a_missing_file_is_told_with_the_command_that_writes_one(file: Path) -> None:
    told = complaint(file)
    assert str(file) in told
    assert f"koncili-conformance mock --target-file {file}" in told


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"name = sandbox\n", "is not TOML"),
        (b"name = 'a'\nname = 'b'\n", "is not TOML"),
        ("name = 'são'\n".encode("latin-1"), "cannot be read"),
        (None, "cannot be read"),
    ],
    ids=["no quotes", "twice", "not UTF-8", "a directory"],
)
def test_what_is_no_target_file_is_told(file: Path, content: bytes | None, what: str) -> None:
    if content is None:
        file.mkdir()
    else:
        file.write_bytes(content)
    assert complaint(file).startswith(f"{file}: {what}")


# -- the environment -----------------------------------------------------------------------------------------------


def open_with(file: Path, text: str) -> str:
    put(file, text.replace("https://koncili.example", "http://127.0.0.1:1").replace('"documented"', '"unlimited"'))
    with pytest.raises(CannotRun) as raised:
        open_session(Options(target_file=file))
    return str(raised.value)


@pytest.mark.parametrize(("there", "absent"), [("KONCILI_EMAIL", "KONCILI_PASSWORD"), ("", "KONCILI_EMAIL")])
def test_a_variable_that_is_not_set_is_told_with_key_and_remedy(
    monkeypatch: pytest.MonkeyPatch, there: str, absent: str
) -> None:
    monkeypatch.delenv("KONCILI_EMAIL", raising=False)
    monkeypatch.delenv("KONCILI_PASSWORD", raising=False)
    if there:
        monkeypatch.setenv(there, "set")
    with pytest.raises(CannotRun, match=rf"credentials\..*_env .* {absent}.*not set.*export {absent}"):
        Credentials(email_env="KONCILI_EMAIL", password_env="KONCILI_PASSWORD").values()


def test_variables_that_are_not_set_are_told_at_once_with_the_file(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KONCILI_EMAIL", raising=False)
    monkeypatch.delenv("KONCILI_PASSWORD", raising=False)
    told = open_with(file, DOCUMENTED)
    assert str(file) in told
    assert "KONCILI_EMAIL" in told
    assert "KONCILI_PASSWORD" in told


# -- secrets -------------------------------------------------------------------------------------------------------


SECRET_NEARBY = {
    "another fault": ("name = ", "nom = "),
    "misspelt email": ("email = 'ana", "emial = 'ana"),
    "misspelt password": ("password = ", "pasword = "),
    "variable too": ("password = ", "password_env = 'P'\npassword = "),
    "a list": (f"'{SECRET}'", f"['{SECRET}']"),
    "not closed": (f"'{SECRET}'", f"'{SECRET}"),
    "no quotes": (f"'{SECRET}'", SECRET),
    "key twice": (f"'{SECRET}'", f"'{SECRET}'\npassword = '{SECRET}'"),
    "in the URL": ("https://", "https://ana:Tr0ub4dor@"),
}


@pytest.mark.parametrize("change", SECRET_NEARBY.values(), ids=SECRET_NEARBY)
def test_no_complaint_shows_the_password(file: Path, change: tuple[str, str]) -> None:
    told = complaint(put(file, changed((CREDENTIALS, LITERAL)).replace(*change)))
    assert "Tr0ub4dor" not in told


def test_a_password_given_where_a_variable_is_to_be_named_is_not_shown(file: Path) -> None:
    told = open_with(file, changed(('"KONCILI_PASSWORD"', f"'{SECRET}'"), ('"KONCILI_EMAIL"', '"PATH"')))
    assert "password_env" in told
    assert SECRET not in told


def test_neither_the_target_nor_its_credentials_print_the_password(file: Path) -> None:
    target: Target = load_target(put(file, changed((CREDENTIALS, LITERAL))))
    assert "Tr0ub4dor" not in f"{target} {target!r} {target.credentials!r}"


# -- when orders and periods are -----------------------------------------------------------------------------------

SPAN: Final = "from = 2026-03-01, to = 2026-09-01"


def test_a_target_file_says_when_orders_and_periods_are(tmp_path: Path) -> None:
    target = load_target(put(tmp_path / "t.toml", f"{LEAST}[dates]\norders = {{ {SPAN} }}\nperiods = {{ {SPAN} }}\n"))
    assert target.dates.orders == target.dates.periods
    assert target.dates.orders is not None
    assert (target.dates.orders.first, target.dates.orders.last) == (date(2026, 3, 1), date(2026, 9, 1))


def test_a_target_file_need_not_say_it(tmp_path: Path) -> None:
    dates = load_target(put(tmp_path / "t.toml", LEAST)).dates
    assert (dates.orders, dates.periods) == (None, None)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("orders = { from = 2026-03-01, to = 2026-04-01 }", "dates.orders must span at least 120 days"),
        ("periods = { from = 2026-03-01, to = 2026-02-01 }", "dates.periods must span at least 120 days"),
        ("orders = { from = 2016-03-01, to = 2026-02-01 }", "dates.orders must not begin before 2020-01-01"),
        ("orders = { from = 2026-03-01 }", "dates.orders.to is missing"),
        ("releases = 1", "dates.releases is not a key"),
    ],
)
def test_a_span_that_is_none_is_told(line: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(CannotRun, match=re.escape(told)):
        load_target(put(tmp_path / "t.toml", f"{LEAST}[dates]\n{line}\n"))
