"""What can be different about a mock: the hooks that defects and variants fill in. A plain mock has none."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from difflib import get_close_matches
from enum import Enum
from types import MappingProxyType
from typing import Any, TypeVar

from conformance.contract.jsontext import JSONValue, dumps
from conformance.contract.judge import Request
from conformance.contract.order_rules import Breach
from conformance.mock.world import Body, MockWorld, OrderKey, Reconciliation


class Leaves(Enum):
    """How much of an answer leaves the mock."""

    WHOLE = "whole"
    HALF = "half"
    """All headers and half of the body; then the connection is closed."""
    NOT_AT_ALL = "not at all"
    """The connection is reset."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer; the body is JSON to be, raw bytes, or None for an empty one."""

    status: int
    body: object = None
    headers: MappingProxyType[str, str] = field(default_factory=lambda: MappingProxyType({}))
    leaves: Leaves = Leaves.WHOLE
    breaches: tuple[Breach, ...] = field(default=(), compare=False)
    """What was wrong with the request, where that is why."""

    @property
    def raw(self) -> bytes:
        """The body as it leaves. Raises TypeError or ValueError where it is no JSON."""
        if isinstance(self.body, bytes):
            return self.body
        return b"" if self.body is None else dumps(self.body).encode()

    def having(self, **changes: object) -> Answer:
        """The same answer with other fields."""
        return replace(self, **changes)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Wire:
    """How HTTP/1.1 is spoken on a socket."""

    chunked: bool = False
    """Answers come in chunks and without Content-Length."""
    closes: bool = False
    """The connection is closed after each answer."""
    header_case: Callable[[str], str] = str
    """How names of headers are written."""
    knows: Callable[[str], bool] = lambda _: True
    """Whether a header of a request is seen, by its name as it was written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Race:
    """Requests that are judged and then carried out without a lock: those that come at once all see what was before."""

    among: Callable[[Request], Hashable | None]
    """What a request contends for: those that contend for the same race with each other; None: it is answered as usual."""
    checks_again: Callable[[Breach, Request, MockWorld], bool] | None = None
    """Whether a breach that has come up since is noticed when the request is carried out."""
    after_refusal: Callable[[MockWorld, Request], None] | None = None
    """What one that was refused then leaves behind."""
    looks: Callable[[MockWorld, Request], Any] | None = None
    """What it remembers of what it saw."""
    writes: Callable[[MockWorld, Request, Any], None] | None = None
    """What it does when it has been carried out, given what it saw."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quirk:
    """One way in which a mock differs. Every hook that is left out leaves the mock as documented."""

    name: str
    statement: str
    reads: Callable[[Request], Request] | None = None
    """The request as it is judged and carried out."""
    judges: Callable[[Request], Request] | None = None
    """The request as it is judged; it is carried out as it came."""
    overlooks: Callable[[Breach, Request], bool] | None = None
    """Whether a breach goes unnoticed."""
    forgives: Callable[[Breach, Request, MockWorld], bool] | None = None
    """The same, with a look at what is stored."""
    objects: Callable[[Request, Body, MockWorld], Breach | None] | None = None
    """A breach found in a lawful submission, creation or release (the body is given parsed)."""
    crashes: Callable[[Request, MockWorld], bool] | None = None
    """Whether a lawful request is answered 500, and nothing done."""
    stores: Callable[[Body, Body | None, MockWorld], Body] | None = None
    """What is stored of an accepted order, given what was stored before."""
    after_refusal: Callable[[MockWorld, Request], None] | None = None
    after_query: Callable[[MockWorld, OrderKey], None] | None = None
    after_deletion: Callable[[MockWorld, OrderKey], None] | None = None
    key: Callable[[OrderKey], OrderKey] | None = None
    """Under what an order is kept and found."""
    finds: Callable[[MockWorld, OrderKey, Body | None], Body | None] | None = None
    """What a query finds of an order, given what it was to find."""
    shows: Callable[[Body], Body] | None = None
    """What a query answers of a stored order."""
    answers: Callable[[Request, Answer], Answer] | None = None
    """The answer that leaves, given the one that was to leave."""
    shows_at: Callable[[datetime], datetime] | None = None
    token_seconds: int | None = None
    reuses_refresh_tokens: bool = False
    tokens_by_the_second: bool = False
    """Tokens hold the time in whole seconds and nothing else that differs: two of one second are equal."""
    sees: Callable[[MockWorld], Any] | None = None
    """The world as the mock looks at it when it judges a request."""
    reconciliation_id: Callable[[int], int] | None = None
    """The id of a reconciliation, given what it would be."""
    after_completion: Callable[[MockWorld, Reconciliation], None] | None = None
    is_complete: Callable[[Reconciliation], bool] | None = None
    """Whether all of its releases are in."""
    reconciles_in: timedelta | None = None
    """How long reconciling takes from then on."""
    notifies: Callable[[dict[str, JSONValue]], list[dict[str, JSONValue]]] | None = None
    """What leaves in place of a notification."""
    refuses_with: Callable[[str], int | None] | None = None
    """The status of a refusal, by the rule that is broken, where the documents only say that it is one of 4xx."""
    refuses_as: Callable[[str], tuple[int, str | None] | None] | None = None
    """Status and code of a refusal, by the rule that is broken, whatever the documents say."""
    tells: Callable[[list[Breach]], Breach] | None = None
    """What a refusal says, of all that is wrong."""
    limits: Mapping[str, Any] = field(default_factory=dict)
    """Limits other than the documented ones, as keyword arguments of `Limits`."""
    busy: Callable[[int], Answer | None] | None = None
    """A passing failure in place of the answer to the n-th request, which is then not even looked at."""
    loses: Callable[[int], Answer | None] | None = None
    """What is answered in place of the answer to the n-th request, which was carried out."""
    race: Race | None = None
    at_once: Callable[[Request, int, int], Answer | None] | None = None
    """What is answered to a request that came at once with others, in place of looking at it: given the how manieth it is, from
    0 on, and how many crowds came before."""
    loses_at_once: Callable[[Request, int, int], Answer | None] | None = None
    """The same in place of the answer to one that was carried out."""
    first_answered_last: bool = False
    """Whether of those that came at once the first is answered when all others are."""
    wire: Wire | None = None
    """How the mock is spoken to over a socket, where that differs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Defect(Quirk):
    """A mock that does one thing wrong: the suite must fail, and blame one of these rules and no other."""

    rules: frozenset[str]
    needs_profile: str = "certification"


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant(Quirk):
    """A mock that does what the documents allow, in another way: the suite must pass."""

    readings: tuple[tuple[str, str], ...] = ()
    disregards: frozenset[str] = frozenset()
    """The recommended rules that it does not follow: these fail, and nothing else."""


QuirkT = TypeVar("QuirkT", bound=Quirk)


def table(*quirks: QuirkT) -> dict[str, QuirkT]:
    """Quirks by name. Raises ValueError where a name stands twice."""
    by_name = {quirk.name: quirk for quirk in quirks}
    if len(by_name) != len(quirks):
        raise ValueError("a quirk's name stands twice")
    return by_name


def named(quirks: Mapping[str, QuirkT], name: str, kind: str) -> QuirkT:
    """The quirk of that name. Raises KeyError that names it and those that resemble it."""
    try:
        return quirks[name]
    except KeyError:
        near = get_close_matches(name, quirks, n=4, cutoff=0.5)
        hint = f"did you mean {', '.join(near)}? " if near else ""
        raise KeyError(f"no {kind} {name!r}; {hint}`koncili-conformance mock --list` names them all") from None


def readings_of(quirks: Iterable[Quirk]) -> dict[str, str]:
    """The readings that variants follow. Raises ValueError where two follow different ones."""
    readings: dict[str, str] = {}
    for variant in (quirk for quirk in quirks if isinstance(quirk, Variant)):
        for reading, value in variant.readings:
            if readings.setdefault(reading, value) != value:
                raise ValueError(f"{variant.name} reads {reading} as {value!r}, another as {readings[reading]!r}")
    return readings


def hooks(quirks: Iterable[Quirk], name: str) -> list[Callable[..., Any]]:
    """The hooks of that name, of those quirks that have one."""
    return [hook for quirk in quirks if (hook := getattr(quirk, name)) is not None]
