#!/bin/sh
# Prism 5.16.0 refuses what an OpenAPI document does not allow with a status of its own choice where the document has a range: with `4XX` the same
# request gets 422 that gets 400 where the document says "400", beside the same documented body, whose errorCode says 400.
set -eu
place=$(mktemp -d); trap 'kill "${prism:-}" 2>/dev/null || true; rm -rf "$place"' EXIT; cd "$place"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund @stoplight/prism-cli@5.16.0 >/dev/null

port=14020
for status in 4XX '"400"' '"422"' default; do
  cat > order.yaml <<YAML
openapi: 3.1.0
info: {title: orders, version: "1"}
paths:
  /order:
    post:
      requestBody:
        required: true
        content: {application/json: {schema: {type: object, required: [code], properties: {code: {type: string}}}}}
      responses:
        "200": {description: taken, content: {application/json: {example: {}}}}
        $status: {description: refused, content: {application/json: {example: {errorCode: 400-1}}}}
YAML
  port=$((port + 1))
  node_modules/.bin/prism mock --port $port order.yaml >prism.log 2>&1 & prism=$!
  for _ in $(seq 60); do grep -q "is listening" prism.log && break; sleep 1; done
  answered=$(curl --silent --output answer --write-out '%{http_code}' --header 'content-type: application/json' --data '{}' \
    http://127.0.0.1:$port/order)
  echo "documented as $status: $answered $(cat answer)"
  kill $prism; wait $prism 2>/dev/null || true
done | tee seen

diff seen - <<'SEEN'
documented as 4XX: 422 {"errorCode":"400-1"}
documented as "400": 400 {"errorCode":"400-1"}
documented as "422": 422 {"errorCode":"400-1"}
documented as default: 422 {"errorCode":"400-1"}
SEEN
