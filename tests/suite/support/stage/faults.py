"""What can happen to a request on its way, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import httpx

from conformance.contract.endpoints import TOKEN_HEADER
from conformance.mock.app import CONTROL_PATH
from conformance.run.mock_control import NOBODY
from tests.suite.support.stage.bad_answers import BAD_ANSWERS, BadAnswer, write
from tests.suite.support.stage.passage import Passage, Reply, in_json, page, reply

Fault = Callable[[Passage], None]


def _refuse(passage: Passage) -> None:
    passage.reset()
    passage.scene.refuse()


def _reset_before(passage: Passage) -> None:
    passage.reset()


def _reset_after(passage: Passage) -> None:
    passage.forward()
    passage.reset()


def _twice(passage: Passage) -> None:
    passage.forward()
    passage.give(passage.forward())


def _half_answer(passage: Passage) -> None:
    answer = passage.forward()
    half = answer.body[: len(answer.body) // 2]
    passage.cut(answer.status, answer.head + half)


def _half_headers(passage: Passage) -> None:
    head = passage.forward().head
    passage.cut(None, head[: len(head) // 2])


def _delay(passage: Passage) -> None:
    answer = passage.forward()
    passage.note(answer.status)
    passage.wait(passage.plan.seconds if passage.plan else 0)
    passage.give(answer)


def _silence(passage: Passage) -> None:
    passage.forward()
    passage.note(None)
    passage.wait()
    passage.exchange.close_after()


def _502_after(passage: Passage) -> None:
    passage.forward()
    passage.give(page(502))


def _redirect_elsewhere(passage: Passage) -> None:
    passage.give(page(302, Location=passage.scene.elsewhere + passage.exchange.path))


def _redirect_same_host(passage: Passage) -> None:
    passage.give(page(301, Location=f"{passage.scene.base_url}/moved{passage.exchange.path}"))


def _no_token(passage: Passage) -> None:
    passage.give(in_json(403, {"response": "NO_TOKEN"}))


def _revoked_token(passage: Passage) -> None:
    passage.scene.revoked.add(passage.header(TOKEN_HEADER) or "")
    _no_token(passage)


def _unknown_token(passage: Passage) -> None:
    if passage.header(TOKEN_HEADER):
        return _no_token(passage)
    return passage.give(passage.forward())


def _login(passage: Passage) -> None:
    passage.give(reply(302, "text/plain", b"", Location="/login"))


def _spoilt(bad: BadAnswer) -> Fault:
    """Carry it out, and answer so that nobody can read it."""

    def fault(passage: Passage) -> None:
        answer = passage.forward()
        passage.note(None)
        write(passage.exchange, bad(answer))

    return fault


def _block(bad: Callable[[bytes], bytes], **headers: str) -> Fault:
    """Answer 423, and spoil what follows the status line."""
    answer = in_json(423, {"errorMessage": "The integrator is blocked", "errorCode": "423"}, **headers)

    def fault(passage: Passage) -> None:
        passage.note(423)
        write(passage.exchange, iter([bad(answer.head + answer.body)]))

    return fault


def _answers(answer: Reply) -> Fault:
    """Give this answer, and forward nothing."""
    return lambda passage: passage.give(answer)


def _error(status: int, message: str, **headers: str) -> Fault:
    fields: dict[str, Any] = {"errorMessage": message, "errorCode": f"{status}-0", "errorSource": None}
    return _answers(in_json(status, fields, **headers))


def _wipe(passage: Passage) -> None:
    """All that the mock has is gone, tokens too; then the request is carried out."""
    httpx.post(passage.scene.upstream + CONTROL_PATH, json={"reset": True}, verify=NOBODY).raise_for_status()
    passage.give(passage.forward())


REVOKED_TOKEN: Final = "revoked-token"

FAULTS: Final[Mapping[str, Fault]] = {
    # What happens to the connection; from "after" on the request has been carried out.
    "refuse": _refuse,  # this connection is reset; then nothing listens until `FaultProxy.listen`
    "reset-before": _reset_before,
    "reset-after": _reset_after,
    "twice": _twice,  # sent again by a gateway that got no answer; what is given is the second one
    "wipe": _wipe,  # somebody resets the sandbox
    "half-answer": _half_answer,
    "half-headers": _half_headers,
    "delay": _delay,  # the answer comes so many seconds late
    "silence": _silence,
    # What comes instead of the answer; the request is not forwarded, but for "502-after".
    "not-json-200": _answers(page(200)),
    "closed-405": _answers(
        in_json(405, {"message": "The service is in read-only mode"})
    ),  # a gateway's, in maintenance
    "html-403": _answers(page(403)),
    "html-503": _answers(page(503)),
    "423": _error(423, "The integrator is blocked"),
    "423-cut": _block(lambda raw: raw[:-10]),
    "423-bad-gzip": _block(lambda raw: raw, Content_Encoding="gzip"),
    "423-cut-headers": _block(lambda raw: raw[:40]),
    "423-for-ever": _error(423, "The integrator is blocked", Retry_After="9" * 400),
    "429": _error(429, "Too many requests"),
    "429-at-once": _error(429, "Too many requests", Retry_After="0"),
    "429-retry-after": _error(429, "Too many requests", Retry_After="1"),
    "still-active": _error(400, "A reconciliation is active"),  # as while the one before is going on
    "500": _error(500, "Internal server error"),
    "502": _answers(page(502)),
    "502-after": _502_after,
    "504": _answers(page(504)),
    "redirect-elsewhere": _redirect_elsewhere,
    "redirect-same-host": _redirect_same_host,
    "no-token": _no_token,  # this request alone
    REVOKED_TOKEN: _revoked_token,  # this request, and all that come with the same token
    "unknown-token": _unknown_token,  # this request, where it comes with a token: what asks for one gets it
    "redirect-login": _login,  # on the same host, and without a page
    # What comes of the answer; the request has been carried out.
    **{name: _spoilt(bad) for name, bad in BAD_ANSWERS.items()},
}
