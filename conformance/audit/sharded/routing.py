"""The first pass: each exchange of a part goes to the pieces of its account, and in short to those of all clients."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final, NamedTuple, TypeGuard
from zlib import crc32

from conformance.audit.auditor import in_upper_case
from conformance.audit.blotted import holds_a_mask
from conformance.audit.call import LENIENT, OF_TOKENS, TOO_MANY, number_in
from conformance.audit.callback_rules import notification_in
from conformance.audit.queries import BY_QUERY, named_by
from conformance.audit.recogniser import Recogniser, is_evident, pairs_of
from conformance.audit.secrets import Secrets
from conformance.audit.sharded.parts import Entries, Part, exchanges_in
from conformance.audit.sharded.pieces import Answer, Piece, chunk_of, microseconds, piece_of
from conformance.contract.coercion import as_taken
from conformance.contract.endpoints import INTEGRATOR_HEADER, TOKEN_HEADER, Endpoint
from conformance.contract.jsontext import JSONValue, NotJSON, loads
from conformance.contract.order_rules import is_account_id
from conformance.contract.reconciliation_rules import is_whole
from conformance.traffic.exchange import Exchange, Headers, Missing

BUCKETS: Final = 64
"""Into so many buckets accounts fall."""

NOBODY: Final = BUCKETS
"""The bucket of what is about no account: tokens, notifications, other traffic."""

CLIENTS: Final = BUCKETS + 1
"""The bucket of all calls, without what only their account needs."""

EVERYBODY: Final = BUCKETS + 2
"""The bucket of what may be about any account: entries that can't be read, calls of which the recording does not say it."""

_MEAN_BYTES: Final = 1_000
"""What an exchange takes besides the body of its call."""

CHUNK_CALLS: Final = 20_000
CHUNK_BYTES: Final = 24 * 1024 * 1024
"""After so many exchanges, or bytes of bodies, they become chunks."""


class Chunk(NamedTuple):
    """Pieces of one bucket, in sequence."""

    part: int
    bucket: int
    first: int
    """The time of the first one, in microseconds since 1970."""
    at: Any
    """The chunk itself, or where it is kept."""


@dataclass(slots=True)
class Routed:
    """What is known of a part when it has been routed."""

    part: int
    entries: int = 0
    exchanges: int = 0
    unreadable: int = 0
    problems: list[str] = field(default_factory=list)
    shown: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Base URLs that are Koncili's, each with time and place of the first exchange that shows it."""
    named: dict[int, frozenset[int]] = field(default_factory=dict)
    """Reconciliations, each with the buckets of the accounts that named it."""
    secret: bytes = b""
    """A chunk of what holds secrets that were not seen before in the part."""
    chunks: list[Chunk] = field(default_factory=list)


Keep = Callable[[int, bytes], Any]
"""Keeps a chunk of a bucket; where it is then."""


def route(part: Part, keep: Keep) -> Routed:
    """Read a part and route its exchanges."""
    return _Router(part, keep).work()


