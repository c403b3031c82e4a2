#!/bin/sh
# mitmproxy 11.0.2 writes a UTF-8 body into its HAR as if it was Latin-1 ("São" becomes "SÃ£o") unless the Content-Type is JSON or names
# a charset; bodySize counts the bytes that were sent, by which a reader can see it and mend it. The call itself passes unharmed.
set -eu
place=$(mktemp -d)
trap 'kill "${server:-}" "${proxy:-}" 2>/dev/null || true; rm -rf "$place"' EXIT; cd "$place"
python3 -m venv venv
venv/bin/pip install --quiet mitmproxy==11.0.2
cat > serve.py <<'PY'
from http.server import BaseHTTPRequestHandler, HTTPServer

class Taken(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        print("arrived: ", body.decode("utf-8"), file=open("arrived", "a"), flush=True)
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_): pass

server = HTTPServer(("127.0.0.1", 0), Taken)
print(server.server_port, file=open("port", "w"), flush=True)
server.serve_forever()
PY
python3 serve.py & server=$!
cat > tell_port.py <<'PY'
from mitmproxy import ctx

def running():
    (_, port, *_), = ctx.master.addons.get("proxyserver").listen_addrs()
    print(port, file=open("proxy", "w"), flush=True)
PY
venv/bin/mitmdump --quiet --set confdir="$place" --listen-host 127.0.0.1 --listen-port 0 --set hardump=calls.har \
  -s tell_port.py & proxy=$!
until [ -s port ] && [ -s proxy ]; do sleep 0.2; done
cat > send.py <<'PY'
import urllib.request

port, proxy = (open(name).read().strip() for name in ("port", "proxy"))
urllib.request.install_opener(urllib.request.build_opener(urllib.request.ProxyHandler({"http": f"http://127.0.0.1:{proxy}"})))
for kind in ("application/json", "text/plain; charset=utf-8", "text/plain", "application/octet-stream"):
    headers = {"content-type": kind}
    urllib.request.urlopen(urllib.request.Request(f"http://127.0.0.1:{port}/order", '{"city": "São João"}'.encode(), headers))
PY
no_proxy='' python3 send.py
kill -INT $proxy; wait $proxy || true
cat > show.py <<'PY'
import json

for entry in json.load(open("calls.har"))["log"]["entries"]:
    posted = entry["request"]["postData"]
    print(posted["mimeType"], entry["request"]["bodySize"], posted["text"], sep=" | ")
PY
{ sort -u arrived; python3 show.py; } | tee seen
diff seen - <<'SEEN'
arrived:  {"city": "São João"}
application/json | 22 | {"city": "São João"}
text/plain; charset=utf-8 | 22 | {"city": "São João"}
text/plain | 22 | {"city": "SÃ£o JoÃ£o"}
application/octet-stream | 22 | {"city": "SÃ£o JoÃ£o"}
SEEN
