"""Which documented rules does a request break, in this world, under these readings? Pure: the world is only asked.

The mock refuses by this judge and the audit of recorded traffic reads it; the scenarios never do, so that the two
encodings of a rule check each other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from typing import Final, Protocol
from uuid import UUID

from conformance.contract.coercion import as_taken
from conformance.contract.credentials import decode_credentials
from conformance.contract.endpoints import (
    CREDENTIALS_FIELD,
    INTEGRATOR_HEADER,
    REFRESH_TOKEN_FIELD,
    TOKEN_HEADER,
    Endpoint,
    endpoint_of,
    is_documented_path,
)
from conformance.contract.jsontext import JSONValue, NotJSON, loads
from conformance.contract.nearly_json import read_leniently
from conformance.contract.order_rules import Breach, is_account_id, judge_order
from conformance.contract.reconciliation_rules import (
    OrderFacts,
    ReconciliationFacts,
    is_whole,
    judge_against_order,
    judge_against_reconciliation,
    judge_period,
    judge_reconciliation,
    judge_release,
)


class TokenState(Enum):
    """What a token means to the server at this moment."""

    VALID = "valid"
    EXPIRED = "expired"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class AccountFacts:
    """What the judge needs to know of an account."""

    active: bool
    api_import: bool
    channels: frozenset[str]


class World(Protocol):
    """The state that a judgement depends on; asking changes nothing."""

    def knows_credentials(self, email: str, password: str) -> bool: ...
    def access_token_state(self, token: str) -> TokenState: ...
    def refresh_token_state(self, token: str) -> TokenState: ...
    def account(self, account_id: int) -> AccountFacts | None: ...
    def knows_channel(self, name: str) -> bool: ...
    def stored_order(self, account_id: int, channel: str, code: str) -> OrderFacts | None: ...
    def shown_order(self, account_id: int, channel: str, code: str) -> OrderFacts | None: ...
    def reconciliation(self, reconciliation_id: int) -> ReconciliationFacts | None: ...
    def reconciliations(self, account_id: int, channel: str) -> Sequence[ReconciliationFacts]: ...


@dataclass(frozen=True)
class Request:
    """One HTTP request as it came; header names in lower case, the path without the query."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    query_string: str = ""
    """The query as it came, for whoever decodes it in a way of its own."""

    @property
    def endpoint(self) -> Endpoint | None:
        """The documented endpoint that it addresses, if any."""
        return endpoint_of(self.method, self.path)

    @cached_property
    def content(self) -> JSONValue:
        """The body as JSON, parsed once; a NotJSON where it is none."""
        try:
            return loads(self.body)
        except NotJSON as error:
            return error

    @property
    def fields(self) -> dict[str, JSONValue]:
        """The body's fields; none where it is not a JSON object."""
        return self.content if isinstance(self.content, dict) else {}

    def header(self, name: str) -> str | None:
        """The header's value, whatever the case of its name."""
        return self.headers.get(name.lower())


def judge(request: Request, world: World, readings: Mapping[str, str]) -> list[Breach]:
    """Every rule that the request breaks, those first that a server must look at first; empty where it is lawful.

    All parts that can be judged are judged, so that a body with two faults shows two breaches.
    """
    endpoint = request.endpoint
    if endpoint is None:
        what = "method" if is_documented_path(request.path) else "path"
        return [Breach("ERR-04", what, f"{request.method} {request.path} is not a documented {what}")]
    if endpoint is Endpoint.CREATE_TOKEN:
        return list(_judge_credentials(request, world))
    if endpoint is Endpoint.REFRESH_TOKEN:
        return list(_judge_refresh(request, world))
    breaches = list(_judge_headers(request, world))
    if endpoint is Endpoint.SUBMIT_ORDER:
        breaches += _judge_submission(request, world, readings)
    elif endpoint is Endpoint.CREATE_RECONCILIATION:
        breaches += _judge_creation(request, world, readings)
    elif endpoint is Endpoint.SUBMIT_RELEASE:
        breaches += _judge_release(request, world, readings)
    elif endpoint in {Endpoint.GET_ORDER, Endpoint.DELETE_ORDER}:
        breaches += _judge_lookup(request, world, deleting=endpoint is Endpoint.DELETE_ORDER)
    return breaches


# -- authentication ------------------------------------------------------------------------------------------------


def _judge_credentials(request: Request, world: World) -> Iterator[Breach]:
    encoded = request.fields.get(CREDENTIALS_FIELD)
    pair = decode_credentials(encoded) if isinstance(encoded, str) else None
    if pair is None:
        yield Breach("AUTH-02", CREDENTIALS_FIELD, f"{CREDENTIALS_FIELD} must be the base64 of email:password")
    elif not world.knows_credentials(*pair):
        yield Breach("AUTH-02", CREDENTIALS_FIELD, "wrong email or password")


def _judge_refresh(request: Request, world: World) -> Iterator[Breach]:
    token = request.fields.get(REFRESH_TOKEN_FIELD)
    if not isinstance(token, str) or world.refresh_token_state(token) is not TokenState.VALID:
        yield Breach("AUTH-07", REFRESH_TOKEN_FIELD, f"{REFRESH_TOKEN_FIELD} is unknown, used or missing")


