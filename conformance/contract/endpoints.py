"""The documented endpoints, by OpenAPI operationId. The one place that knows a method or a path."""

from __future__ import annotations

from enum import Enum
from typing import Final


class Endpoint(Enum):
    """A documented endpoint; its value is its operationId in openapi.yaml."""

    CREATE_TOKEN = "createToken"  # noqa: S105 - a name, not a secret
    REFRESH_TOKEN = "refreshToken"  # noqa: S105
    LIST_ACCOUNTS = "listAccounts"
    SUBMIT_ORDER = "submitOrder"
    GET_ORDER = "getOrder"
    DELETE_ORDER = "deleteOrder"
    CREATE_RECONCILIATION = "createReconciliation"
    SUBMIT_RELEASE = "submitRelease"

    __hash__ = object.__hash__  # members are the same by identity; that of Enum is a function in Python

    @property
    def method(self) -> str:
        """The HTTP method."""
        return _BY_ID[self._value_][0]

    @property
    def path(self) -> str:
        """The path below the base URL."""
        return _BY_ID[self._value_][1]

    @property
    def needs_token(self) -> bool:
        """Whether calls carry `gumgaToken` and `integrator` (P: authentication flow)."""
        return self not in {Endpoint.CREATE_TOKEN, Endpoint.REFRESH_TOKEN}

    @property
    def label(self) -> str:
        """How people write it: `POST /order`."""
        return _BY_ID[self._value_][2]


_ROUTES = {
    Endpoint.CREATE_TOKEN: ("POST", "/public/api/auth/token"),
    Endpoint.REFRESH_TOKEN: ("POST", "/public/api/auth/refresh-token"),
    Endpoint.LIST_ACCOUNTS: ("GET", "/my-accounts"),
    Endpoint.SUBMIT_ORDER: ("POST", "/order"),
    Endpoint.GET_ORDER: ("GET", "/order"),
    Endpoint.DELETE_ORDER: ("DELETE", "/order"),
    Endpoint.CREATE_RECONCILIATION: ("POST", "/reconciliation"),
    Endpoint.SUBMIT_RELEASE: ("POST", "/reconciliation/release"),
}

_BY_ID: Final = {endpoint.value: (*route, " ".join(route)) for endpoint, route in _ROUTES.items()}
"""Method, path, and how people write both: by the id, since to look up a member takes several times as long."""

OTHER: Final = "other"
"""The label of all calls that no documented endpoint answers."""

_PATHS: Final = frozenset(path for _, path in _ROUTES.values())

_BY_ROUTE = {route: endpoint for endpoint, route in _ROUTES.items()}


def endpoint_of(method: str, path: str) -> Endpoint | None:
    """The endpoint that a request line addresses, or None where nothing documented answers."""
    return _BY_ROUTE.get((method.upper(), path))


def is_documented_path(path: str) -> bool:
    """Whether some documented endpoint has this path, by whatever method."""
    return path in _PATHS


TOKEN_HEADER = "gumgaToken"  # noqa: S105
INTEGRATOR_HEADER = "integrator"

# Names of the token answer's fields: inferred, so kept here alone.
ACCESS_TOKEN_FIELD = "accessToken"  # noqa: S105
REFRESH_TOKEN_FIELD = "refreshToken"  # noqa: S105
EXPIRES_IN_FIELD = "expiresIn"
CREDENTIALS_FIELD = "credentials"
