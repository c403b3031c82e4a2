"""Which tokens the server has given, and which were used up, as far as a recording shows."""

from __future__ import annotations

from dataclasses import dataclass, field

from conformance.audit.call import Call, Came
from conformance.audit.masks import is_masked
from conformance.contract.endpoints import ACCESS_TOKEN_FIELD, REFRESH_TOKEN_FIELD, Endpoint


@dataclass(slots=True)
class TokensGiven:
    """Tokens by their values."""

    access: dict[str, list[Call]] = field(default_factory=dict)
    """Access tokens by the calls that were answered with them."""
    used_up: dict[str, list[Call]] = field(default_factory=dict)
    """Refresh tokens by the calls that used them up."""
    refresh: dict[str, int] = field(default_factory=dict)
    """How often each refresh token was given."""
    beside: dict[str, tuple[Call, str]] = field(default_factory=dict)
    """By refresh token the access token that was given with it, and the call."""
    _kept: set[str] = field(default_factory=set)
    """Refresh tokens that were given in place of themselves: what stands there is no token."""

    def is_blotted(self, refresh_token: str) -> bool:
        """Whether the recording has the same text for several tokens."""
        return refresh_token in self._kept or refresh_token in self.access or self.refresh.get(refresh_token, 0) > 1

    def is_access_token(self, token: str) -> bool:
        """Whether it was given as an access token, and as no refresh token: a recorder has one text for both."""
        return token in self.access and not self.refresh.get(token) and not is_masked(token)

    def take(self, call: Call) -> None:
        """Take note of what a call for a token was answered."""
        answered = call.answered
        if call.endpoint is Endpoint.REFRESH_TOKEN:
            used = call.body.get(REFRESH_TOKEN_FIELD)
            if isinstance(used, str) and call.came is Came.ACCEPTED:
                self.used_up.setdefault(used, []).append(call)
        if call.came is not Came.ACCEPTED or not isinstance(answered, dict):
            return
        if isinstance(token := answered.get(ACCESS_TOKEN_FIELD), str):
            self.access.setdefault(token, []).append(call)
        if isinstance(token := answered.get(REFRESH_TOKEN_FIELD), str):
            self.refresh[token] = self.refresh.get(token, 0) + 1
            if call.endpoint is Endpoint.REFRESH_TOKEN and token == call.body.get(REFRESH_TOKEN_FIELD):
                self._kept.add(token)
            if isinstance(access := answered.get(ACCESS_TOKEN_FIELD), str):
                self.beside[token] = call, access
