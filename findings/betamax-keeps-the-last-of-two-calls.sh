#!/bin/sh
# betamax 0.9.0 told to record all (`record="all"`) keeps of two calls with the same method and address the later one only, whatever
# their bodies: a cassette of two orders that were sent to POST /order holds one. VCR.py 9.4.2 (`record_mode="all"`) keeps both.
set -eu
place=$(mktemp -d); trap 'kill "${server:-}" 2>/dev/null || true; rm -rf "$place"' EXIT; cd "$place"
python3 -m venv venv
venv/bin/pip install --quiet betamax==0.9.0 vcrpy==9.4.2 requests==2.34.2
cat > serve.py <<'PY'
from http.server import BaseHTTPRequestHandler, HTTPServer

class Taken(BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_): pass

server = HTTPServer(("127.0.0.1", 0), Taken)
print(server.server_port, file=open("port", "w"), flush=True)
server.serve_forever()
PY
python3 serve.py & server=$!
until [ -s port ]; do sleep 0.1; done
cat > send.py <<'PY'
import json
import requests, vcr
from betamax import Betamax

address = f"http://127.0.0.1:{open('port').read().strip()}/order"

def send(session):
    for code in ("first", "second"):
        session.post(address, json={"marketplaceCode": code})

session = requests.Session()
with Betamax(session, cassette_library_dir=".").use_cassette("betamax", record="all"):
    send(session)
with vcr.VCR(serializer="json", record_mode="all").use_cassette("vcr.json"):
    send(requests.Session())
kept = json.load(open("betamax.json"))["http_interactions"]
print("betamax kept:", *(json.loads(one["request"]["body"]["string"])["marketplaceCode"] for one in kept))
kept = json.load(open("vcr.json"))["interactions"]
print("VCR.py kept:", *(json.loads(one["request"]["body"])["marketplaceCode"] for one in kept))
PY
venv/bin/python send.py | tee seen
diff seen - <<'SEEN'
betamax kept: second
VCR.py kept: first second
SEEN
