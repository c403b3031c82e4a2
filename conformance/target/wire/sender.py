"""Sends a request as it is given, until its answer counts: what may have gone wrong on the way is no answer of the target's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from conformance.contract.endpoints import Endpoint, endpoint_of
from conformance.errors import CannotRun, Doubtful, GoneAway, NotLetIn, TargetUnavailable, WaitTooLong
from conformance.target.config import Target
from conformance.target.waiting import Waiting
from conformance.target.wire.at_once import Sent
from conformance.target.wire.exchange import SERVER_ERROR, Exchange
from conformance.target.wire.http.building import Builder, Request
from conformance.target.wire.http.failures import Garbled, NeverSent, NoAnswer, ProxyRefused, StillPassing
from conformance.target.wire.redaction import Redactor
from conformance.target.wire.throttling import BACKOFF, Patience, told_seconds
from conformance.target.wire.tokens import says_no_token
from conformance.target.wire.transport import (
    GATEWAY_ERRORS,
    LONGEST_BAD_GATEWAY,
    PASSING_FAILURES,
    Blocked,
    GuardedTransport,
    is_page,
)

SILENCES = 4
"""After so many calls in a row without an answer the run stops."""

CREATING = frozenset({Endpoint.SUBMIT_ORDER, Endpoint.CREATE_RECONCILIATION, Endpoint.SUBMIT_RELEASE})
"""Calls that leave something: after a lost answer it is looked up what became of them, they are not blindly sent again."""

NOT_AGAIN = frozenset({Endpoint.DELETE_ORDER, Endpoint.REFRESH_TOKEN})
"""Calls that succeed once: sent again after a lost answer, a refusal would say nothing."""

FAULT_PAUSES = (0.1, 0.5)
"""Seconds after which a call is sent again that got a server error, one after the other."""

REDIRECTION = 3

UP_TRIES = 3
"""How often a call is sent again that a gateway answered with an error while tokens were to be had: five seconds in all. Where
there are none, as often as after any failure that passes."""

CLOSED = frozenset({403, 405})
"""What something on the way refuses with while nothing may be written, or read, as during maintenance: in a form of its own,
since Koncili's refusals have the documented body."""

OUTAGES_AT_MOST = 3
"""So often in a run a minute is waited for a target of which a part is away while tokens are to be had: no maintenance begins
more often, and who answers so now and then is no target that is away."""

STRANGE_AT_MOST = 3
"""So many strange answers in a row to calls that are not sent again, and they are after all: perhaps it always answers so."""

SAYS_DONE = frozenset({400, 404, 409, 410, 422})
"""How a call is refused that was carried out before. (403 and 429 have to do with who sends it, and how often.)"""

NOT_TWICE = NOT_AGAIN | {Endpoint.CREATE_RECONCILIATION, Endpoint.SUBMIT_RELEASE}
"""Calls that are not sent again after an answer that does not say what became of them (a 500 does: see `_until_it_passes`). An
order may be: it is the same then."""


