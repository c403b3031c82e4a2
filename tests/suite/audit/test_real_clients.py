"""What real clients, proxies and recorders do on the way is no fault, and hides none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from conformance.contract.credentials import encode_credentials
from conformance.traffic.exchange import NOT_RECORDED, Missing, Origin
from conformance.traffic.ndjson import line_of
from tests.suite.audit.test_in_parts import TINY, is_alike
from tests.suite.support.bodies import LATER, creation, entries, order, release
from tests.suite.support.recorded_calls import (
    CODE,
    DONE,
    ERROR_400,
    HEADERS,
    HOST,
    QUERY,
    TOKEN,
    Recording,
    sent,
    verdict,
)

WRONG = entries(("SALE", "203.63"), ("COMISSION", "-24.43"), ("SHIP", "-27.95"))
PLAIN_HTTP = "http://koncili.example"

# -- answers by the way --------------------------------------------------------------------------------------------


def test_a_query_that_is_answered_304_has_found_the_order() -> None:
    recording = sent()
    recording.submit(order())
    recording.look_up(status=304)
    recording.release(release())
    assert recording.broken() == {}


@pytest.mark.parametrize("status", [301, 307, 308])
def test_what_was_sent_elsewhere_was_not_looked_at(status: int) -> None:
    there: dict[str, Any] = {"status": status, "answer": None, "host": PLAIN_HTTP}
    recording = Recording()
    recording.submit(order(), **there)
    recording.submit(order())
    recording.look_up(**there)
    recording.look_up(answer=order())
    recording.open(creation(), **there)
    recording.open(creation())
    recording.release(release(), **there)
    recording.release(release())
    recording.notify(DONE)
    auditor = recording.audited()
    assert recording.broken() == {}
    for rule in ("CLI-01", "CLI-02", "CLI-03", "CLI-04", "CLI-05", "CLI-18"):
        assert verdict(auditor, rule) == "kept", rule


def test_a_wrong_release_that_was_sent_elsewhere_first_is_found() -> None:
    recording = sent()
    recording.release(release(releases=WRONG), status=307, host=PLAIN_HTTP)
    recording.release(release(releases=WRONG), status=400, answer=ERROR_400)
    assert recording.broken() == {"CLI-03": [3, 4]}


@pytest.mark.parametrize("status", [302, 303])
def test_what_may_have_been_carried_out_before_it_was_sent_elsewhere_is_in_doubt(status: int) -> None:
    recording = sent()
    recording.release(release(), status=status)
    recording.release(release(), status=400, answer=ERROR_400)
    assert verdict(recording.audited(), "CLI-02") == "undecided"


@pytest.mark.parametrize(("after", "broken"), [(7.0, False), (2.0, True)])
@pytest.mark.parametrize("server_clock", ["09:00:01", "09:01:01", "08:59:01"])
def test_a_date_to_wait_for_is_one_of_the_servers_clock(server_clock: str, after: float, broken: bool) -> None:
    date = f"Mon, 02 Nov 2026 {server_clock} GMT"
    recording = Recording()
    recording.look_up(status=429, answered={"date": date, "retry-after": date.replace(":01 ", ":06 ")})
    recording.look_up(answer=order(), after=after)
    assert recording.broken() == ({"CLI-10": [1]} if broken else {})


# -- what a server shows -------------------------------------------------------------------------------------------


def added(body: Mapping[str, Any]) -> dict[str, Any]:
    """The order with fields of the server's own, as a query may show it."""
    extracts = [{**one, "id": number, "reconciled": False} for number, one in enumerate(body["extracts"])]
    return {**body, "id": 4711, "updatedAt": "2026-11-02T08:00:00Z", "extracts": extracts}


def test_fields_that_a_server_adds_are_not_to_be_sent_again() -> None:
    recording = Recording()
    recording.look_up(answer=added(order()))
    recording.submit(order())
    assert recording.broken() == {}


