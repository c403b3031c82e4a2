"""What fills the placeholders of one example."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from conformance.run.session import Session
from conformance.target.wire.tokens import tokens_in


class Values(Mapping[str, str]):
    """What fills the placeholders of one example: codes that are new, and what the client holds."""

    def __init__(self, session: Session, known: Mapping[str, str]) -> None:
        self._known = dict(known)
        self._session = session

    def having(self, **more: str) -> Values:
        """These values and more."""
        return Values(self._session, {**self._known, **more})

    def __getitem__(self, name: str) -> str:
        if name not in self._known:
            client = self._session.client
            match name:
                case "token":
                    return client.access_token()
                case "credentials":
                    return client.credentials
                case "email":
                    return client.email
                case "refresh_token":
                    return tokens_in(client.create_token())[1] or ""
        return self._known[name]

    def __iter__(self) -> Iterator[str]:
        return iter((*self._known, "token", "credentials", "email", "refresh_token"))

    def __len__(self) -> int:
        return len(list(iter(self)))
