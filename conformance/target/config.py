"""The target file (TOML): whom a run talks to. Every error names the key and the remedy."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from datetime import date, timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from urllib.parse import SplitResult, urlsplit
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator, model_validator

from conformance.contract.callbacks import callback_fault
from conformance.contract.readings import resolve
from conformance.contract.rules import stated_rules
from conformance.durations import seconds_of
from conformance.errors import CannotRun
from conformance.target.wire.http.building import URL, InvalidURL

LOOPBACK = {"127.0.0.1", "localhost", "::1"}
CALLBACK_PORT = 9100


LARGEST_BUDGET = 450
"""As many client errors an hour as any target file may allow: well below the 500 at which Koncili blocks an integrator."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


def _parts(url: str) -> SplitResult:
    """The parts of a URL, all empty where it is none: Python's own message would repeat it, and a password in it."""
    try:
        return urlsplit(url)
    except ValueError:
        return urlsplit("")


class Place(_Strict):
    """An account on a channel."""

    id: int
    channel: Annotated[str, Field(min_length=1)]


class OrderAt(Place):
    """An order on an account's channel, by its marketplaceCode."""

    marketplace_code: Annotated[str, Field(min_length=1, alias="marketplaceCode")]


class Fixtures(_Strict):
    """What the target has ready; each lets more rules be exercised."""

    inactive_account: Place | None = None
    disabled_account: Place | None = None
    unauthorised_channel: Place | None = None
    foreign_order: OrderAt | None = None
    callback_url: str | None = None
    """Where the target sends notifications."""
    callback_listen: Annotated[str, Field(pattern=r"^[^:\s]+:\d{1,5}$")] | None = None
    """host:port of this machine to which a public callback_url is forwarded."""

    @field_validator("callback_url")
    @classmethod
    def _callback(cls, url: str | None) -> str | None:
        fault = callback_fault(url) if url is not None else ""
        if fault:
            raise ValueError(fault)
        return url

    @property
    def callback_address(self) -> tuple[str, int]:
        """Where the suite listens for notifications: callback_listen, else callback_url itself where it is loopback,
        else port 9100 of this machine."""
        if self.callback_listen is not None:
            host, _, port = self.callback_listen.rpartition(":")
            return host, int(port)
        parts = urlsplit(self.callback_url or "")
        if parts.hostname in LOOPBACK:
            return parts.hostname or "", parts.port or 80
        return "127.0.0.1", CALLBACK_PORT

    def has(self, name: str) -> bool:
        """Whether the fixture of that name is there."""
        return getattr(self, name, None) is not None


SHORTEST_SPAN: Final = timedelta(days=120)
"""What [dates] must leave at least: the dates of one order are up to two months apart, and of periods some last a month."""

EARLIEST: Final = date(2020, 1, 1)
"""Orders begin no earlier: older ones are a rule of their own (ERR-06)."""


class Span(_Strict):
    """The first day and the day after the last (UTC)."""

    first: Annotated[date, Field(alias="from")]
    last: Annotated[date, Field(alias="to")]

    @model_validator(mode="after")
    def _long_enough(self) -> Span:
        if self.last - self.first < SHORTEST_SPAN:
            raise ValueError(f"must span at least {SHORTEST_SPAN.days} days")
        return self


class Dates(_Strict):
    """When orders and periods are drawn to be; left out, where S2's example has them: years ago."""

    orders: Span | None = None
    periods: Span | None = None

    @field_validator("orders")
    @classmethod
    def _not_too_old(cls, orders: Span | None) -> Span | None:
        if orders is not None and orders.first < EARLIEST:
            raise ValueError(f"must not begin before {EARLIEST}")
        return orders


class About(_Strict):
    """Whose the target is, which version of it, and whom to ask about it: the certificate says so."""

    owner: str = ""
    version: str = ""
    contact: str = ""


