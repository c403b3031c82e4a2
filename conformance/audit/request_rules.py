"""The rules of single requests, judged by the contract's own judge: orders, queries, deletions, creations, accounts, paths."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from conformance.audit.call import BAD_REQUEST, LENIENT, Call, Came, number_in
from conformance.audit.findings import Findings, pointer_of, value_at
from conformance.audit.queries import IDENTITY
from conformance.audit.states import Batch, Version
from conformance.audit.world import NOT_FOUND, World
from conformance.contract.coercion import as_taken
from conformance.contract.endpoints import Endpoint
from conformance.contract.jsontext import JSONValue, NotJSON
from conformance.contract.nearly_json import read_leniently
from conformance.contract.order_rules import Breach, is_account_id, judge_order
from conformance.contract.reconciliation_rules import judge_period, judge_reconciliation, judge_release
from conformance.traffic.exchange import Missing

Fields = Mapping[str, JSONValue]

ALTERED: Final = "the body is no JSON and was taken all the same: it was cut or altered by the recorder"
CUT: Final = "of the body there is only the beginning: the recorder may have cut it"
NO_BODY: Final = "the body was not recorded"

ACCOUNT_CODES: Final[Mapping[str, str]] = {
    "404-1": "ACC-02",
    "404-2": "ACC-03",
    "400-2": "ACC-04",
    "403-1": "ACC-05",
    "403-2": "ACC-06",
}
"""What the server says of an account: the recording alone can't tell."""

_OF_ACCOUNTS: Final = tuple(ACCOUNT_CODES.values())

_BY_STATUS: Final = {"ORD-03": "PAID_WAITING_DELIVERY", "ORD-04": "CONCLUDED", "ORD-05": "CANCELED"}
"""Rules about orders of one status only."""

_OF_BODIES: Final[Mapping[Endpoint, tuple[str, ...]]] = {
    Endpoint.SUBMIT_ORDER: (
        "ORD-02", "ORD-03", "ORD-04", "ORD-05", "ORD-07", "ORD-08", "ORD-09", "ORD-10", "ORD-11", "ORD-12", "ORD-13",
        "ORD-14", "ORD-18", "ORD-21", "ORD-22",
    ),
    Endpoint.CREATE_RECONCILIATION: ("REC-03", "REC-07", "REC-08", "ORD-21", "ORD-22"),
    Endpoint.SUBMIT_RELEASE: ("REL-02", "REL-04", "REL-05", "REL-06", "REL-10", "REL-16", "REL-17", "ORD-21", "ORD-22"),
}  # fmt: skip
"""The rules that a body breaks by itself, by endpoint."""

_ABOUT: Final[Mapping[Endpoint, Mapping[str, tuple[str, ...]]]] = {
    endpoint: {
        status: tuple(rule for rule in rules if _BY_STATUS.get(rule, status) == status)
        for status in ("", *_BY_STATUS.values())
    }
    for endpoint, rules in _OF_BODIES.items()
}
"""The same by the status in the body."""

_NO_OBJECT: Final = {
    Endpoint.SUBMIT_ORDER: "ORD-14",
    Endpoint.CREATE_RECONCILIATION: "REC-08",
    Endpoint.SUBMIT_RELEASE: "REL-17",
}

_JUDGES: Final[Mapping[Endpoint, Callable[[Fields, Mapping[str, str]], Iterable[Breach]]]] = {
    Endpoint.SUBMIT_ORDER: judge_order,
    Endpoint.CREATE_RECONCILIATION: judge_reconciliation,
    Endpoint.SUBMIT_RELEASE: judge_release,
}


def judge_body(call: Call, findings: Findings, readings: Mapping[str, str]) -> bool:
    """Judge what the body of a call says by itself; whether there is a body that more can be judged of.

    What only some readings forbid is a fault where the server refused it: then it follows one of those.
    """
    endpoint = call.endpoint
    if endpoint is None or endpoint not in _OF_BODIES:
        return True
    if not call.has_body:
        for rule in _OF_BODIES[endpoint]:
            findings.cannot_tell(rule, f"{NO_BODY} ({endpoint.label})")
        return False
    if not isinstance(call.content, dict):
        body = call.exchange.request.body
        nearly = isinstance(body, bytes) and isinstance(call.content, NotJSON) and read_leniently(body) is not None
        rule = "ORD-22" if nearly else _NO_OBJECT[endpoint]
        if isinstance(body, bytes) and body and not nearly and _is_altered(call, body):
            for one in _OF_BODIES[endpoint]:
                findings.cannot_tell(one, ALTERED if call.came is Came.ACCEPTED else CUT)
            return False
        findings.breaks(rule, call, f"the body is no JSON object: {_shown(call.content)}", value=_begin(body))
        return False
    about = _about(endpoint, call.body.get("status"))
    taken = call.content if call.is_taken_alike else as_taken(call.content, readings)
    stated = _first(_JUDGES[endpoint](taken, readings))
    if not stated:  # what these readings allow is allowed under those that allow the most
        findings.keeps_all(about, call)
        return True
    firm = _first(_JUDGES[endpoint](call.body, LENIENT))
    for rule in about:
        if rule in firm:
            _report(call, findings, firm[rule])
        elif rule not in stated or call.came is Came.ACCEPTED:
            findings.keeps(rule, call)
        elif call.status == BAD_REQUEST and not firm:
            _report(call, findings, stated[rule])
        elif not firm:
            findings.cannot_tell(rule, f"the documents disagree, and the answer does not tell: {stated[rule].message}")
    return True


