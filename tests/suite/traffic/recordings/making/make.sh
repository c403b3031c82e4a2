#!/bin/sh
# Makes the recordings of this folder anew, each by the tool that it is named after, against the mock.
#   sh make.sh TOOLS TO     TOOLS: a folder in which npm and pip may install; needs chromium, nginx, ruby-vcr, ruby-webmock, python3.12, java, node 20 or later
# In the checkout's environment: koncili-conformance must be on the PATH.
set -eu
here=$(cd "$(dirname "$0")" && pwd); tools=$1; to=$(mkdir -p "$2" && cd "$2" && pwd); base=http://127.0.0.1:8766
mkdir -p "$tools"; cd "$tools"
[ -d node_modules ] || { npm init -y >/dev/null; npm install --silent --no-audit --no-fund playwright-core@1.65.1 \
  chrome-har@1.3.1 axios@1 axios-har-tracker@0.8.0 @pollyjs/core@6.0.6 @pollyjs/adapter-node-http@6.0.6 \
  @pollyjs/persister-fs@6.0.6 nock@14 newman@6.2.2 wiremock@3.13.2; }
[ -d v1 ] || { python3 -m venv v1; v1/bin/pip install --quiet vcrpy==9.4.2 betamax==0.9.0 requests httpx aiohttp; }
[ -d v2 ] || { python3 -m venv v2; v2/bin/pip install --quiet mitmproxy==11.0.2; }
[ -d v3 ] || { python3.12 -m venv v3; v3/bin/pip install --quiet mitmproxy==12.3.1; }

export XDG_STATE_HOME="$tools/state" XDG_CACHE_HOME="$tools/cache" no_proxy=127.0.0.1
koncili-conformance mock --port 8767 --record "$to/mock.ndjson" >/dev/null & mock=$!
python3 "$here/front.py" 8766 http://127.0.0.1:8767 & front=$!
trap 'kill $mock $front ${proxy:-} 2>/dev/null || true' EXIT
sleep 4

for tool in vcr vcr-json betamax; do
  case $tool in vcr) file=vcr.yaml ;; *) file=$tool.json ;; esac
  rm -f "$to/$file"; v1/bin/python "$here/python_clients.py" "$tool" "$base" "$to/$file"
done
for library in httpx aiohttp; do
  rm -f "$to/vcr-$library.yaml"; v1/bin/python "$here/async_clients.py" $library "$base" "$to/vcr-$library.yaml"
done
rm -f "$to/vcr-ruby.yml"; ruby "$here/ruby_client.rb" "$base" "$to/vcr-ruby.yml"
for tool in axios-har-tracker polly nock newman; do
  case $tool in nock | newman) file=$tool.json ;; *) file=$tool.har ;; esac
  node "$here/node_clients.cjs" "$tool" "$base" "$to/$file"
done
node "$here/browser.cjs" playwright-zip "$base" "$to/playwright.zip"
node "$here/browser.cjs" playwright-omit "$base" "$to/playwright-omit.har"
node "$here/browser.cjs" chrome-har "$base" "$to/chrome-har.har"
for file in mitmproxy.har mitmproxy.zhar mitmproxy-12.har; do
  case $file in *12*) version=v3 ;; *) version=v2 ;; esac
  $version/bin/mitmdump --quiet --listen-host 127.0.0.1 --listen-port 8768 --set hardump="$to/$file" & proxy=$!
  sleep 5
  v1/bin/python "$here/python_clients.py" proxied "$base" - http://127.0.0.1:8768
  kill -INT $proxy; wait $proxy || true
done

cat >"$tools/nginx.conf" <<CONF
daemon off; pid $tools/nginx.pid; error_log stderr crit; events {}
http {
  client_body_buffer_size 300;
  log_format calls escape=json '{"msec":"\$msec","request_time":"\$request_time","request":"\$request","http_host":"\$http_host",'
    '"status":"\$status","upstream_header_time":"\$upstream_header_time","http_gumgatoken":"\$http_gumgatoken",'
    '"http_integrator":"\$http_integrator","http_content_type":"\$http_content_type",'
    '"http_content_length":"\$http_content_length","request_body":"\$request_body"}';
  access_log $tools/nginx.ndjson calls;
  server { listen 127.0.0.1:8769; location / { proxy_pass http://127.0.0.1:8766; } }
  server { listen 127.0.0.1:8770; location / { proxy_pass http://127.0.0.1:9; } }
}
CONF
rm -f "$tools/nginx.ndjson"
nginx -c "$tools/nginx.conf" & proxy=$!
sleep 2
v1/bin/python "$here/python_clients.py" proxied http://127.0.0.1:8769 -
python3 -c "import urllib.request as u; u.urlopen('http://127.0.0.1:8770/my-accounts')" 2>/dev/null || true
kill $proxy; wait $proxy || true
cp "$tools/nginx.ndjson" "$to/nginx.ndjson"
java -jar node_modules/wiremock/build/wiremock-standalone-3.13.2.jar --port 8769 --root-dir "$tools/wiremock" \
  --proxy-all http://127.0.0.1:8766 >/dev/null & proxy=$!
sleep 10
v1/bin/python "$here/python_clients.py" proxied http://127.0.0.1:8769 -
python3 -c "import urllib.request as u; print(u.urlopen('http://127.0.0.1:8769/__admin/requests').read().decode(), end='')" >"$to/wiremock.json"
kill $proxy; wait $proxy || true
kill $mock; wait $mock || true
sed -n 1,5p "$to/mock.ndjson" >"$tools/first" && cat "$tools/first" >"$to/mock.ndjson"  # those of the first client