@pytest.mark.parametrize("name", ["totalGrossValue", "approvedDate"])
def test_a_field_that_was_shown_and_is_left_out_of_an_update_is_found(name: str) -> None:
    shown = order(totalGrossValue=Decimal("203.63"), approvedDate="2024-03-01T12:00:00Z")
    recording = Recording()
    recording.look_up(answer=added(shown))
    recording.submit({field: value for field, value in shown.items() if field != name})
    assert recording.broken() == {"CLI-07": [1]}


# -- who fetches a token -------------------------------------------------------------------------------------------


def log_in(recording: Recording, user: int, *, host: str = HOST, **how: Any) -> None:
    """A login of one of many users, each time with a new token."""
    body = {"credentials": encode_credentials(f"seller-{user}@example.com", "password-4711")}
    given = {"accessToken": f"{TOKEN}-{len(recording.exchanges)}", "refreshToken": "refresh"}
    recording.call("POST", "/public/api/auth/token", body, **{"answer": given, "headers": {}, "host": host, **how})


def test_logins_of_many_users_are_each_ones_own() -> None:
    recording = Recording()
    for user in range(6):
        log_in(recording, user)
        log_in(recording, user, host="https://sandbox.koncili.example")
    assert recording.broken() == {}


def test_needless_logins_are_found_among_those_of_other_users() -> None:
    recording = Recording()
    for user in range(6):
        log_in(recording, user)
        log_in(recording, 0)
    assert recording.broken() == {"CLI-08": [1, 3, 5, 7, 9, 11]}


@pytest.mark.parametrize(
    ("credentials", "status", "expected"),
    [
        (encode_credentials("me@example.com", "password-4711"), 401, "broken"),
        (encode_credentials("me@example.com", "password-4711"), 400, "broken"),
        ("[credentials redacted]", 401, "broken"),
        ("me@example.com:password-4711", 400, "broken"),
        (encode_credentials("me@example.com", "password-4711"), 403, "undecided"),
        (encode_credentials("me@example.com", "password-4711"), 404, "unseen"),
        (encode_credentials("me@example.com", "password-4711"), 405, "unseen"),
    ],
)
def test_a_refused_login_is_a_fault_of_its_credentials_where_the_answer_says_so(
    credentials: str, status: int, expected: str
) -> None:
    recording = Recording()
    body = {"credentials": credentials}
    recording.call("POST", "/public/api/auth/token", body, status=status, headers={})
    assert verdict(recording.audited(), "AUTH-02") == expected


def test_credentials_that_were_taken_before_are_not_told_to_be_wrong() -> None:
    recording = Recording()
    log_in(recording, 1)
    log_in(recording, 1, status=401, answer=None)
    assert recording.broken() == {}


# -- sandbox and production in one recording ----------------------------------------------------------------------

SANDBOX: dict[str, Any] = {
    "host": "https://sandbox.koncili.example",
    "headers": {**HEADERS, "gumgatoken": "sandbox-token-0001"},
}


def test_what_is_in_the_sandbox_is_not_in_production() -> None:
    recording = Recording()
    recording.submit(order(totalGrossValue=Decimal("203.63")), **SANDBOX)
    recording.submit(order())  # no update that leaves something out
    recording.look_up(answer=order())
    recording.submit(order(totalGrossValue=Decimal("203.63")), **SANDBOX)  # nothing that was not verified
    recording.open(creation(), **SANDBOX)
    recording.open(creation())
    recording.delete(**SANDBOX)
    recording.release(release())
    recording.notify(DONE)
    auditor = recording.audited()
    assert recording.broken() == {}
    for rule in ("CLI-01", "CLI-02", "CLI-03", "CLI-04", "CLI-05", "CLI-06", "REC-04", "REL-13"):
        assert verdict(auditor, rule) == "kept", rule
    rows = {(row.server, row.submitted, row.deleted, row.released) for row in auditor.books.rows}
    nothing, once, twice = Decimal("0.00"), Decimal("151.24"), Decimal("302.48")
    assert rows == {
        ("koncili.example", once, nothing, nothing),
        ("koncili.example", nothing, nothing, once),
        ("sandbox.koncili.example", twice, once, nothing),
    }
    assert auditor.books.ties_out


