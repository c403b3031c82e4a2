#!/bin/sh
# libcurl 8.16 (PycURL 7.45.7; PHP's is the same) sends a POST a second time, and says nothing, where the server has read it whole from a connection
# that was used before and closes that without an answer: whatever the POST does is done twice. requests 2.34.2 raises.
set -eu
place=$(mktemp -d); trap 'kill "${server:-}" 2>/dev/null || true; rm -rf "$place"' EXIT; cd "$place"
python3 -m venv venv
venv/bin/pip install --quiet pycurl==7.45.7 requests==2.34.2
cat > serve.py <<'PY'
import socketserver

class Server(socketserver.StreamRequestHandler):
    """Answers each request of a connection, but for the first POST to a path, of which it reads all."""

    seen = set()

    def handle(self):
        while line := self.rfile.readline().decode():
            length = 0
            while header := self.rfile.readline().strip():
                if header.lower().startswith(b"content-length:"):
                    length = int(header.split(b":")[1])
            self.rfile.read(length)
            if line.startswith("POST"):
                path = line.split()[1]
                print("read: POST", path, file=open("read", "a"), flush=True)
                if path not in self.seen:
                    self.seen.add(path)
                    return
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Server)
server.daemon_threads = True
print(server.server_address[1], file=open("port", "w"), flush=True)
server.serve_forever()
PY
python3 serve.py & server=$!
until [ -s port ]; do sleep 0.1; done
cat > send.py <<'PY'
import pycurl, requests

address = f"http://127.0.0.1:{open('port').read().strip()}"

curl = pycurl.Curl()
curl.setopt(curl.WRITEFUNCTION, lambda _: None)
curl.setopt(curl.URL, f"{address}/orders")
curl.perform()
curl.setopt(curl.URL, f"{address}/by-curl")
curl.setopt(curl.POSTFIELDS, "{}")
curl.perform()
print("curl:", curl.getinfo(curl.RESPONSE_CODE))

session = requests.Session()
session.get(f"{address}/orders")
try:
    session.post(f"{address}/by-requests", json={})
except requests.ConnectionError as error:
    print("requests:", type(error).__name__)
PY
venv/bin/python send.py > seen
cat read >> seen
cat seen
diff seen - <<'SEEN'
curl: 200
requests: ConnectionError
read: POST /by-curl
read: POST /by-curl
read: POST /by-requests
SEEN