class Sender:
    """Sends to one target, until it is blocked or gone."""

    def __init__(
        self,
        target: Target,
        transport: GuardedTransport,
        builder: Builder,
        redactor: Redactor,
        waiting: Waiting,
        *,
        in_process: bool,
    ) -> None:
        """`transport` leads to the target, in this process or by the network."""
        self._target = target
        self._transport = transport
        self._builder = builder
        self._redactor = redactor
        self._waiting = waiting
        self._in_process = in_process
        self.gives_a_token: Callable[[], bool] = lambda: False
        """Whether the target gives a token for its credentials."""
        self.before_creation: Callable[[bytes], None] | None = None
        """What is done before a reconciliation is opened, by its body."""
        self.blocked: Blocked | None = None
        self._silences = 0
        self._answered = False
        self._gone = ""
        """Why nothing more is sent, once the target has gone away."""
        self._vouching = False
        """Whether a token is asked for to see that the target is there."""
        self._strange: Counter[Endpoint | None] = Counter()
        """How many strange answers an endpoint gave to calls that are not sent again, with no other success between them."""
        self._plain: set[Endpoint | None] = set()
        """The endpoints at which a success was seen that is no page."""
        self._outages = {True: Patience(), False: Patience()}
        """How long a gateway has been waited for that answers in place of what is behind it, while tokens are to be had and while
        there are none."""
        self._own_pages: set[tuple[Endpoint | None, int]] = set()
        """The endpoints and statuses that the target itself answers with a page, or refuses otherwise than documented."""
        self._part_away: Counter[int] = Counter()
        """By the status that told so: how often a part of the target was away for a while, and was waited for."""
        self._waited_for: int | None = None
        """That status, while it is waited for."""
        self._stays: set[int] = set()
        """The statuses that were waited out for a minute in vain while tokens were to be had."""

    def check_open(self) -> None:
        """Raises GoneAway and CannotRun where nothing more is to be sent."""
        if self._gone:
            raise GoneAway(self._gone)
        if self.blocked is not None:
            raise Blocked(self.blocked.until)

    def send(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        content: bytes | None = None,
        headers: Mapping[str, str | None] | None = None,
        again: bool = False,
        lost: bool = False,
    ) -> Exchange:
        """Send a request as it is given, documented or not. 429 and 502 are waited out, a 503 and a 504 too, within limits, and a
        403 or 405 without the documented body; these or a page where JSON is expected count only if the same request gets one
        `again` while tokens are still to be had; any other server error only if the same request gets one each time (what passed
        is told in the exchange).
        `lost` is whether an answer to the same was lost before.

        Raises TargetUnavailable where no answer came or only passing failures, Doubtful where what was asked may have been
        done without an answer, GoneAway and WaitTooLong where nothing more is to be sent, and CannotRun on 423 and for a
        proxy that lets nothing pass. A redirect is never followed: to another host it would carry the token there.
        """
        self.check_open()
        given = {name: value for name, value in (headers or {}).items() if value is not None}
        if content is not None:
            given.setdefault("content-type", "application/json")
        endpoint = endpoint_of(method, path)
        if endpoint is Endpoint.CREATE_RECONCILIATION and self.before_creation is not None:
            self.before_creation(content or b"")
        self._transport.lost = lost or (self._transport.lost and again)
        exchange = self._until_it_passes(method, path, query, content, given)
        elsewhere = exchange.redirects_from(self._target.host)
        if elsewhere is not None:
            raise self._unanswered(
                f"{method} {path}: {self._target.base_url} redirects to {elsewhere}, where no token is sent; is base_url "
                "right, or does something on the way want a login?"
            )
        if self._is_strange(exchange):
            if not again:
                self._check_doubt(exchange, f"{method} {path}")
                self._transport.lost = self._transport.lost or not exchange.is_refused
                try:
                    second = self.send(method, path, query=query, content=content, headers=headers, again=True)
                except Doubtful as doubt:
                    self._note_done(exchange, doubt.refusal)
                    raise
                return _having_passed(second, exchange)
            if self._waits_for_a_gateway(exchange):
                return self.send(method, path, query=query, content=content, headers=headers, again=True)
            self._vouch_for(exchange, f"{method} {path}")
        else:
            self._note_plain(exchange)
        self._silences = 0
        if self._transport.lost and exchange.endpoint in NOT_TWICE and exchange.is_refused:
            raise Doubtful(
                f"{method} {path}: refused with {exchange.status}, but only after an answer was lost",
                exchange,
                exchange.passed,
            )
        return exchange

    def _note_plain(self, exchange: Exchange) -> None:
        """Take note of an answer that is the target's own."""
        if not exchange.is_refused:
            self._strange[exchange.endpoint] = 0
            self._plain.add(exchange.endpoint)
        if not self._vouching:
            self._outages = {True: Patience(), False: Patience()}
            if self._waited_for is not None:
                self._part_away[self._waited_for] += 1
                self._waited_for = None

    def _until_it_passes(
        self, method: str, path: str, query: Mapping[str, str] | None, content: bytes | None, headers: Mapping[str, str]
    ) -> Exchange:
        """Send it, and again where it gets a server error: one that an input makes comes each time. Raises as `send` does."""
        first = exchange = self._sent(method, path, query, content, headers)
        for pause in FAULT_PAUSES:
            if exchange.status < SERVER_ERROR or exchange.status in GATEWAY_ERRORS:
                break
            self._transport.lost = True  # who knows what it did before it failed
            at_most = self._waiting.at_most
            self._waiting.wait("another try after a server error", pause if at_most is None else min(pause, at_most))
            try:
                exchange = self._sent(method, path, query, content, headers)
            except TargetUnavailable as error:
                error.passed = error.passed or first
                raise
        is_another = exchange.status < SERVER_ERROR or exchange.status in GATEWAY_ERRORS
        return replace(exchange, passed=first) if exchange is not first and is_another else exchange

    def _sent(
        self, method: str, path: str, query: Mapping[str, str] | None, content: bytes | None, headers: Mapping[str, str]
    ) -> Exchange:
        """Send it as often as it takes. Raises as `send` does."""
        try:
            request = self._builder.build(method, path, query, content, headers)
        except UnicodeError:
            raise TargetUnavailable(f"{method} {path}: a header would hold what none can, such as a token's") from None
        endpoint = endpoint_of(method, path)
        try:
            exchange = self._transport.send(request, self._sent_again_after(endpoint))
        except Blocked as blocked:
            self.blocked = blocked
            raise
        except StillPassing as failure:
            self._answered = True
            raise self._unanswered(f"{method} {path}: {failure}") from None
        except NoAnswer as failure:
            raise self._without_answer(f"{method} {path}", endpoint, failure) from None
        self._answered = True
        return exchange

    def _sent_again_after(self, endpoint: Endpoint | None) -> tuple[type[NoAnswer], ...]:
        """The failures after which a request is sent again. A target that never answered is not there."""
        never_sent = (NeverSent,) if self._answered else ()
        return never_sent if endpoint in CREATING | NOT_AGAIN else (*PASSING_FAILURES, *never_sent)

    def _without_answer(self, call: str, endpoint: Endpoint | None, failure: NoAnswer) -> TargetUnavailable:
        """What to raise for a call that failed on its way. Raises CannotRun for a proxy that never let anything pass."""
        reason = self._redactor.text(str(failure))
        if isinstance(failure, ProxyRefused):
            reason += f"; check the proxy, or let NO_PROXY name {self._target.host}"
            if not self._answered:
                raise CannotRun(f"no way to {self._target.base_url}: {reason}")
        failed = self._unanswered(f"{call}: no answer from {self._target.base_url}: {reason}{_remedy(reason)}")
        if isinstance(failed, GoneAway) or not self._transport.lost or endpoint not in CREATING:
            return failed
        return Doubtful(f"{failed}; what it asked for may have been done")

    def send_at_once(self, requests: Sequence[Request], offsets: Sequence[float]) -> list[Sent]:
        """Send these at once, once each, as `KonciliClient.call_at_once` says."""
        try:
            results = self._transport.send_at_once(requests, offsets)
        except Blocked as blocked:
            self.blocked = blocked
            raise
        results = [self._without_strange(one) for one in results]
        failures = [one.failure for one in results if one.failure is not None]
        if len(failures) == len(results):
            raise self._unanswered(
                f"{len(requests)} calls at once: no answer from {self._target.base_url}: {failures[0]}"
            )
        self._silences = 0
        return results

    def _without_strange(self, sent: Sent) -> Sent:
        """One of several that were sent at once; a page or a redirect is no answer of Koncili's."""
        exchange = sent.exchange
        if exchange is None or exchange.status >= SERVER_ERROR or not self._is_strange(exchange):
            return sent
        return replace(sent, exchange=None, failure=Garbled(f"{_strange_words(exchange)}, perhaps of a proxy"))

    def _is_strange(self, exchange: Exchange) -> bool:
        """Whether an answer may be that of something on the way: a gateway's error, a page, or a redirect to a login."""
        if exchange.status in GATEWAY_ERRORS:
            return True
        known = self._in_process or (exchange.endpoint, exchange.status) in self._own_pages
        looks_strange = is_page(exchange.response_body) or exchange.status // 100 == REDIRECTION or _is_closed(exchange)
        return exchange.status < SERVER_ERROR and not known and looks_strange

    def _check_doubt(self, exchange: Exchange, call: str) -> None:
        """Raises Doubtful where what was asked may have been done, and is not to be asked again before that was looked up."""
        if exchange.endpoint in NOT_TWICE and not exchange.is_refused:
            self._strange[exchange.endpoint] += 1
            if self._strange[exchange.endpoint] < STRANGE_AT_MOST:
                what = f"{call}: {_strange_words(exchange)}"
                raise Doubtful(f"{what}, perhaps of a proxy; what it asked for may have been done")

    def _note_done(self, strange: Exchange, second: Exchange | None) -> None:
        """A call that was answered with a page each time, and is refused when it is sent again, was carried out: the target
        itself says so by pages. (No document says what the body of a success is.) Where it has said so otherwise, the page was
        something's on the way, and the refusal may be that of a broken call."""
        said_otherwise = strange.endpoint in self._plain
        if second is not None and second.status in SAYS_DONE and is_page(strange.response_body) and not said_otherwise:
            self._own_pages.add((strange.endpoint, strange.status))

    def _waits_for_a_gateway(self, exchange: Exchange) -> bool:
        """Wait, where a gateway says that what is behind it is not there, or not to be written to: a deployment takes seconds, of
        one part of a target or of all. False where that is no reason, or it was waited for long enough. Raises WaitTooLong,
        CannotRun."""
        is_closed = _is_closed(exchange)
        if (exchange.status not in GATEWAY_ERRORS and not is_closed) or self._vouching:
            return False
        told = told_seconds(exchange.response_headers.get("retry-after", ""), datetime.now(UTC)) or 0.0
        is_up = self._gives_tokens()
        if is_closed and not is_up:
            return False
        is_worth_a_minute = not is_up or self._is_worth_a_minute(exchange.status)
        pause = self._outages[is_up].after_failure(
            len(BACKOFF) if is_worth_a_minute else 0 if is_closed else UP_TRIES,
            at_least=min(told, LONGEST_BAD_GATEWAY),
        )
        if pause is None:
            if is_up and is_worth_a_minute:
                self._stays.add(exchange.status)
                self._waited_for = None
            return False
        if is_up and is_worth_a_minute:
            self._waited_for = exchange.status
        at_most = self._waiting.at_most
        self._waiting.wait(f"another try after a {exchange.status}", pause if at_most is None else min(pause, at_most))
        return True

    def _is_worth_a_minute(self, status: int) -> bool:
        """Whether that may be a part of the target which is away: it has not stayed so, and does not come again and again."""
        often = self._part_away[status] >= OUTAGES_AT_MOST
        return not (self._in_process or often or status in self._stays)

    def _vouch_for(self, exchange: Exchange, call: str) -> None:
        """See that a strange answer is the target's own: it comes each time, while tokens are still to be had.

        Raises TargetUnavailable where there is no token either.
        """
        if not self._gives_tokens():
            raise self._unanswered(
                f"{call}: {_strange_words(exchange)}, each time; is a proxy or a login page in the way, or is the target down?",
                calls=0 if self._vouching else 1,
            )
        if exchange.status < SERVER_ERROR:
            self._own_pages.add((exchange.endpoint, exchange.status))

    def _gives_tokens(self) -> bool:
        """Whether the target gives a token for its credentials, as one does that is there. Raises WaitTooLong, CannotRun."""
        if self._vouching:
            return False
        self._vouching = True
        try:
            return self.gives_a_token()
        except WaitTooLong:
            raise
        except TargetUnavailable:
            return False
        finally:
            self._vouching = False

    def not_let_in(self, call: str, other: str, times: int) -> TargetUnavailable:
        """What to raise where a token that was just given is refused, whatever is called, so many `times` in a row."""
        what = (
            f"{call}: {self._target.base_url} gives a token and refuses it with 403 NO_TOKEN, and {other} with it too"
        )
        if times < SILENCES:
            return NotLetIn(what)
        self._gone = f"{what}; the {SILENCES}th call in a row: run again when its tokens are taken"
        return GoneAway(self._gone)

    def _unanswered(self, what: str, calls: int = 1) -> TargetUnavailable:
        """What to raise for a call without an answer: a target that stays silent would keep a run waiting for hours."""
        self._silences += calls
        if self._silences < SILENCES:
            return TargetUnavailable(what)
        self._gone = f"{what}; the {SILENCES}th call in a row without an answer: run again when the target is up"
        return GoneAway(self._gone)


def _remedy(reason: str) -> str:
    """What to do about a failure whose cause is known."""
    if "CERTIFICATE_VERIFY_FAILED" in reason:
        return "; if its certificate is your company's own, let SSL_CERT_FILE name a file with the authority that issued it"
    return ""


def _having_passed(exchange: Exchange, first: Exchange) -> Exchange:
    """An answer, with what the same request got first and did not get again."""
    if exchange.passed is not None:
        return exchange
    return replace(exchange, passed=first if _is_closed(first) and not _is_closed(exchange) else first.passed)


def _is_closed(exchange: Exchange) -> bool:
    """Whether a call is refused as something on the way refuses it, not as Koncili does."""
    if exchange.status not in CLOSED or exchange.endpoint is None or says_no_token(exchange):
        return False
    body = exchange.json
    return not (isinstance(body, dict) and {"errorMessage", "errorCode"} & body.keys())


def _strange_words(exchange: Exchange) -> str:
    if is_page(exchange.response_body):
        return f"{exchange.status} with a page in place of JSON"
    return f"{exchange.status}{' (a redirect)' if exchange.status // 100 == REDIRECTION else ''}"
