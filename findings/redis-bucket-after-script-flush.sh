#!/bin/sh
# pyrate-limiter 4.5.1's bucket in Redis loads its script once, when it is made: after SCRIPT FLUSH (as after a restart or a failover of
# the server) every use of the bucket raises redis-py's NoScriptError, for as long as the process lives. redis-py's own registered
# scripts load themselves again. Wants a `redis-server` (Debian's package of that name).
set -eu
command -v redis-server >/dev/null || { echo "install redis-server first"; exit 2; }
place=$(mktemp -d); trap 'kill "${server:-}" 2>/dev/null || true; rm -rf "$place"' EXIT; cd "$place"
python3 -m venv venv
venv/bin/pip install --quiet pyrate-limiter==4.5.1 redis==7.0.1
redis-server --port 0 --unixsocket "$place/socket" --save "" >server.log & server=$!
for _ in $(seq 50); do test -S socket && break; sleep 0.1; done
cat > limit.py <<'PY'
import redis
from pyrate_limiter import Duration, Limiter, Rate, RedisBucket

client = redis.Redis(unix_socket_path="socket")
limiter = Limiter(RedisBucket.init([Rate(100, Duration.MINUTE)], client, "calls"))
own = client.register_script("return 1")
print("before:", limiter.try_acquire("call"), own())
client.script_flush()
print("a registered script after SCRIPT FLUSH:", own())
for time in ("first", "second"):
    try:
        print(f"the bucket, the {time} time:", limiter.try_acquire("call"))
    except redis.exceptions.NoScriptError as error:
        print(f"the bucket, the {time} time:", type(error).__name__)
PY
venv/bin/python limit.py | tee seen
diff seen - <<'SEEN'
before: True 1
a registered script after SCRIPT FLUSH: 1
the bucket, the first time: NoScriptError
the bucket, the second time: NoScriptError
SEEN