def test_the_same_at_once_in_both_and_a_refusal_in_each_are_none() -> None:
    recording = Recording()
    recording.submit(order(), **SANDBOX)
    recording.submit(order(), after=0.1)
    for how in ({}, SANDBOX):
        recording.open(creation(), status=400, answer=ERROR_400, **how)
    assert recording.broken() == {}


@pytest.mark.parametrize("how", [{"host": "http://koncili.example:80"}, {"host": "https://api-2.example"}])
def test_one_environment_may_have_two_names(how: dict[str, Any]) -> None:
    """By HTTP and HTTPS, or two names under which the same token is taken."""
    recording = Recording()
    recording.submit(order())
    recording.look_up(answer=order(), **how)
    recording.open(creation())
    recording.release(release(), **how)
    recording.notify(DONE)
    auditor = recording.audited()
    assert recording.broken() == {}
    for rule in ("CLI-01", "CLI-02", "CLI-03", "CLI-04", "CLI-05", "CLI-06", "CLI-18"):
        assert verdict(auditor, rule) == "kept", rule


def test_a_fault_in_one_environment_is_found_though_the_other_did_right(tmp_path: Path) -> None:
    recording = Recording()
    recording.submit(order(), **SANDBOX)
    recording.look_up(answer=order(), **SANDBOX)
    recording.submit(order())
    recording.open(creation())
    recording.release(release())
    assert recording.broken() == {"CLI-01": [4]}
    path = tmp_path / "day.ndjson"
    path.write_bytes(b"".join(map(line_of, recording.exchanges)))
    assert is_alike([path], part_bytes=TINY)


# -- what became of a lost answer ----------------------------------------------------------------------------------


def test_what_is_accepted_when_it_is_sent_again_was_not_carried_out_before() -> None:
    recording = Recording()
    recording.submit(order())
    recording.look_up(answer=order())
    recording.open(creation(), status=None)
    recording.open(creation())
    recording.release(release(), status=504)
    recording.look_up(answer=order())
    recording.release(release())
    recording.notify(DONE)
    auditor = recording.audited()
    assert recording.broken() == {}
    for rule in ("CLI-01", "CLI-02", "CLI-03", "CLI-04", "CLI-05", "CLI-18"):
        assert verdict(auditor, rule) == "kept", rule


@pytest.mark.parametrize("status", [None, 504])
def test_a_wrong_release_after_a_lost_answer_is_found_where_it_is_accepted(status: int | None) -> None:
    """A server may take other values: the reading `discrepancy`."""
    recording = sent()
    recording.release(release(), status=status)
    recording.look_up(answer=order())
    recording.release(release(releases=WRONG))
    assert recording.broken() == {"CLI-03": [5]}


def test_a_release_that_was_sent_twice_after_a_lost_answer_stands_for_no_other() -> None:
    recording = Recording()
    for code in (CODE, "701-2"):
        recording.submit(order(code))
        recording.look_up(QUERY.replace(CODE, code), answer=order(code))
    recording.open(creation(releasesQtd=6))
    recording.release(release(), status=None)
    recording.look_up(answer=order())
    recording.release(release())
    recording.open(creation(**LATER), status=400, answer=ERROR_400)  # the release of 701-2 was forgotten
    assert recording.broken() == {"CLI-18": [4, 8]}


def test_a_creation_of_another_period_leaves_a_lost_one_in_doubt() -> None:
    recording = Recording()
    recording.open(creation(), status=None)
    recording.open(creation(**LATER))
    assert verdict(recording.audited(), "CLI-18") == "undecided"


# -- recorders with clocks of their own ----------------------------------------------------------------------------


