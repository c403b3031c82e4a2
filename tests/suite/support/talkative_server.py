"""A mock of Koncili that takes the marked credentials and tells every secret that it knows, in every form."""

from __future__ import annotations

import html
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from conformance.contract.credentials import decode_credentials, encode_credentials
from conformance.contract.endpoints import (
    ACCESS_TOKEN_FIELD,
    CREDENTIALS_FIELD,
    REFRESH_TOKEN_FIELD,
    TOKEN_HEADER,
    Endpoint,
)
from conformance.contract.jsontext import dumps
from conformance.contract.judge import Request
from conformance.mock import world
from conformance.mock.clock import VirtualClock
from conformance.mock.koncili import Koncili
from conformance.mock.quirks import Answer, Quirk, Wire
from conformance.mock.target import mock_target_table, to_toml
from conformance.mock.wire import listening
from tests.suite.support.marked_secrets import CREDENTIALS, EMAIL, EVERY_FORM, PASSWORD

Tells = Callable[["TalkativeServer", Request, Answer], Answer]


@dataclass
class TalkativeServer:
    """What the mock knows besides: the tokens that it gave, opaque ones in the place of its own where `opaque`."""

    tells: Tells
    opaque: bool = False
    given: dict[str, str] = field(default_factory=dict)
    """Every token that it gave, with the mock's own that it stands for."""
    others: list[str] = field(default_factory=list)
    """What else it made up: cookies, and tokens that it gave to nobody."""
    faults: list[Exception] = field(default_factory=list)
    """What went wrong in telling: a server that says nothing would be searched for nothing."""

    @property
    def quirk(self) -> Quirk:
        """How it differs from the plain mock."""
        return Quirk(name="talkative", statement="tells secrets", reads=self._read, answers=self._answer)

    def _read(self, request: Request) -> Request:
        """The request as the plain mock would get it."""
        body: Any = dict(request.fields)
        if body.get(CREDENTIALS_FIELD) == CREDENTIALS:
            body[CREDENTIALS_FIELD] = encode_credentials(world.EMAIL, world.PASSWORD)
        if (refresh := self.given.get(str(body.get(REFRESH_TOKEN_FIELD)))) is not None:
            body[REFRESH_TOKEN_FIELD] = refresh
        headers = dict(request.headers)
        if (token := self.given.get(headers.get(TOKEN_HEADER.lower(), ""))) is not None:
            headers[TOKEN_HEADER.lower()] = token
        changed = dumps(body).encode() if body != dict(request.fields) else request.body
        return replace(request, headers=headers, body=changed)

    def _answer(self, request: Request, answer: Answer) -> Answer:
        body: Any = answer.body
        if isinstance(body, dict) and ACCESS_TOKEN_FIELD in body:
            body = {**body}
            for name in (ACCESS_TOKEN_FIELD, REFRESH_TOKEN_FIELD):
                token = f"{secrets.token_hex(20)}+/{secrets.token_urlsafe(200)}==" if self.opaque else body[name]
                self.given[token] = body[name]
                body[name] = token
            answer = replace(answer, body=body)
        try:
            return self.tells(self, request, answer)
        except Exception as error:
            self.faults.append(error)
            raise

    def everything(self, request: Request) -> str:
        """All that it knows."""
        token = request.headers.get(TOKEN_HEADER.lower(), "")
        own = [*self.given][-2:]
        damaged = [f"{one[:60]}{'x' if one[60] != 'x' else 'y'}{one[61:]}" for one in own]
        tried = decode_credentials(str(request.fields.get(CREDENTIALS_FIELD)))
        known = [EVERY_FORM, ":".join(tried or ()), token, token[:60], *own, *damaged, *(one[-30:] for one in own)]
        return " | ".join([*known, request.body.decode("utf-8", "replace")])


def tells_nothing(_: TalkativeServer, __: Request, answer: Answer) -> Answer:
    """Only the marked credentials are its own."""
    return answer


def tells_in_refusals(server: TalkativeServer, request: Request, answer: Answer) -> Answer:
    """In the message of every refusal and in the answer's headers, with a cookie."""
    cookie = secrets.token_hex(16)
    server.others.append(cookie)
    own = [*server.given][-1:]
    headers = {
        "X-Echo": dumps(dict(request.headers)),
        "X-Auth-Token": secrets.token_hex(24) if not own else own[0],
        "Set-Cookie": f"JSESSIONID={cookie}; Path=/; HttpOnly",
    }
    body: Any = answer.body
    if isinstance(body, dict) and "errorMessage" in body:
        body = {**body, "errorMessage": f"{body['errorMessage']}: {server.everything(request)}"}
    return replace(answer, body=body, headers=MappingProxyType({**answer.headers, **headers}))


def tells_in_pages(server: TalkativeServer, request: Request, answer: Answer) -> Answer:
    """In a page of HTML with status 500, for submissions and queries of orders; it holds tokens that nobody was given."""
    if request.endpoint not in {Endpoint.SUBMIT_ORDER, Endpoint.GET_ORDER}:
        return answer
    unseen = world.MockWorld(VirtualClock()).issue_tokens()[0], secrets.token_urlsafe(40)
    server.others += unseen
    page = (
        f"<!DOCTYPE html><title>Error</title><p>{server.everything(request)}</p><p>Authorization: Bearer {unseen[0]}</p>"
        f"<pre>{html.escape(dumps({'accessToken': unseen[1], 'headers': request.headers}))}</pre>"
    )
    raw = page.encode("utf-8", "replace") + f"<p>{PASSWORD} {EMAIL}</p>".encode("latin-1")
    return Answer(500, raw, MappingProxyType({"Content-Language": "en"}))


CREDENTIALS_IN_FILE: Final = {"email": EMAIL, "password": PASSWORD}
CREDENTIALS_BY_NAME: Final = {"email_env": "KONCILI_EMAIL", "password_env": "KONCILI_PASSWORD"}
VARIABLES: Final = {"KONCILI_EMAIL": EMAIL, "KONCILI_PASSWORD": PASSWORD}


@contextmanager
def serving(server: TalkativeServer, *quirks: Quirk) -> Iterator[str]:
    """Serve it on a socket; the base URL."""
    with listening(Koncili(quirks=[server.quirk, *quirks]), Wire()) as base_url:
        yield base_url


def write_target(path: Path, base_url: str, credentials: dict[str, str], **changes: str) -> Path:
    """A target file for it."""
    table = {**mock_target_table(base_url), "credentials": credentials, **changes}
    path.write_text(to_toml(table), encoding="utf-8")
    return path