def _is_altered(call: Call, body: bytes) -> bool:
    """Whether a recorder has made it what it is, or may have: the server took it, or it is but the beginning of an object, and
    not for certain as long as what was sent."""
    return (call.came is Came.ACCEPTED or _is_beginning(call, body)) and not _is_whole(body)


def _is_beginning(call: Call, body: bytes) -> bool:
    is_open = body.lstrip().startswith(b"{") and not body.rstrip().endswith(b"}")
    return is_open and call.header("content-length") != str(len(body))


def _is_whole(body: bytes) -> bool:
    """Whether it is JSON from end to end, be it of a kind that RFC 8259 does not know: NaN, a name twice."""
    try:
        json.loads(body)
    except (ValueError, RecursionError):
        return False
    return True


def _about(endpoint: Endpoint, status: JSONValue) -> tuple[str, ...]:
    """The rules that are about a body with that status."""
    return _ABOUT[endpoint].get(status if isinstance(status, str) else "", _ABOUT[endpoint][""])


def _first(breaches: Iterable[Breach]) -> dict[str, Breach]:
    """Of each rule the breach to tell."""
    every: dict[str, list[Breach]] = {}
    for breach in breaches:
        every.setdefault(breach.rule, []).append(breach)
    return {rule: _out_of_order(found) if rule == "ORD-07" else found[0] for rule, found in every.items()}


def _out_of_order(breaches: list[Breach]) -> Breach:
    """Of dates out of order the one that most pairs are at odds about: `X is later than Y`."""
    pairs = [breach.message.split(" is later than ") for breach in breaches]
    named = Counter(name for pair in pairs for name in reversed(pair))
    culprit = named.most_common(1)[0][0]
    told = "; ".join(breach.message for breach in breaches)
    return Breach("ORD-07", culprit, told)


def _report(call: Call, findings: Findings, breach: Breach) -> None:
    if call.endpoint in {Endpoint.GET_ORDER, Endpoint.DELETE_ORDER}:
        findings.breaks(
            breach.rule, call, breach.message, pointer=f"query {breach.field}", value=call.query.get(breach.field)
        )
        return
    pointer = pointer_of(breach.field)
    findings.breaks(breach.rule, call, breach.message, pointer=pointer, value=value_at(call.content, pointer))


def _shown(content: JSONValue) -> str:
    return str(content) if isinstance(content, NotJSON) else "it is another JSON value"


def _begin(body: bytes | Missing) -> str:
    return "" if isinstance(body, Missing) else body[:200].decode("utf-8", "backslashreplace")


# -- by what the server answers ------------------------------------------------------------------------------------


def judge_account(call: Call, findings: Findings) -> None:
    """What the server says of the account and channel of a call."""
    if call.place is None or call.endpoint is None:
        return
    if call.came is Came.ACCEPTED:
        findings.keeps_all(_OF_ACCOUNTS, call)
        return
    broken = ACCOUNT_CODES.get(call.error_code or "")
    if broken is not None and call.came is Came.REFUSED:
        name = "channelName" if broken in {"ACC-03", "ACC-06"} else "accountId"
        in_query = call.endpoint in {Endpoint.GET_ORDER, Endpoint.DELETE_ORDER}
        value = call.query.get(name) if in_query else call.body.get(name)
        told = call.answered.get("errorMessage") if isinstance(call.answered, dict) else ""
        says = f"answered {call.error_code}: {told}"
        findings.breaks(broken, call, says, pointer=f"query {name}" if in_query else f"/{name}", value=value)


# -- in the world of its moment ------------------------------------------------------------------------------------