class Credentials(_Strict):
    """Email and password, or the names of the environment variables that hold them."""

    email: str | None = Field(default=None, repr=False)
    password: str | None = Field(default=None, repr=False)
    email_env: str | None = None
    password_env: str | None = None

    @model_validator(mode="after")
    def _each_once(self) -> Credentials:
        faults = [
            f"give either {name} or {name}_env"
            for name in ("email", "password")
            if (getattr(self, name) is None) == (getattr(self, f"{name}_env") is None)
        ]
        if faults:
            raise ValueError("; ".join(faults))
        return self

    @field_validator("email_env", "password_env")
    @classmethod
    def _variable(cls, name: str | None) -> str | None:
        if name is not None and not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
            raise ValueError("must be the name of an environment variable, not a value")  # which may be a secret
        return name

    def values(self, environment: Mapping[str, str] = os.environ) -> tuple[str, str]:
        """Email and password. Raises CannotRun that names every environment variable that is not set."""
        unset = [
            f"credentials.{name}_env names {_variable(variable)} before the run"
            for name, variable in (("email", self.email_env), ("password", self.password_env))
            if variable is not None and not environment.get(variable)  # CI systems set an unknown secret to ""
        ]
        if unset:
            raise CannotRun("\n".join(unset))
        email = self.email if self.email_env is None else environment[self.email_env]
        password = self.password if self.password_env is None else environment[self.password_env]
        for name, value in (("email", email), ("password", password)):
            if value is not None and not _is_text(value):
                raise CannotRun(f"credentials.{name} is not UTF-8; give it in that encoding")
        return email or "", password or ""


_CONVENTIONAL = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)+")


