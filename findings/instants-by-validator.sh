#!/bin/sh
# `format: date-time` is RFC 3339 in name. Which instants pass depends on the validator: no two of these four agree.
# ajv-formats 3.0.1 and fastjsonschema 2.22.3 take offsets without a colon, ajv-formats a blank for the T and offsets of hours alone;
# jsonschema 4.26.0 with rfc3339-validator 0.1.4 refuses a leap second, jsonschema-rs 0.60.3 knows at which instants there may be one,
# fastjsonschema takes a 60th second at any time; the year 0000 is none to jsonschema alone.
set -eu
place=$(mktemp -d); trap 'rm -rf "$place"' EXIT; cd "$place"
python3 -m venv venv
venv/bin/pip install --quiet jsonschema==4.26.0 rfc3339-validator==0.1.4 jsonschema-rs==0.60.3 fastjsonschema==2.22.3
npm init -y >/dev/null
npm install --silent --no-audit --no-fund ajv@8.20.0 ajv-formats@3.0.1 >/dev/null
cat > instants <<'INSTANTS'
2025-05-09T12:00:00Z
2025-05-09t12:00:00z
2025-05-09 12:00:00Z
2025-05-09T12:00:00+0300
2025-05-09T12:00:00-03
2016-12-31T23:59:60Z
2025-05-09T12:00:60Z
0000-01-01T00:00:00Z
2025-05-09T12:00:00
INSTANTS
cat > ajv.mjs <<'JS'
import { readFileSync } from "node:fs";
import Ajv from "ajv";
import addFormats from "ajv-formats";
const ajv = new Ajv();
addFormats(ajv);
const holds = ajv.compile({ type: "string", format: "date-time" });
for (const instant of readFileSync("instants", "utf8").trim().split("\n")) console.log(holds(instant) ? "yes" : "no");
JS
cat > others.py <<'PY'
import subprocess
import fastjsonschema, jsonschema, jsonschema_rs

schema = {"type": "string", "format": "date-time"}
fast = fastjsonschema.compile(schema)
checker = jsonschema.Draft202012Validator.FORMAT_CHECKER
slow = jsonschema.Draft202012Validator(schema, format_checker=checker).is_valid
rust = jsonschema_rs.Draft202012Validator(schema, validate_formats=True).is_valid

def is_taken_fast(instant):
    try:
        fast(instant)
    except fastjsonschema.JsonSchemaException:
        return False
    return True

ajv = subprocess.run(["node", "ajv.mjs"], capture_output=True, text=True, check=True).stdout.split()
print(f"{'instant':26}{'ajv':6}{'jsonschema':12}{'rust':6}fast")
for instant, by_ajv in zip(open("instants").read().splitlines(), ajv):
    slowly, rusty, quickly = ("yes" if holds(instant) else "no" for holds in (slow, rust, is_taken_fast))
    print(f"{instant:26}{by_ajv:6}{slowly:12}{rusty:6}{quickly}")
PY
venv/bin/python others.py | tee seen
diff seen - <<'SEEN'
instant                   ajv   jsonschema  rust  fast
2025-05-09T12:00:00Z      yes   yes         yes   yes
2025-05-09t12:00:00z      yes   yes         yes   yes
2025-05-09 12:00:00Z      yes   no          no    no
2025-05-09T12:00:00+0300  yes   no          no    yes
2025-05-09T12:00:00-03    yes   no          no    no
2016-12-31T23:59:60Z      yes   no          yes   yes
2025-05-09T12:00:60Z      no    no          no    yes
0000-01-01T00:00:00Z      yes   no          yes   yes
2025-05-09T12:00:00       no    no          no    no
SEEN