def judge_lookup(call: Call, world: World, findings: Findings, *, is_clear: bool) -> None:
    """A query or deletion of an order. `is_clear`: no other change of the order was under way.

    To ask for what is not there, or to delete it, breaks nothing: that is how one finds out. To delete again what is known to be
    deleted does, unless a query has found it still.
    """
    if not call.is_query_left_out and not _names_all(call, findings):
        return
    if call.endpoint is not Endpoint.DELETE_ORDER or call.key is None:
        return
    order = world.order(call.key)
    code = call.key[2]
    if not is_clear:
        findings.cannot_tell("DEL-02", UNDER_WAY)
    elif order.deleted is not None and order.is_gone and not order.verified and call.came is not Came.ACCEPTED:
        says = f"order {code} was deleted before, at entry {order.deleted.entry}"
        findings.breaks("DEL-02", call, says, pointer="query marketplaceCode", value=code)
    else:
        findings.keeps("DEL-02", call)
    told = [world.batches.get(release.reconciliation or -1) for release in order.releases]
    done = any(batch is not None and batch.is_whole and batch.situation != "ERROR" for batch in told)
    if done and call.came is Came.REFUSED and call.status != NOT_FOUND:
        findings.breaks("DEL-04", call, f"order {code} is reconciled", pointer="query marketplaceCode", value=code)
    elif call.came is Came.ACCEPTED:
        findings.keeps("DEL-04", call)


def _names_all(call: Call, findings: Findings) -> bool:
    """Whether its query names an order. One of which nothing was recorded is judged beside those of other accounts."""
    for name in IDENTITY:
        value = call.query.get(name)
        if not value or (name == "accountId" and not is_account_id(value, "string")):
            _report(call, findings, Breach("ORD-12", name, f"query parameter {name} is missing or malformed"))
            return False
    findings.keeps("ORD-12", call)
    return True


def judge_creation(call: Call, world: World, findings: Findings, *, is_clear: bool, in_doubt: str = "") -> None:
    """A reconciliation's period beside those before it. Whether one was active is judged when it is known what became of it.
    `in_doubt`: why it may be none of its own."""
    if call.place is None:
        return
    if not is_clear:
        for rule in ("REC-04", "REC-05"):
            findings.cannot_tell(rule, "another creation for the channel was under way")
        return
    earlier = [
        (batch, facts)
        for batch in world.places_batches(call.place)
        if (facts := batch.facts) is not None and not _is_its_own(batch, call)
    ]
    broken = {}
    for batch, facts in earlier:
        for breach in judge_period(call.body, [facts], LENIENT):
            if breach.rule in {"REC-04", "REC-05"} and breach.rule not in broken:
                broken[breach.rule] = breach
                if call.came is Came.ACCEPTED:  # a sandbox may have been set back, and have none any more
                    why = f"the server took a period that reconciliation {batch.id} had: whether it still has that is not known"
                    findings.cannot_tell(breach.rule, why)
                    continue
                if in_doubt:
                    findings.cannot_tell(breach.rule, in_doubt)
                    continue
                says = f"{breach.message}: that of reconciliation {batch.id}"
                value = [call.body.get("periodInitDate"), call.body.get("periodEndDate")]
                findings.breaks(breach.rule, call, says, pointer="/periodInitDate", value=value)
    for rule in {"REC-04", "REC-05"} - broken.keys():
        findings.keeps(rule, call)


def _is_its_own(batch: Batch, call: Call) -> bool:
    """Whether the reconciliation is the one that the call opened, which another file holds too."""
    number = number_in(call.answered.get("id")) if isinstance(call.answered, dict) else None
    opened = batch.opened_by
    return (
        call.came is Came.ACCEPTED
        and batch.id == number
        and opened is not None
        and opened.origin.file != call.origin.file
    )


UPDATED: Final = "CLI-07"

UNDER_WAY: Final = "another call about the order was under way"


def judge_update(call: Call, world: World, findings: Findings, *, is_clear: bool, in_doubt: str = "") -> None:
    """Whether an update holds what the order held before, be it as null. `is_clear`: no other change of it was under way;
    `in_doubt`: why it may be none of its own."""
    before = world.order(call.key).version if call.key is not None else None
    if before is None or not call.body:
        return
    lost = next(_lost(before, call.body), None)
    if lost is None:
        findings.keeps(UPDATED, call)
        return
    if in_doubt or not is_clear:
        findings.cannot_tell(UPDATED, in_doubt or UNDER_WAY)
        return
    says = f"{lost.removeprefix('/')} was there before, and is left out of the update"
    instead = f"Send {lost.rpartition('/')[2]} again, or as null where it no longer holds."
    findings.breaks(UPDATED, call, says, pointer=lost, instead=instead, cause="lost")


def _lost(before: Version, now: Fields) -> Iterator[str]:
    """Pointers of what was there and is neither there now nor null, in the sequence of their names."""
    yield from (f"/{name}" for name in sorted(before.fields - now.keys()))
    extracts = now.get("extracts")
    pairs = zip(before.extract_fields, extracts if isinstance(extracts, list) else [], strict=False)
    for position, ((type_, held), extract) in enumerate(pairs):
        if isinstance(extract, dict) and extract.get("type") == type_:
            yield from (f"/extracts/{position}/{name}" for name in sorted(held - extract.keys()))