def _judge_headers(request: Request, world: World) -> Iterator[Breach]:
    token = request.header(TOKEN_HEADER)
    if token is None:  # an empty one is there, and none that anybody was given
        yield Breach("AUTH-03", TOKEN_HEADER, f"{TOKEN_HEADER} is missing")
    else:
        state = world.access_token_state(token)
        if state is TokenState.EXPIRED:
            yield Breach("AUTH-05", TOKEN_HEADER, f"{TOKEN_HEADER} has expired")
        elif state is TokenState.UNKNOWN:
            yield Breach("AUTH-04", TOKEN_HEADER, f"{TOKEN_HEADER} is unknown")
    integrator = request.header(INTEGRATOR_HEADER)
    if integrator is None or not _is_uuid(integrator):
        yield Breach("AUTH-08", INTEGRATOR_HEADER, f"{INTEGRATOR_HEADER} must be the integrator's UUID")


_UUID_SHAPE: Final = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def _is_uuid(text: str) -> bool:
    return _UUID_SHAPE.fullmatch(text) is not None and UUID(text) is not None


# -- accounts and orders -------------------------------------------------------------------------------------------


def _judge_account(account_id: int, channel: str, world: World) -> Iterator[Breach]:
    account = world.account(account_id)
    if account is None:
        yield Breach("ACC-02", "accountId", f"Account {account_id} not found")
    if not world.knows_channel(channel):
        yield Breach("ACC-03", "channelName", f"Channel {channel} not found")
    if account is None:
        return
    if not account.active:
        yield Breach("ACC-05", "accountId", f"Account {account_id} is inactive")
    elif not account.api_import:
        yield Breach("ACC-04", "accountId", f"Account {account_id} is not enabled for API imports")
    if world.knows_channel(channel) and channel not in account.channels:
        yield Breach("ACC-06", "channelName", f"Account {account_id} is not authorised on channel {channel}")


def _judge_submission(request: Request, world: World, readings: Mapping[str, str]) -> list[Breach]:
    if no_object := _no_object(request, "ORD-14"):
        return [no_object]
    body = as_taken(request.fields, readings)
    breaches = list(judge_order(body, readings))
    place = _place(body, readings)
    return breaches if place is None else breaches + list(_judge_account(*place, world))


def _no_object(request: Request, rule: str) -> Breach | None:
    """The breach of a body that is no JSON object."""
    body = request.content
    if isinstance(body, NotJSON):
        nearly = read_leniently(request.body) is not None
        return Breach("ORD-22" if nearly else rule, "body", f"the body is not JSON: {body}")
    return None if isinstance(body, dict) else Breach(rule, "body", "the body is not a JSON object")


def _place(body: Mapping[str, JSONValue], readings: Mapping[str, str]) -> tuple[int, str] | None:
    """The account and channel that a body names, or None where it names none."""
    account_id, channel = body.get("accountId"), body.get("channelName")
    if not is_account_id(account_id, readings["account-id-type"]) or not isinstance(channel, str):
        return None
    return int(account_id), channel


def _judge_lookup(request: Request, world: World, *, deleting: bool) -> list[Breach]:
    code, channel, account_text = (request.query.get(name) for name in ("marketplaceCode", "channelName", "accountId"))
    account_id = int(account_text) if account_text and re.fullmatch(r"[0-9]{1,18}", account_text) else None
    missing = [
        name
        for name, value in (("marketplaceCode", code), ("channelName", channel), ("accountId", account_id))
        if value is None
    ]
    if missing or code is None or channel is None or account_id is None:
        return [Breach("ORD-12", name, f"query parameter {name} is missing or malformed") for name in missing]
    breaches = list(_judge_account(account_id, channel, world))
    if breaches:
        return breaches
    # A query sees the last consolidation, a deletion what was last accepted.
    order = (world.stored_order if deleting else world.shown_order)(account_id, channel, code)
    if order is None:
        rule = "DEL-02" if deleting else "QRY-02"
        return [Breach(rule, "marketplaceCode", f"Order {code} not found")]
    if deleting and not order.through_api:
        return [Breach("DEL-03", "marketplaceCode", f"Order {code} did not come through the API")]
    if deleting and order.reconciled:
        return [Breach("DEL-04", "marketplaceCode", f"Order {code} is reconciled")]
    return []


# -- reconciliations and releases ----------------------------------------------------------------------------------


def _judge_creation(request: Request, world: World, readings: Mapping[str, str]) -> list[Breach]:
    if no_object := _no_object(request, "REC-08"):
        return [no_object]
    body = as_taken(request.fields, readings)
    breaches, place = list(judge_reconciliation(body, readings)), _place(body, readings)
    if place is None:
        return breaches
    refused_account = list(_judge_account(*place, world))
    # What is no period can't overlap one, and an account that is refused has none.
    if not refused_account and not any(breach.field.startswith("period") for breach in breaches):
        breaches += judge_period(body, world.reconciliations(*place), readings)
    return breaches + refused_account


def _judge_release(request: Request, world: World, readings: Mapping[str, str]) -> list[Breach]:
    if no_object := _no_object(request, "REL-17"):
        return [no_object]
    body = as_taken(request.fields, readings)
    breaches, place = list(judge_release(body, readings)), _place(body, readings)
    refused_account = [] if place is None else list(_judge_account(*place, world))
    if place is None or refused_account:
        return breaches + refused_account
    well_formed = not any(breach.field.startswith(("releases", "marketplaceCode")) for breach in breaches)
    known, number = None, body.get("reconciliationId")
    if is_whole(number):
        known = world.reconciliation(number)
        if known is None:
            breaches.append(Breach("REL-02", "reconciliationId", f"Reconciliation {number} not found"))
        else:
            breaches += judge_against_reconciliation(body, place, known, readings)
    if well_formed:
        order = world.stored_order(*place, body["marketplaceCode"])
        breaches += judge_against_order(body, order, known, readings)
    return breaches
