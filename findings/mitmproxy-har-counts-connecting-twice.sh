#!/bin/sh
# mitmproxy 11.0.2, a HAR by `hardump`: the `time` of a call for which it connected to the server is longer than the call took, by the time of connecting:
# that is within `wait`, and added once more. Whoever reckons the end of a call as startedDateTime + time finds calls side by side that were not.
set -eu
place=$(mktemp -d); trap 'kill "${server:-}" "${proxy:-}" 2>/dev/null || true; rm -rf "$place"' EXIT; cd "$place"
python3 -m venv venv
venv/bin/pip install --quiet mitmproxy==11.0.2
cat > serve.py <<'PY'
import http.server
http.server.SimpleHTTPRequestHandler.protocol_version = "HTTP/1.1"
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
print(server.server_port, file=open("port", "w"), flush=True)
server.serve_forever()
PY
python3 serve.py 2>/dev/null & server=$!
until [ -s port ]; do sleep 0.1; done
own=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
HOME=$place venv/bin/mitmdump --quiet --mode "reverse:http://127.0.0.1:$(cat port)" --listen-host 127.0.0.1 --listen-port "$own" \
  --set connection_strategy=lazy --set hardump=day.har & proxy=$!
cat > call.py <<'PY'
import http.client, sys, time
for _ in range(300):
    try:
        connection = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=10)
        connection.connect()
        break
    except OSError:
        time.sleep(0.1)
for _ in range(2):
    connection.request("GET", "/port")
    connection.getresponse().read()
PY
python3 call.py "$own"
kill -INT $proxy; wait $proxy || true
cat > look.py <<'PY'
import json
for name, entry in zip(("first", "second"), json.load(open("day.har"))["log"]["entries"]):
    timings = entry["timings"]
    took = sum(timings[part] for part in ("send", "wait", "receive"))
    added = entry["time"] - took
    print(f"{name}: connect {'told' if timings['connect'] > 0 else 'not told'},",
          "added to time" if abs(added - timings["connect"]) < 0.001 else "nothing added" if abs(added) < 0.001 else added)
PY
python3 look.py | tee seen
diff seen - <<'SEEN'
first: connect told, added to time
second: connect not told, nothing added
SEEN
