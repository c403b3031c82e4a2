#!/bin/sh
# waitress 3.0.2: after server.close() a connection that a client keeps alive is still answered, and run() does not return.
# Only listening ends: who stops a mock between two tests finds the next test's client answered by the old one.
set -eu
place=$(mktemp -d); trap 'rm -rf "$place"' EXIT; cd "$place"
python3 -m venv venv
venv/bin/pip install --quiet waitress==3.0.2
cat > closed.py <<'CLOSED'
import http.client, threading
from waitress import create_server

def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "2")])
    return [b"ok"]

server = create_server(app, host="127.0.0.1", port=0)
thread = threading.Thread(target=server.run, daemon=True)
thread.start()
kept = http.client.HTTPConnection("127.0.0.1", server.effective_port, timeout=10)

def answer(connection):
    try:
        connection.request("GET", "/")
        return connection.getresponse().read().decode()
    except OSError as error:
        return type(error).__name__

print("before close:", answer(kept))
server.close()
print("after close, kept alive:", answer(kept))
print("after close, a new one:", answer(http.client.HTTPConnection("127.0.0.1", server.effective_port, timeout=10)))
thread.join(3)
print("run() has returned:", not thread.is_alive())
CLOSED
seen=$(venv/bin/python closed.py); echo "$seen"
test "$seen" = "before close: ok
after close, kept alive: ok
after close, a new one: ConnectionRefusedError
run() has returned: False"
