"""The shared store in Redis (or Valkey): for runs on several machines.

What must be atomic is a script, which Redis runs as one step; keys begin with the integrator's, so that several can share a
server. Instants are by the server's clock as it was when the store was made: where somebody sets it back the store's goes on
from where it was, and where it jumps ahead of the seconds that passed for whoever asks, these count.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import uuid4

import redis
from pyrate_limiter import AbstractBucket, Rate, RateItem, RedisBucket
from redis.backoff import ExponentialBackoff, NoBackoff
from redis.exceptions import BusyLoadingError, ConnectionError, NoScriptError, ReadOnlyError, TimeoutError
from redis.retry import Retry

from conformance.errors import CannotRun, StoreLost
from conformance.target.shared.store_base import TAKEN_FOR_DEAD, About, lost, or_cannot_run
from conformance.target.shared.uptime import since_boot

TIMEOUT_SECONDS: Final = 10.0

PASSING: Final = (ConnectionError, TimeoutError, BusyLoadingError, ReadOnlyError)
"""What a server answers, or doesn't, while it restarts or another takes its place."""

TRIES: Final = 12
LONGEST_PAUSE_SECONDS: Final = 1.0
"""Together some ten seconds, as a failover takes."""

JUMP_SECONDS: Final = 5.0
"""By how much the server's clock may be ahead of the seconds that passed here: requests take time."""

_AT_ONCE: Final = Retry(NoBackoff(), 0)

MARKS_KEPT: Final = 2000
"""More than any budget has. Marks are not removed by their age: a clock that jumped would remove them all."""

_SENTINEL: Final = "\x00identity"
"""In marks and records: where the server evicted or expired one of these keys, the whole counts as lost."""

# KEYS: about, then the script's own. ARGV: the identity that this run began with, the latest instant that it can be by the
# seconds that passed here (or nothing), by how much a server may be ahead of that, then the script's own.
_BEGIN: Final = """
local t = redis.call('TIME')
local server = tonumber(t[1]) + tonumber(t[2]) / 1000000
local known = redis.call('HMGET', KEYS[1], 'identity', 'offset', 'latest')
if ARGV[1] ~= known[1] then return redis.error_reply('LOST emptied or made anew') end
local now = server + tonumber(known[2])
local latest = tonumber(known[3])
local most = tonumber(ARGV[2])
if most and now > most + tonumber(ARGV[3]) then
    now = most
elseif now < latest then
    now = latest
end
redis.call('HSET', KEYS[1], 'offset', string.format('%.6f', now - server), 'latest', string.format('%.6f', now))
"""

_OPEN: Final = """
local t = redis.call('TIME')
local server = tonumber(t[1]) + tonumber(t[2]) / 1000000
local known = redis.call('HMGET', KEYS[1], 'identity', 'made', 'sequence', 'offset', 'latest')
if known[1] and redis.call('HGET', KEYS[2], ARGV[2]) == known[1] and ARGV[3] == '' then
    return {known[1], known[2], known[3]}
end
local now = math.max(server + tonumber(known[4] or 0), tonumber(known[5] or 0))
local made = string.format('%.6f', now)
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'identity', ARGV[1], 'made', made, 'sequence', '0',
    'offset', string.format('%.6f', now - server), 'latest', made)
redis.call('HSET', KEYS[2], ARGV[2], ARGV[1])
return {ARGV[1], made, '0'}
"""

_NOW: Final = "return string.format('%.6f', now)"