@pytest.mark.parametrize("off", [-90.0, -1.5, 1.5, 90.0])
@pytest.mark.parametrize("late", [{"look_up"}, {"release"}, {"look_up", "release"}, {"open"}, {"submit", "open"}])
def test_a_recorder_whose_clock_is_off_makes_no_fault(off: float, late: set[str], tmp_path: Path) -> None:
    """A day by two workers, the calls of one recorded by a clock that is off by so many seconds."""
    recording = Recording()
    for name, body, how in (
        ("submit", order(), {}),
        ("look_up", QUERY, {"answer": order()}),
        ("open", creation(), {}),
        ("release", release(), {}),
    ):
        exchange = getattr(recording, name)(body, **how)
        if name in late:
            assert not isinstance(exchange.started, Missing)
            started = exchange.started + timedelta(seconds=off)
            recording.exchanges[-1] = replace(exchange, started=started, origin=Origin("b.har", exchange.origin.entry))
    recording.open(creation(**LATER), number=238, after=400.0)
    recording.exchanges.sort(key=lambda one: (one.started, one.origin.file))
    assert recording.broken() == {}
    files = []
    for name in ("day.har", "b.har"):
        files.append(tmp_path / name)
        files[-1].write_bytes(b"".join(line_of(one) for one in recording.exchanges if one.origin.file == name))
    assert is_alike(files, part_bytes=TINY)


@pytest.mark.parametrize("asked", ["never", "by the same worker", "long before", "long after"])
def test_a_release_that_nobody_verified_is_found_whoever_sent_it(asked: str) -> None:
    recording = Recording()
    if asked == "long before":
        recording.look_up(answer=order())
        recording.now += timedelta(seconds=400)
    recording.submit(order(), file="a.har")
    recording.open(creation(), file="a.har")
    recording.release(release(), file="b.har")
    if asked == "by the same worker":
        recording.look_up(answer=order(), file="b.har")
    if asked == "long after":
        recording.look_up(answer=order(), file="c.har", after=400)
    (finding,) = recording.audited().findings.found
    assert (finding.rule.id, finding.call.path) == ("CLI-01", "/reconciliation/release")


def _held_twice(off: float) -> Recording:
    """A client's own recording of a day and that of a proxy: each call is in both, at a time of its own."""
    recording = sent()
    recording.release(release())
    recording.notify(DONE)
    recording.open(creation(**LATER), number=238)
    for exchange in list(recording.exchanges):
        assert not isinstance(exchange.started, Missing)
        started, took = exchange.started + timedelta(seconds=off), timedelta(milliseconds=190)
        twin = replace(exchange, started=started, took=took, origin=Origin("proxy.har", exchange.origin.entry))
        recording.exchanges.append(twin)
    recording.exchanges.sort(key=lambda one: (one.started, one.origin.file))
    return recording


@pytest.mark.parametrize("off", [-90.0, 0.004, 0.05, 0.3, 1.1, 90.0])
def test_a_day_that_two_recorders_on_the_way_hold_breaks_nothing(off: float) -> None:
    recording = _held_twice(off)
    auditor = recording.audited()
    assert recording.broken() == {}
    assert auditor.books.ties_out
    assert sum(row.released for row in auditor.books.rows) == Decimal("151.24")


def test_recorders_that_hold_the_same_creation_hold_the_same_release() -> None:
    assert verdict(_held_twice(90.0).audited(), "CLI-02") == "kept"


def test_a_release_that_two_workers_may_have_sent_is_undecided() -> None:
    """Each writes a file of its own, and nothing else is in both: the second release hid as a recording of the first."""
    recording = sent()
    recording.release(release())
    recording.release(release(), file="b.har")
    assert recording.broken() == {}
    auditor = recording.audited()
    assert verdict(auditor, "CLI-02") == "undecided"
    assert auditor.books.ties_out


