"""The shared store in Redis: for runs on several machines. Every instant is by the clock of the Redis server.

What must be atomic is a script, which Redis runs as one step; keys begin with the integrator's, so that several can share a
server.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any, Final
from urllib.parse import urlsplit

import redis
from pyrate_limiter import AbstractBucket, Rate, RedisBucket

from conformance.target.store import or_cannot_run

TIMEOUT_SECONDS: Final = 10.0

_NOW: Final = "local t = redis.call('TIME'); local now = tonumber(t[1]) + tonumber(t[2]) / 1000000;"

_MARK: Final = (
    _NOW
    + """
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[3])
local count = redis.call('ZCARD', KEYS[1])
if count >= tonumber(ARGV[2]) then
    local rank = count - tonumber(ARGV[2])
    local oldest = redis.call('ZRANGE', KEYS[1], rank, rank, 'WITHSCORES')[2]
    return tostring(math.max(0.001, oldest + ARGV[3] - now))
end
redis.call('ZADD', KEYS[1], now, ARGV[1])
return false
"""
)
_RENEW: Final = _NOW + "redis.call('ZADD', KEYS[1], now, ARGV[1])"
_LOCK: Final = """
local owner = redis.call('GET', KEYS[1])
if owner and owner ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
"""
_UNLOCK: Final = "if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end"
_CLAIM: Final = """
local begin = tonumber(redis.call('GET', KEYS[1]) or ARGV[1])
redis.call('SET', KEYS[1], string.format('%.0f', begin + ARGV[2]))
return begin
"""


class _Bucket(RedisBucket):
    """A bucket by the server's clock: those of the machines that share it may differ."""

    def now(self) -> int:
        server: Any = self.redis
        seconds, micros = server.time()
        return int(seconds) * 1000 + int(micros) // 1000


class RedisStore:
    """A store on a Redis server."""

    def __init__(self, url: str, key: str) -> None:
        """`key` tells integrators apart. Raises CannotRun where the server can't be reached."""
        self._place = place_of(url)
        self._prefix = f"koncili-conformance:{key}:"
        with self._or_cannot_run():
            self._redis: Any = redis.Redis.from_url(
                url, decode_responses=True, socket_timeout=TIMEOUT_SECONDS, socket_connect_timeout=TIMEOUT_SECONDS
            )
            self._redis.ping()
            scripts = {
                "mark": _MARK,
                "renew": _RENEW,
                "lock": _LOCK,
                "unlock": _UNLOCK,
                "claim": _CLAIM,
            }
            self._scripts = {name: self._redis.register_script(script) for name, script in scripts.items()}

    def now(self) -> float:
        """The instant by the server's clock."""
        with self._or_cannot_run():
            seconds, micros = self._redis.time()
            return float(seconds) + float(micros) / 1e6

    def mark(self, window: str, mark: str, *, at_most: int, seconds: float) -> float | None:
        """See Store."""
        left = self._run("mark", f"marks:{window}", mark, at_most, seconds)
        return None if left is None else float(left)

    def renew(self, window: str, mark: str) -> None:
        """See Store."""
        self._run("renew", f"marks:{window}", mark)

    def unmark(self, window: str, mark: str) -> None:
        """See Store."""
        with self._or_cannot_run():
            self._redis.zrem(self._key(f"marks:{window}"), mark)

    def marks(self, window: str, seconds: float) -> list[float]:
        """See Store."""
        since = self.now() - seconds
        with self._or_cannot_run():
            found = self._redis.zrangebyscore(self._key(f"marks:{window}"), f"({since}", "+inf", withscores=True)
            return [float(instant) for _, instant in found]

    def lock(self, name: str, owner: str, seconds: float) -> bool:
        """See Store."""
        return bool(self._run("lock", f"lock:{name}", owner, int(seconds * 1000)))

    def unlock(self, name: str, owner: str) -> None:
        """See Store."""
        self._run("unlock", f"lock:{name}", owner)

    def owner(self, name: str) -> str | None:
        """See Store."""
        with self._or_cannot_run():
            found: str | None = self._redis.get(self._key(f"lock:{name}"))
            return found

    def claim(self, counter: str, first: int, size: int) -> int:
        """See Store."""
        return int(self._run("claim", f"counter:{counter}", first, size))

    def put(self, key: str, value: str) -> None:
        """See Store."""
        with self._or_cannot_run():
            self._redis.hset(self._key("records"), key, value)

    def drop(self, *keys: str) -> None:
        """See Store."""
        with self._or_cannot_run():
            if keys:
                self._redis.hdel(self._key("records"), *keys)

    def records(self, prefix: str) -> Mapping[str, str]:
        """See Store."""
        with self._or_cannot_run():
            found: dict[str, str] = self._redis.hgetall(self._key("records"))
            return {key: found[key] for key in sorted(found) if key.startswith(prefix)}

    def bucket(self, name: str, limit: int, milliseconds: int) -> AbstractBucket:
        """See Store."""
        with self._or_cannot_run():
            made = _Bucket.init([Rate(limit, milliseconds)], self._redis, self._key(f"rate:{name}"))
            assert isinstance(made, _Bucket)
            return made

    def close(self) -> None:
        """See Store."""
        self._redis.close()

    def _key(self, name: str) -> str:
        return self._prefix + name

    def _run(self, script: str, key: str, *values: str | float) -> Any:
        with self._or_cannot_run():
            return self._scripts[script](keys=[self._key(key)], args=values)

    def _or_cannot_run(self) -> AbstractContextManager[None]:
        return or_cannot_run(self._place, redis.RedisError, OSError, ValueError)


def place_of(url: str) -> str:
    """The URL of a Redis server without its password."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname}:{parts.port or 6379}{parts.path}"
