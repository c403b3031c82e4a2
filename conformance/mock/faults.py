"""Faults for clients, as data: what happens to which calls on their way, and to which notifications.

They happen in front of the mock, as a gateway would let them: what it counts, its limits among them, knows nothing of them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from threading import Lock
from types import MappingProxyType
from typing import Final

from conformance.contract.judge import Request
from conformance.mock.notifications import ON_TIME
from conformance.mock.quirks import Answer, Leaves


@dataclass(frozen=True, slots=True)
class When:
    """Chooses calls, or notifications: of those that it is about, after the first so many every so manieth, at most so often."""

    call: str | None = None
    """`POST /order`, or the type of a notification; None: any."""
    order: str | None = None
    """The marketplaceCode that a call names; None: any."""
    after: int = 0
    every: int = 1
    times: int | None = None
    """None: for ever."""

    def is_about(self, call: str, order: str | None) -> bool:
        """Whether it counts this one."""
        return self.call in {None, call} and self.order in {None, order}

    def chooses(self, count: int) -> bool:
        """Whether it chooses the one of this number, from 1 on, of those that it is about."""
        place = count - self.after
        if place < 1 or place % self.every:
            return False
        return self.times is None or place // self.every <= self.times


def nth(n: int, call: str | None = None) -> When:
    """The n-th alone."""
    return When(call, after=n - 1, times=1)


def first(n: int, call: str | None = None) -> When:
    """The first n."""
    return When(call, times=n)


def since(n: int, call: str | None = None) -> When:
    """The n-th and all that follow."""
    return When(call, after=n - 1)


def every(n: int, call: str | None = None) -> When:
    """Every n-th."""
    return When(call, every=n)


def always(call: str | None = None) -> When:
    """All of them."""
    return When(call)


@dataclass(frozen=True, slots=True)
class Plan:
    """A fault by its name, and to what it happens."""

    fault: str
    when: When
    seconds: float = 1
    """How late an answer or a notification is, or what Retry-After says."""


class Plans:
    """Plans as they are carried out: each counts what it is about. Not for several threads at once."""

    def __init__(self, *plans: Plan) -> None:
        """Nothing is counted yet."""
        self._plans = list(plans)
        self._counts = [0] * len(plans)

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self._plans)

    def add(self, *plans: Plan) -> None:
        """Carry out these too, after those that there are."""
        self._plans += plans
        self._counts += [0] * len(plans)

    def next(self, call: str, order: str | None = None) -> Plan | None:
        """The plan for the next one: the first that chooses it. All that are about it count it."""
        chosen = None
        for place, plan in enumerate(self._plans):
            if plan.when.is_about(call, order):
                self._counts[place] += 1
                if chosen is None and plan.when.chooses(self._counts[place]):
                    chosen = plan
        return chosen


# -- what can happen -------------------------------------------------------------------------------------------------


def _error(status: int, message: str, headers: Mapping[str, str] | None = None) -> Answer:
    body = {"errorMessage": message, "errorCode": f"{status}-0", "errorSource": None}
    return Answer(status, body, MappingProxyType(dict(headers or {})))


def _page(status: int, title: str) -> Answer:
    """A page of HTML, such as gateways answer."""
    body = f"<!DOCTYPE html><html><body><h1>{status} {title}</h1></body></html>"
    return Answer(status, body.encode(), MappingProxyType({"Content-Type": "text/html; charset=utf-8"}))


INSTEAD: Final[Mapping[str, Callable[[Plan], Answer]]] = MappingProxyType(
    {
        "429": lambda plan: _error(429, "Too many requests", {"Retry-After": str(ceil(plan.seconds))}),
        "423": lambda _: _error(423, "The integrator is blocked"),
        "500": lambda _: _error(500, "Internal server error"),
        "502": lambda _: _page(502, "Bad Gateway"),
        "504": lambda _: _page(504, "Gateway Timeout"),
        "reset": lambda _: Answer(0, leaves=Leaves.NOT_AT_ALL),
    }
)
"""What comes in place of carrying a call out."""

AFTERWARDS: Final[Mapping[str, Callable[[Answer], Answer]]] = MappingProxyType(
    {
        "lost": lambda answer: answer.having(leaves=Leaves.NOT_AT_ALL),
        "half": lambda answer: answer.having(leaves=Leaves.HALF),
        "delay": lambda answer: answer,
        "502-after": lambda _: _page(502, "Bad Gateway"),
    }
)
"""What comes of the answer to a call that was carried out."""

OF_NOTIFICATIONS: Final[Mapping[str, Callable[[Plan], tuple[float, ...]]]] = MappingProxyType(
    {
        "doubled-notification": lambda _: (0.0, 0.0),
        "late-notification": lambda plan: (plan.seconds,),
        "lost-notification": lambda _: (),
    }
)
"""How many seconds late, by the mock's clock, each copy of a notification leaves."""

FAULTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "429": "answered 429 with Retry-After (`seconds`), and not carried out",
        "423": "answered 423, and not carried out",
        "500": "answered 500, and not carried out",
        "502": "answered 502 with a page of HTML, and not carried out",
        "504": "answered 504 with a page of HTML, and not carried out",
        "reset": "the connection is reset, and the call not carried out",
        "lost": "carried out, then the connection is reset: no answer comes",
        "half": "carried out; half of the answer comes, then the connection is closed",
        "delay": "carried out; the answer comes `seconds` late",
        "502-after": "carried out, and answered 502",
        "doubled-notification": "a notification leaves twice",
        "late-notification": "a notification leaves `seconds` late, by the mock's clock",
        "lost-notification": "a notification never leaves",
    }
)
"""Every fault, with what it does."""


class Faults:
    """The faults of a mock. Safe to use from several threads."""

    def __init__(self, wait: Callable[[float], object] = time.sleep) -> None:
        """`wait` lets so many seconds pass."""
        self._wait = wait
        self._lock = Lock()
        self._calls, self._notifications = Plans(), Plans()

    def play(self, plans: Sequence[Plan], *, beside: bool = False) -> None:
        """From now on let these happen, and no others, with counts that begin anew; `beside` those that there are, else."""
        calls = [plan for plan in plans if plan.fault not in OF_NOTIFICATIONS]
        notifications = [plan for plan in plans if plan.fault in OF_NOTIFICATIONS]
        with self._lock:
            if beside:
                self._calls.add(*calls)
                self._notifications.add(*notifications)
            else:
                self._calls, self._notifications = Plans(*calls), Plans(*notifications)

    def of(self, request: Request) -> Plan | None:
        """What is to happen to this call."""
        if not self._calls:
            return None
        label = request.endpoint.label if request.endpoint else f"{request.method} {request.path}"
        order = order_of(request)
        with self._lock:
            return self._calls.next(label, order)

    def answered(self, plan: Plan | None, handle: Callable[[], Answer]) -> Answer:
        """The answer to a call to which that happens; `handle` carries it out."""
        if plan is None:
            return handle()
        if plan.fault in INSTEAD:
            return INSTEAD[plan.fault](plan)
        return AFTERWARDS[plan.fault](handle())

    def hold(self, plan: Plan | None) -> None:
        """Keep the answer back for as long as it is to be late."""
        if plan is not None and plan.fault == "delay":
            self._wait(plan.seconds)

    def copies(self, notification_type: str) -> tuple[float, ...]:
        """How late each copy of the next notification leaves: one, and in time, unless something happens to it."""
        with self._lock:
            plan = self._notifications.next(notification_type)
        return OF_NOTIFICATIONS[plan.fault](plan) if plan else ON_TIME


def order_of(request: Request) -> str | None:
    """The marketplaceCode that a call names, if it names one."""
    code = request.fields.get("marketplaceCode") if request.body else request.query.get("marketplaceCode")
    return code if isinstance(code, str) else None