_MARK: Final = """
local mark, most_marks, seconds, record, sentinel, kept = ARGV[4], tonumber(ARGV[5]), ARGV[6], ARGV[7], ARGV[8], ARGV[9]
if redis.call('HGET', KEYS[3], sentinel) ~= ARGV[1] then return redis.error_reply('LOST stripped of its records') end
if record ~= '' and redis.call('HEXISTS', KEYS[3], record) == 0 then return redis.error_reply('DEAD') end
if not redis.call('ZSCORE', KEYS[2], sentinel) then
    if redis.call('HSETNX', KEYS[1], KEYS[2], '1') == 0 then return redis.error_reply('LOST stripped of its counts') end
    redis.call('ZADD', KEYS[2], 0, sentinel)
end
for _, future in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '(' .. string.format('%.6f', now), '+inf')) do
    redis.call('ZADD', KEYS[2], string.format('%.6f', now), future)
end
local since = '(' .. string.format('%.6f', now - tonumber(seconds))
local count = redis.call('ZCOUNT', KEYS[2], since, '+inf')
if count >= most_marks then
    local oldest = redis.call('ZRANGEBYSCORE', KEYS[2], since, '+inf', 'WITHSCORES', 'LIMIT', count - most_marks, 1)[2]
    return {tostring(math.max(0.001, oldest + seconds - now)), 0, string.format('%.6f', now)}
end
redis.call('ZADD', KEYS[2], string.format('%.6f', now), mark)
redis.call('ZREMRANGEBYRANK', KEYS[2], 1, -1 - tonumber(kept))
return {'', redis.call('HINCRBY', KEYS[1], 'sequence', 1), string.format('%.6f', now)}
"""
_ENTER: Final = """
for number = 4, #ARGV, 2 do
    local instant = now - math.max(0, tonumber(ARGV[number + 1]))
    local known = redis.call('ZSCORE', KEYS[2], ARGV[number])
    if not known or tonumber(known) < instant then
        redis.call('ZADD', KEYS[2], string.format('%.6f', instant), ARGV[number])
    end
end
"""
_RENEW: Final = "redis.call('ZADD', KEYS[2], string.format('%.6f', now), ARGV[4])"
_UNMARK: Final = "redis.call('ZREM', KEYS[2], ARGV[4])"
_MARKS: Final = """
local since = '(' .. string.format('%.6f', now - tonumber(ARGV[4]))
local found = redis.call('ZRANGEBYSCORE', KEYS[2], since, '+inf', 'WITHSCORES')
local instants = {}
for number = 2, #found, 2 do
    instants[#instants + 1] = string.format('%.6f', math.min(now, tonumber(found[number])))
end
return instants
"""
# A lock is its owner, a blank and until when: what Redis expires by itself, it expires by its own clock.
_HOLDER: Final = """
local holder, until_when = string.match(redis.call('HGET', KEYS[2], ARGV[4]) or '', '^(.*) (%S+)$')
if holder and now >= tonumber(until_when) then holder = nil end
"""
_LOCK: Final = (
    _HOLDER
    + """
if holder and holder ~= ARGV[5] then return 0 end
redis.call('HSET', KEYS[2], ARGV[4], ARGV[5] .. ' ' .. string.format('%.6f', now + tonumber(ARGV[6])))
return 1
"""
)
_UNLOCK: Final = _HOLDER + "if holder == ARGV[5] then redis.call('HDEL', KEYS[2], ARGV[4]) end"
_OWNER: Final = _HOLDER + "return holder"
_CLAIM: Final = """
local begin = tonumber(redis.call('GET', KEYS[2]) or ARGV[4])
redis.call('SET', KEYS[2], string.format('%.0f', begin + ARGV[5]))
return string.format('%.0f', begin)
"""
_PUT: Final = "redis.call('HSET', KEYS[2], ARGV[4], ARGV[5])"
_DROP: Final = "for number = 4, #ARGV do redis.call('HDEL', KEYS[2], ARGV[number]) end"
_RECORDS: Final = """
local found = redis.call('HGETALL', KEYS[2])
if #found == 0 then return redis.error_reply('LOST stripped of its records') end
return found
"""
_RATE: Final = """
local millis = string.format('%.0f', now * 1000)
for _, future in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '(' .. millis, '+inf')) do
    redis.call('ZADD', KEYS[2], millis, future)
end
return millis
"""

_SCRIPTS: Final = {
    "now": _NOW,
    "mark": _MARK,
    "enter": _ENTER,
    "renew": _RENEW,
    "unmark": _UNMARK,
    "marks": _MARKS,
    "lock": _LOCK,
    "unlock": _UNLOCK,
    "owner": _OWNER,
    "claim": _CLAIM,
    "put": _PUT,
    "drop": _DROP,
    "records": _RECORDS,
    "rate": _RATE,
}


class _Bucket(RedisBucket):
    """A bucket by the store's clock. Its script is loaded again where the server has forgotten it."""

    store: RedisStore

    def now(self) -> int:
        return self.store.rate_now(self.bucket_key)

    def put(self, item: RateItem) -> Any:
        with self.store.or_cannot_run():
            try:
                return super().put(item)
            except NoScriptError:
                loaded = RedisBucket.init(self.rates, self.redis, self.bucket_key)
                assert isinstance(loaded, RedisBucket)
                self.script_hash = loaded.script_hash
                return super().put(item)

    def leak(self, current_timestamp: int | None = None) -> Any:
        with self.store.or_cannot_run():
            return super().leak(current_timestamp)


