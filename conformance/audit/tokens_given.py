"""Which tokens the server has given, and which were used up, as far as a recording shows."""

from __future__ import annotations

from dataclasses import dataclass, field

from conformance.audit.call import Call, Came
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