class _Router:
    def __init__(self, part: Part, keep: Keep) -> None:
        self._part, self._keep = part, keep
        self._routed = Routed(part.number)
        self._recogniser, self._secrets = Recogniser(), Secrets()
        self._held: dict[int, list[Piece]] = {}
        self._secret: list[Piece] = []

    def work(self) -> Routed:
        routed, entries, size = self._routed, Entries(), 0
        problems: list[str] = []
        for time, exchange in exchanges_in(self._part, problems.append, entries):
            routed.exchanges += not exchange.is_unreadable
            routed.unreadable += exchange.is_unreadable
            size += self._take(microseconds(time), in_upper_case(exchange))
            if size > CHUNK_BYTES or not routed.exchanges % CHUNK_CALLS:
                self._flush()
                size = 0
        self._flush()
        routed.entries, routed.problems = entries.number, problems
        routed.secret = chunk_of(self._secret)
        return routed

    def _take(self, time: int, exchange: Exchange) -> int:
        """Hold an exchange for its buckets; about how many bytes that takes."""
        entry, held = exchange.origin.entry, self._held
        piece = piece_of(time, entry, exchange)
        if exchange.is_unreadable:
            held.setdefault(EVERYBODY, []).append(piece)
            return _MEAN_BYTES
        if self._secrets.is_new(exchange):
            self._secret.append(piece)
        if (notification := notification_in(exchange)) is not None:
            buckets = self._of_notification(notification)
        elif (found := self._recogniser.addressed(exchange)) is not None:
            route, query = found
            endpoint, _ = route.endpoint(exchange.request.method)
            buckets = self._of_call(exchange, endpoint, query)
            held.setdefault(CLIENTS, []).append(_in_short(piece, endpoint))
            first = self._routed.shown.get(route.base)
            if (first is None or (time, entry) < first) and is_evident(exchange, route, pairs_of(query)):
                self._routed.shown[route.base] = time, entry
        else:
            return 0
        for bucket in buckets:
            held.setdefault(bucket, []).append(piece)
        return len(piece.body or b"") + _MEAN_BYTES

    def _flush(self) -> None:
        for bucket, pieces in self._held.items():
            first = min(piece.time for piece in pieces)
            self._routed.chunks.append(Chunk(self._part.number, bucket, first, self._keep(bucket, chunk_of(pieces))))
        self._held.clear()

    # -- whose it is -----------------------------------------------------------------------------------------------

    def _of_call(self, exchange: Exchange, endpoint: Endpoint | None, query: str) -> set[int]:
        """The bucket that needs a call whole."""
        if endpoint is None or endpoint in OF_TOKENS or endpoint is Endpoint.LIST_ACCOUNTS:
            return {NOBODY}
        is_asked = endpoint in BY_QUERY
        named = named_by(dict(pairs_of(query)), exchange) if is_asked else _named_in(exchange.request.body)
        bucket = bucket_of(named)
        if endpoint is Endpoint.SUBMIT_RELEASE:
            self._name(named.get("reconciliationId"), bucket)
        elif endpoint is Endpoint.CREATE_RECONCILIATION:
            self._name(_id_in(exchange), bucket)
        return {NOBODY, EVERYBODY} if bucket == NOBODY else {bucket}

    def _of_notification(self, notification: Mapping[str, Any]) -> set[int]:
        """The buckets that must learn of a notification: that where it is judged, and that of the account that it names."""
        payload = notification.get("payload")
        if not isinstance(payload, dict):
            return {NOBODY}
        account = payload.get("accountId")
        bucket = _hashed(int(account)) if _is_number(account) else NOBODY
        self._name(number_in(payload.get("reconciliationId")), bucket)
        return {NOBODY, bucket}

    def _name(self, number: JSONValue, bucket: int) -> None:
        if is_whole(number):
            known = self._routed.named.get(number, frozenset())
            if bucket not in known:
                self._routed.named[number] = known | {bucket}


def _is_number(account: JSONValue) -> TypeGuard[int | Decimal]:
    """Whether it equals a whole number, be it as 19055.0."""
    if not isinstance(account, int | Decimal) or (isinstance(account, Decimal) and account.adjusted() > _LONGEST):
        return False
    return account == int(account)


_LONGEST: Final = 40


def _hashed(account: int) -> int:
    return crc32(str(account).encode()) % BUCKETS


def bucket_of(named: Mapping[str, JSONValue]) -> int:
    """The bucket of the account that a call is about."""
    account, channel = named.get("accountId"), named.get("channelName")
    return _hashed(int(account)) if is_account_id(account, "either") and isinstance(channel, str) else NOBODY


def _named_in(body: bytes | Missing) -> Mapping[str, JSONValue]:
    """What a body says of whose it is, with numbers as any reading takes them."""
    if isinstance(body, Missing) or not body:
        return {}
    try:
        fields = loads(body)
    except NotJSON:
        return {}
    if not isinstance(fields, dict) or holds_a_mask(fields):
        return {}
    return as_taken({name: fields.get(name) for name in _NAMES}, LENIENT)


_NAMES: Final = ("accountId", "channelName", "reconciliationId")


def _id_in(exchange: Exchange) -> JSONValue:
    body = getattr(exchange.response, "body", None)
    try:
        answered = loads(body) if isinstance(body, bytes) else None
    except NotJSON:
        return None
    return number_in(answered.get("id")) if isinstance(answered, dict) else None


# -- in short ------------------------------------------------------------------------------------------------------

_FIRST_NOT_ACCEPTED: Final = 300
_NEEDED: Final = frozenset({TOKEN_HEADER.lower(), INTEGRATOR_HEADER})


def _in_short(piece: Piece, endpoint: Endpoint | None) -> Piece:
    """The piece with what is needed to judge how clients call."""
    headers: Headers | None = piece.headers
    if headers is not None:
        headers = tuple([one for one in headers if one[0] in _NEEDED])
    body, answer = piece.body, piece.response
    if endpoint not in OF_TOKENS:
        body = body and b"%d" % crc32(body)  # by which it is known where it is sent again
        if isinstance(answer, Answer):
            whole = answer.status >= _FIRST_NOT_ACCEPTED
            known = answer.headers if answer.status == TOO_MANY or answer.headers is None else ()
            answer = Answer(answer.status, known, answer.body if whole else None, answer.some_headers)
    return Piece(
        piece.time, piece.entry, piece.started, piece.took, piece.method, piece.url, headers, body, piece.some_headers, answer,
        piece.escaped, piece.mark, piece.whole_seconds, piece.may_be_at_answer,
    )  # fmt: skip