def _variable(name: str) -> str:
    """A variable that is not set, by its name if it looks like one: the key may hold the password itself by mistake."""
    if _CONVENTIONAL.fullmatch(name):
        return f"the environment variable {name}, which is not set; export {name}"
    return "an environment variable, not shown here, which is not set; export it"


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def one_spelling(base_url: str) -> str:
    """The base URL as stores and certificates know it. Raises ValueError where it is none that a target can have."""
    parts = _parts(base_url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("must be a URL such as https://koncili.example")
    if parts.username or parts.password:
        raise ValueError("must hold no user name or password; they belong in [credentials]")
    if parts.query or parts.fragment:
        raise ValueError("must hold neither a query nor a fragment; paths are added to it")
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        raise ValueError("must be https: over http anybody on the way could read the token (loopback excepted)")
    try:
        port = parts.port
    except ValueError:
        raise ValueError("must hold no port, or one from 0 to 65535") from None
    try:
        URL(base_url).host.encode("idna")
    except (UnicodeError, InvalidURL):
        raise ValueError("must name a host: labels of 1 to 63 letters, digits or hyphens, with dots between") from None
    # One spelling for each target: the budget's store is keyed by it.
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    shown = "" if port in {None, {"http": 80, "https": 443}[parts.scheme]} else f":{port}"
    return f"{parts.scheme}://{host}{shown}{parts.path.rstrip('/')}"


class Target(_Strict):
    """A target as its file describes it. `error_budget` counts 4xx answers in any rolling hour."""

    name: Annotated[str, Field(min_length=1)]
    environment: Literal["mock", "sandbox", "production"]
    base_url: str
    integrator: UUID
    pace: Literal["documented", "unlimited"] = "documented"
    error_budget: Annotated[int, Field(ge=1, le=LARGEST_BUDGET)] = 400
    coordination: str = "sqlite"
    reconciles_in: Annotated[float, Field(ge=0)] | None = None
    """How many seconds it takes to reconcile, as far as is known: plans tell by it how long a run takes."""
    credentials: Credentials
    accounts: tuple[Place, ...]
    fixtures: Fixtures = Fixtures()
    readings: Mapping[str, str] = Field(default_factory=dict)
    dates: Dates = Dates()
    about: About = About()
    not_exercised: Mapping[str, str] = Field(default_factory=dict)
    """Rules that this target can't show, and why: the gate refuses others that were not exercised."""

    @property
    def host(self) -> str:
        """The host of the base URL."""
        return urlsplit(self.base_url).hostname or ""

    @property
    def store_password(self) -> str | None:
        """The password of the Redis server, where there is one."""
        return urlsplit(self.coordination).password if "://" in self.coordination else None

    @property
    def is_loopback(self) -> bool:
        """Whether the base URL is this machine."""
        return self.host in LOOPBACK

    @property
    def has_budget(self) -> bool:
        """Whether client errors are budgeted. Loopback may lead to a live endpoint: only a mock goes without a budget."""
        return self.environment != "mock" or self.pace == "documented"

    @field_validator("base_url")
    @classmethod
    def _url(cls, url: str) -> str:
        return one_spelling(url)

    @field_validator("coordination")
    @classmethod
    def _store(cls, store: str) -> str:
        if store != "sqlite" and not store.startswith(("sqlite:", "redis://", "rediss://")):
            raise ValueError("must be sqlite, sqlite:PATH or redis://HOST:PORT/DATABASE")
        return store

    @field_validator("reconciles_in", mode="before")
    @classmethod
    def _duration(cls, duration: object) -> object:
        return seconds_of(duration) if isinstance(duration, str) else duration

    @field_validator("readings")
    @classmethod
    def _readings(cls, readings: Mapping[str, str]) -> Mapping[str, str]:
        resolve(readings)
        return readings

    @field_validator("not_exercised", mode="before")
    @classmethod
    def _stated(cls, stated: object) -> Mapping[str, str]:
        return stated_rules(stated)

    @field_validator("accounts")
    @classmethod
    def _some(cls, accounts: tuple[Place, ...]) -> tuple[Place, ...]:
        if not accounts:
            raise ValueError("must hold at least 1 account; add [[accounts]] with id and channel")
        return accounts

    @field_validator("pace")
    @classmethod
    def _paced(cls, pace: str, info: ValidationInfo) -> str:
        base_url = info.data.get("base_url")
        if pace == "unlimited" and base_url is not None and urlsplit(base_url).hostname not in LOOPBACK:
            raise ValueError('"unlimited" is for loopback only; leave it out to keep the documented rates')
        return pace


_REMEDIES = {
    "missing": "is missing; add it (docs/target-file.md; `init` writes one)",
    "extra_forbidden": "is not a key of the target file; remove it or mend its spelling",
    "less_than_equal": "is more than {le}: at 500 client errors within an hour Koncili blocks the integrator",
    "uuid_parsing": "is not a UUID such as 3f0e0f64-8c55-4a7e-9d7e-2f1f0a4c9a11",
}


def load_target(path: Path) -> Target:
    """The target that the file describes. Raises CannotRun that names file, key and remedy for every fault in it."""
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8-sig"))  # editors of Windows begin it with a byte order mark
    except FileNotFoundError:
        raise CannotRun(
            f"{path}: there is no such target file; `koncili-conformance mock --target-file {path}` writes one for the mock"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise CannotRun(f"{path}: cannot be read: {error}") from None
    except tomllib.TOMLDecodeError as error:
        raise CannotRun(f"{path}: is not TOML: {error}") from None
    return parse_target(raw, str(path))


def parse_target(raw: Mapping[str, Any], origin: str) -> Target:
    """The target in a parsed target file; `origin` is how errors name the file. Raises CannotRun."""
    try:
        return Target.model_validate(raw)
    except ValidationError as error:
        lines = [f"{origin}: {_key(_shown(fault))}{_complaint(fault)}" for fault in error.errors()]
        raise CannotRun("\n".join(lines)) from None


def _shown(fault: Mapping[str, Any]) -> tuple[str | int, ...]:
    """Where a fault is. An unknown key of [credentials] is named only if it looks like a known one: it may be one itself."""
    *table, key = fault["loc"] or ("",)
    known = [*Credentials.model_fields, *Target.model_fields]
    if fault["type"] == "extra_forbidden" and table == ["credentials"] and not get_close_matches(str(key), known):
        return ("credentials", "(not shown)")
    return tuple(fault["loc"])


def _key(location: tuple[str | int, ...]) -> str:
    key = ""
    for part in location:
        key += f"[{part}]" if isinstance(part, int) else f".{part}" if key else part
    return f"{key} " if key else ""


def _complaint(fault: Mapping[str, Any]) -> str:
    remedy = _REMEDIES.get(fault["type"])
    if remedy is not None:
        return remedy.format(**fault.get("ctx", {}))
    message: str = fault["msg"]
    return message.removeprefix("Value error, ")
