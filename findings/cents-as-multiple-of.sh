#!/bin/sh
# `multipleOf: 0.01` is how OpenAPI documents say "whole cents". Ajv 8.20.0 (so Prism 5.16.0 too) and Python's jsonschema 4.26.0 divide in
# binary floating point and refuse ordinary prices by it, each the same ones; jsonschema-rs 0.60.3 and fastjsonschema 2.22.3 take them all.
set -eu
place=$(mktemp -d); trap 'kill "${prism:-}" 2>/dev/null || true; rm -rf "$place"' EXIT; cd "$place"
python3 -m venv venv
venv/bin/pip install --quiet jsonschema==4.26.0 jsonschema-rs==0.60.3 fastjsonschema==2.22.3
npm init -y >/dev/null
npm install --silent --no-audit --no-fund ajv@8.20.0 @stoplight/prism-cli@5.16.0 >/dev/null

cat > ajv.mjs <<'JS'
import Ajv from "ajv";
const holds = new Ajv().compile({ type: "number", multipleOf: 0.01 });
console.log(process.argv.slice(2).filter((price) => !holds(Number(price))).join(" "));
JS
cat > others.py <<'PY'
import sys
import fastjsonschema, jsonschema, jsonschema_rs

schema, prices = {"type": "number", "multipleOf": 0.01}, sys.argv[1:]
fast = fastjsonschema.compile(schema)

def is_taken_fast(price):
    try:
        fast(price)
    except fastjsonschema.JsonSchemaException:
        return False
    return True

for name, holds in {
    "jsonschema": jsonschema.Draft202012Validator(schema).is_valid,
    "jsonschema-rs": jsonschema_rs.Draft202012Validator(schema).is_valid,
    "fastjsonschema": is_taken_fast,
}.items():
    print(f"{name} refuses:", *(price for price in prices if not holds(float(price))))
PY
cat > order.yaml <<'YAML'
openapi: 3.1.0
info: {title: prices, version: "1"}
paths:
  /price:
    post:
      requestBody:
        required: true
        content: {application/json: {schema: {type: object, properties: {price: {type: number, multipleOf: 0.01}}}}}
      responses: {"200": {description: taken, content: {application/json: {example: {}}}}}
YAML
node_modules/.bin/prism mock --port 14010 order.yaml >prism.log 2>&1 & prism=$!
for _ in $(seq 60); do grep -q "is listening" prism.log && break; sleep 1; done

prices="0.07 0.29 1.15 2.20 4.35 19.99 203.63 999999.99"
{
  echo "Ajv refuses: $(node ajv.mjs $prices)"
  refused=""
  for price in $prices; do
    status=$(curl --silent --output answer --write-out '%{http_code}' --header 'content-type: application/json' \
      --data "{\"price\": $price}" http://127.0.0.1:14010/price)
    test "$status" = 200 || refused="$refused $price"
  done
  echo "Prism refuses:$refused"
  venv/bin/python others.py $prices
} | tee seen

diff seen - <<'SEEN'
Ajv refuses: 0.07 0.29 1.15 4.35 19.99
Prism refuses: 0.07 0.29 1.15 4.35 19.99
jsonschema refuses: 0.07 0.29 1.15 4.35 19.99
jsonschema-rs refuses:
fastjsonschema refuses:
SEEN
