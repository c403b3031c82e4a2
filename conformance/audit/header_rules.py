"""The rules of the two headers that every call carries.

A recorder that leaves secrets out does so everywhere: that one is missing shows only beside calls that were taken.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from conformance.audit.call import BAD_REQUEST, OF_TOKENS, Call, Came
from conformance.audit.findings import Findings
from conformance.audit.masks import is_masked
from conformance.contract.endpoints import INTEGRATOR_HEADER, TOKEN_HEADER
from conformance.traffic.exchange import Missing

TOKEN, INTEGRATOR = "AUTH-03", "CLI-14"

NO_HEADERS: Final = "the headers were not recorded"
LEFT_OUT: Final = f"the recorder leaves {TOKEN_HEADER} out: calls that were taken have none either"

UNTOLD: Final = "no headers of Koncili's were recorded in any call, and no answer tells whether there were some"
BLOTS_OUT: Final = (
    f"the recorder blots out {TOKEN_HEADER}, and calls that were taken have no {INTEGRATOR_HEADER} header"
)

SHARED: Final = "one access token was sent with the UUIDs of several integrators, of which it can be one's only"

BLOTTED_OUT: Final = "the recorder has blotted out the integrator"

MOST_HELD: Final = 1_000
"""After so many calls of a recording without a token none of which was taken, none was sent."""

_DIGEST: Final = re.compile(r"[0-9a-fA-F]{40}|[0-9a-fA-F]{64}")
"""Stands in place of an integrator in recordings that hold digests of secrets."""

_AROUND: Final = " {}[]()<>"
"""Signs in which some print a UUID, which no recorder does."""

_PLACE_HOLDER: Final = re.compile(r"\$?\{\{?[\w .-]+\}?\}|<[\w .-]+>|%\(?\w+\)?s?%?", re.ASCII)

_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


class Headers:
    """Judges whether calls carry them."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._held: dict[str, list[tuple[str, Call]]] = {}
        """By recording the calls without a token of which a rule is broken, unless the recorder left it out."""
        self._shows: set[str] = set()
        """Recordings in which calls have a token."""
        self._leaves_out: set[str] = set()
        """Those in which a call was taken that has none."""
        self._never_sent: set[str] = set()
        self._names: set[str] = set()
        """Recordings in which calls have an integrator's header."""
        self._tells: set[str] = set()
        """Recordings in which calls have an integrator that is a UUID."""
        self._place_holders: list[Call] = []
        """Calls with a name in place of the integrator, as of templates."""
        self._beside_blots: dict[str, list[Call]] = {}
        """By recording the calls without it whose token the recorder has blotted out."""
        self._taken: set[str] = set()
        """Recordings in which such a call was taken."""
        self._integrators: dict[object, str] = {}
        """By access token the integrator beside which it came first."""

    def take(self, call: Call, *, is_odd: bool = False) -> None:
        """Judge a call. `is_odd`: what it carries for a token is something else."""
        if call.endpoint is None or call.endpoint in OF_TOKENS:
            return
        if not is_odd:
            self._judge_token(call)
        self._judge_integrator(call)

    def finish(self) -> None:
        """Judge those of which only the whole recording shows whether the recorder left their headers out."""
        for file, held in sorted(self._held.items()):
            like_others = file not in self._shows and bool(self._leaves_out)
            if file in self._leaves_out or like_others:
                for rule, _ in held:
                    self._findings.cannot_tell(rule, LEFT_OUT)
            else:
                self._tell(held)
        self._held.clear()
        for call in self._place_holders:
            if call.origin.file in self._tells:  # else the recorder may have put it there
                self._is_no_uuid(call)
            else:
                self._findings.cannot_tell(INTEGRATOR, BLOTTED_OUT)
        self._place_holders.clear()
        for file, calls in sorted(self._beside_blots.items()):
            for call in calls:
                if file in self._names or file not in self._taken:
                    self._missed(INTEGRATOR, call)
                else:
                    self._findings.cannot_tell(INTEGRATOR, BLOTS_OUT)
        self._beside_blots.clear()

    def _judge_token(self, call: Call) -> None:
        header = call.token_header
        if isinstance(header, str) and header.strip():
            self._shows.add(call.origin.file)
            self._findings.keeps(TOKEN, call)
        elif call.came is Came.ACCEPTED:  # else it would not have been taken
            self._findings.keeps(TOKEN, call)
            if not isinstance(header, Missing):
                self._leaves_out.add(call.origin.file)
        elif isinstance(header, Missing):
            self._findings.cannot_tell(TOKEN, NO_HEADERS)
        elif call.is_without_token:
            self._hold(TOKEN, call)
        else:
            if _shows_a_token(call):
                self._leaves_out.add(call.origin.file)
            self._findings.cannot_tell(TOKEN, f"no {TOKEN_HEADER} was recorded, and the answer does not tell")

    def _judge_integrator(self, call: Call) -> None:
        value = call.integrator
        token = call.token_header
        if isinstance(value, str) and value.strip():
            self._names.add(call.origin.file)
        if isinstance(value, Missing):
            self._findings.cannot_tell(INTEGRATOR, NO_HEADERS)
        elif value is None or not value.strip():
            if isinstance(token, str) and token.strip():
                self._judge_beside(token, call)
            elif call.came is Came.ACCEPTED:
                self._findings.cannot_tell(INTEGRATOR, NO_HEADERS)
            else:
                self._hold(INTEGRATOR, call)
        elif _is_uuid(value):
            self._tells.add(call.origin.file)
            known = self._integrators.setdefault(token, value.strip().lower()) if _is_told(token) else None
            if known is None or known == value.strip().lower():
                self._findings.keeps(INTEGRATOR, call)
            else:
                self._findings.cannot_tell(INTEGRATOR, SHARED)
        elif _PLACE_HOLDER.fullmatch(value) and len(self._place_holders) < MOST_HELD:
            self._place_holders.append(call)
        elif (is_masked(value) and not _is_uuid(value.strip(_AROUND))) or _DIGEST.fullmatch(value):
            self._findings.cannot_tell(INTEGRATOR, BLOTTED_OUT)
        else:
            self._is_no_uuid(call)

    def _is_no_uuid(self, call: Call) -> None:
        says, value = f"the {INTEGRATOR_HEADER} header is no UUID", call.integrator
        self._findings.breaks(
            INTEGRATOR,
            call,
            says,
            pointer=f"header {INTEGRATOR_HEADER}",
            value=value if isinstance(value, str) else None,
            cause="no UUID",
        )

    def _judge_beside(self, token: str, call: Call) -> None:
        """A call with a token and without an integrator: a recorder that blots tokens out may leave other headers out."""
        file = call.origin.file
        if not is_masked(token) or file in self._names:
            self._missed(INTEGRATOR, call)
            return
        if call.came is Came.ACCEPTED:
            self._taken.add(file)
        held = self._beside_blots.setdefault(file, [])
        if len(held) < MOST_HELD:
            held.append(call)
        elif file in self._taken:
            self._findings.cannot_tell(INTEGRATOR, BLOTS_OUT)
        else:
            self._missed(INTEGRATOR, call)

    def _hold(self, rule: str, call: Call) -> None:
        file = call.origin.file
        if file in self._leaves_out:
            self._findings.cannot_tell(rule, LEFT_OUT)
        elif file in self._never_sent:
            self._missed(rule, call)
        else:
            held = self._held.setdefault(file, [])
            held.append((rule, call))
            if len(held) > MOST_HELD:
                self._never_sent.add(file)
                self._tell(self._held.pop(file))

    def _tell(self, held: list[tuple[str, Call]]) -> None:
        for rule, call in held:
            file = call.origin.file
            is_answered = call.came is Came.REFUSED or call.is_without_token
            if is_answered or file in self._shows or file in self._names or file in self._never_sent:
                self._missed(rule, call)
            else:
                self._findings.cannot_tell(rule, UNTOLD)

    def _missed(self, rule: str, call: Call) -> None:
        if rule == TOKEN:
            self._findings.breaks(rule, call, f"there is no {TOKEN_HEADER}", pointer=f"header {TOKEN_HEADER}")
        else:
            says = f"there is no {INTEGRATOR_HEADER} header"
            self._findings.breaks(rule, call, says, pointer=f"header {INTEGRATOR_HEADER}")


def _shows_a_token(call: Call) -> bool:
    """Whether its refusal shows that it had a token: without one all else is not looked at (AUTH-03)."""
    code = call.error_code
    if call.status == BAD_REQUEST and call.is_answer_left_out:
        return True
    return call.came is Came.REFUSED and code is not None and "-" in code


def _is_told(token: str | Missing | None) -> bool:
    return isinstance(token, str) and bool(token.strip()) and not is_masked(token)


@lru_cache(maxsize=256)
def _is_uuid(value: str) -> bool:
    return _UUID.fullmatch(value.strip()) is not None