class RedisStore:
    """A store on a Redis server."""

    def __init__(self, url: str, key: str, seen: Mapping[str, tuple[float, float]] | None = None) -> None:
        """`key` tells integrators apart; `seen` is an instant that this machine saw of a store by its identity, and the
        seconds since boot at which it did. Raises CannotRun where the server can't be reached."""
        self.lost: StoreLost | None = None
        self._place = place_of(url)
        self._prefix = f"koncili-conformance:{key}:"
        self._seen: tuple[float, float] | None = None
        with or_cannot_run(self._place, redis.RedisError, OSError, ValueError):
            self._redis: Any = redis.Redis.from_url(
                url, decode_responses=True, socket_timeout=TIMEOUT_SECONDS, socket_connect_timeout=TIMEOUT_SECONDS,
                retry=_AT_ONCE,
            )  # fmt: skip
            self._redis.ping()  # the first time at once, or not at all
            self._redis.set_retry(Retry(ExponentialBackoff(LONGEST_PAUSE_SECONDS, 0.05), TRIES, PASSING))
            self._scripts = {name: self._redis.register_script(_BEGIN + script) for name, script in _SCRIPTS.items()}
            self._open = self._redis.register_script(_OPEN)
        self._begin()
        self._seen = (seen or {}).get(self._about.identity)

    def _begin(self, *, another: bool = False) -> None:
        keys = [self._key(name) for name in ("about", "records")]
        with self.or_cannot_run():
            identity, made, sequence = self._open(
                keys=keys, args=[uuid4().hex[:12], _SENTINEL, "another" if another else ""]
            )
        self._about = About(identity, float(made), int(sequence))

    def about(self) -> About:
        """See Store."""
        return self._about

    def start_anew(self, *, under_another_identity: bool = False) -> None:
        """See Store."""
        self._seen, before = None, self._about.identity
        self._begin(another=under_another_identity)
        if self._about.identity == before:  # a part of it is there
            self._begin(another=True)

    def warnings(self) -> tuple[str, ...]:
        """See Store."""
        with self.or_cannot_run():
            told = _of_memory(self._place, self._info("memory"))
            if str(self._info("persistence").get("aof_enabled")) == "0":
                told += _of_persistence(self._place, self._setting("save"))
        return tuple(told)

    def doubted(self) -> int:
        """See Store. By itself it knows of none."""
        return 0

    def _info(self, section: str) -> Mapping[str, Any]:
        """What the server tells; nothing where a managed one refuses."""
        try:
            found: Mapping[str, Any] = self._redis.info(section)
        except redis.ResponseError:
            return {}
        return found

    def _setting(self, name: str) -> str | None:
        try:
            found = self._redis.config_get(name).get(name)
        except redis.ResponseError:
            return None
        return None if found is None else str(found)

    def now(self) -> float:
        """The instant by the clock of the store."""
        before = since_boot()
        now = float(self._run("now"))
        self._seen = before, now
        return now

    def told(self) -> float:
        """See Store."""
        return self.now() if self._seen is None else self._seen[1]

    def rate_now(self, bucket: str) -> int:
        """The same in milliseconds; what a rate has of the future counts as now."""
        return int(self._run("rate", keys=[bucket]))

    def mark(self, window: str, mark: str, *, at_most: int, seconds: float, record: str | None = None) -> float | None:
        """See Store."""
        keys, before = [self._key(f"marks:{window}"), self._key("records")], since_boot()
        left, sequence, now = self._run("mark", mark, at_most, seconds, record or "", _SENTINEL, MARKS_KEPT, keys=keys)
        self._seen = before, float(now)
        if left:
            return float(left)
        if int(sequence) <= self._about.sequence:
            raise lost(self._place, "the store was set back to an earlier state")
        self._about = About(self._about.identity, self._about.made_at, int(sequence))
        return None

    def enter(self, window: str, ages: Mapping[str, float]) -> None:
        """See Store."""
        parts = [part for pair in ages.items() for part in pair]
        if parts:
            self._run("enter", *parts, keys=[self._key(f"marks:{window}")])

    def renew(self, window: str, mark: str) -> None:
        """See Store."""
        self._run("renew", mark, keys=[self._key(f"marks:{window}")])

    def unmark(self, window: str, mark: str) -> None:
        """See Store."""
        self._run("unmark", mark, keys=[self._key(f"marks:{window}")])

    def marks(self, window: str, seconds: float) -> list[float]:
        """See Store."""
        return [float(instant) for instant in self._run("marks", seconds, keys=[self._key(f"marks:{window}")])]

    def lock(self, name: str, owner: str, seconds: float) -> bool:
        """See Store."""
        return bool(self._run("lock", name, owner, seconds, keys=[self._key("locks")]))

    def unlock(self, name: str, owner: str) -> None:
        """See Store."""
        self._run("unlock", name, owner, keys=[self._key("locks")])

    def owner(self, name: str) -> str | None:
        """See Store."""
        found: str | None = self._run("owner", name, keys=[self._key("locks")])
        return found

    def claim(self, counter: str, first: int, size: int) -> int:
        """See Store."""
        return int(self._run("claim", first, size, keys=[self._key(f"counter:{counter}")]))

    def put(self, key: str, value: str) -> None:
        """See Store."""
        self._run("put", key, value, keys=[self._key("records")])

    def drop(self, *keys: str) -> None:
        """See Store."""
        if keys:
            self._run("drop", *keys, keys=[self._key("records")])

    def records(self, prefix: str) -> Mapping[str, str]:
        """See Store."""
        flat = self._run("records", keys=[self._key("records")])
        found = dict(zip(flat[::2], flat[1::2], strict=True))
        return {key: found[key] for key in sorted(found) if key.startswith(prefix) and key != _SENTINEL}

    def bucket(self, name: str, limit: int, milliseconds: int) -> AbstractBucket:
        """See Store."""
        with self.or_cannot_run():
            made = _Bucket.init([Rate(limit, milliseconds)], self._redis, self._key(f"rate:{name}"))
            assert isinstance(made, _Bucket)
            made.store = self
            return made

    def close(self) -> None:
        """See Store."""
        self._redis.close()

    def _key(self, name: str) -> str:
        return self._prefix + name

    def _run(self, script: str, *values: str | float, keys: list[str] | None = None) -> Any:
        """Run a script, unless the store is another one by now. Raises StoreLost, CannotRun."""
        most = self._latest()
        with self.or_cannot_run():
            try:
                return self._scripts[script](
                    keys=[self._key("about"), *(keys or [])],
                    args=[self._about.identity, "" if most is None else most, JUMP_SECONDS, *values],
                )
            except redis.ResponseError as error:
                kind, _, what = str(error).partition(" ")
                if kind == "DEAD":
                    raise CannotRun(TAKEN_FOR_DEAD) from None
                if kind != "LOST":
                    raise
                raise lost(self._place, f"the store was {what}") from None

    def _latest(self) -> float | None:
        """What the instant is by the seconds that passed here since the store told one; None where it told none yet."""
        return None if self._seen is None else self._seen[1] + since_boot() - self._seen[0]

    @contextmanager
    def or_cannot_run(self) -> Iterator[None]:
        """Raises CannotRun in place of what the server's client raises. A server that was waited for once is not waited for with
        all that a run does to end."""
        with or_cannot_run(self._place, redis.RedisError, OSError, ValueError):
            try:
                yield
            except PASSING:
                self._redis.set_retry(_AT_ONCE)
                raise


def place_of(url: str) -> str:
    """The URL of a Redis server without its password."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname}:{parts.port or 6379}{parts.path}"


def _of_persistence(place: str, save: str | None) -> list[str]:
    """What to say of a server without an append-only file; `save` is its setting, None where it is not told."""
    if save is None:
        return []
    keeps = f"saves only from time to time (save {save})" if save.strip() else "keeps nothing on disk"
    return [
        f"{place} {keeps}: when it restarts it has forgotten what runs of this integrator have spent and left; "
        "set `appendonly yes` there (docs/safety.md)"
    ]


def _of_memory(place: str, memory: Mapping[str, Any]) -> list[str]:
    """What to say of a server that may throw away what it was given to keep."""
    policy = str(memory.get("maxmemory_policy", ""))
    if not memory.get("maxmemory") or not policy.startswith("allkeys"):
        return []
    return [
        f"{place} throws away any key when its memory is full (maxmemory-policy {policy}), what runs of this integrator have "
        "spent and left too; set `maxmemory-policy noeviction` there"
    ]