@pytest.mark.parametrize("recording", [_held_twice(90.0), _held_twice(0.3)])
def test_files_that_hold_the_same_are_known_in_parts_too(recording: Recording, tmp_path: Path) -> None:
    files = []
    for name in sorted({one.origin.file for one in recording.exchanges}):
        files.append(tmp_path / name)
        files[-1].write_bytes(b"".join(line_of(one) for one in recording.exchanges if one.origin.file == name))
    assert is_alike(files, part_bytes=TINY)


@pytest.mark.parametrize("status", [200, 400])
def test_a_release_that_was_sent_twice_is_found_in_one_recording_or_where_it_is_refused(status: int) -> None:
    recording = sent()
    recording.release(release())
    recording.release(release(), status=status, file="day.har" if status == 200 else "b.har")
    assert recording.broken() == {"CLI-02": [4]}


def test_a_release_that_the_next_file_of_a_rotated_log_has_again_was_sent_twice() -> None:
    """Recorders differ by minutes at most: a server that took the same twice hid behind the second one."""
    recording = sent()
    recording.release(release())
    recording.now += timedelta(hours=1)
    recording.release(release(), file="b.har")
    assert recording.broken() == {"CLI-02": [4]}


# -- how servers show and name things ------------------------------------------------------------------------------


def test_values_that_a_server_shows_as_text_are_read() -> None:
    shown = order()
    shown["extracts"] = [{**one, "value": str(one["value"])} for one in shown["extracts"]]
    recording = Recording()
    recording.look_up(answer=shown)
    recording.open(creation())
    recording.release(release(releases=WRONG))
    assert recording.broken() == {"CLI-03": [2]}


def test_an_order_whose_extracts_are_shown_unreadably_is_not_known() -> None:
    recording = Recording()
    recording.look_up(answer={**order(), "extracts": [{"kind": "SALE", "amount": 203.63}]})
    recording.open(creation())
    recording.release(release())
    assert recording.broken() == {}
    assert recording.audited().books.ties_out


def test_the_sequence_in_which_a_query_shows_extracts_is_nobodys() -> None:
    recording = Recording()
    recording.look_up(answer={**order(), "extracts": order()["extracts"][::-1]})
    recording.open(creation())
    recording.release(release())
    recording.submit(order())  # nor is what their fields are by their places
    auditor = recording.audited()
    assert recording.broken() == {}
    assert [verdict(auditor, rule) for rule in ("CLI-02", "CLI-03", "CLI-04")] == ["kept", "kept", "undecided"]


@pytest.mark.parametrize("told", ['{"id": 237.0}', '{"id": "237"}'])
def test_an_id_is_a_number_however_it_is_told(told: str, tmp_path: Path) -> None:
    recording = Recording()
    recording.submit(order())
    recording.look_up(answer=order())
    recording.open(creation(), answer=told.encode())
    recording.release(release())
    recording.notify({**DONE, "reconciliationId": Decimal("237.0")})
    recording.open(creation(**LATER), number=238)
    auditor = recording.audited()
    assert recording.broken() == {}
    assert [verdict(auditor, rule) for rule in ("CLI-05", "CLI-06")] == ["kept", "kept"]
    path = tmp_path / "day.ndjson"
    path.write_bytes(b"".join(map(line_of, recording.exchanges)))
    assert is_alike([path], part_bytes=TINY)


def test_the_books_of_an_order_that_is_released_again_after_an_error_tie_out() -> None:
    recording = sent()
    recording.release(release())
    recording.notify({**DONE, "situation": "ERROR", "resolvedEndDate": None})
    recording.open(creation(**LATER), number=238)
    recording.release(release(reconciliationId=238, releasedDate=LATER["periodInitDate"]))
    assert recording.audited().books.ties_out


def test_without_durations_nothing_is_said_of_calls_at_once() -> None:
    recording = Recording()
    recording.submit(order(), took=NOT_RECORDED)
    recording.submit(order(), after=0.01, took=NOT_RECORDED)
    assert verdict(recording.audited(), "CLI-17") == "undecided"
