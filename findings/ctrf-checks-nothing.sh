#!/bin/sh
# ctrf 0.3.0, the npm package of the Common Test Report Format, takes any word for a command and ends with 0: `ctrf validate`, `ctrf check` and
# `ctrf verify` do nothing, whatever is in the report, so that a CI step that means to check one by them is always green.
set -eu
place=$(mktemp -d); trap 'rm -rf "$place"' EXIT; cd "$place"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund ctrf@0.3.0 >/dev/null

cat > report.json <<'JSON'
{"reportFormat": "CTRF", "specVersion": "0.0.0", "results": {"tool": {"name": "pytest"}, "summary": {"tests": 1, "passed": 1, "failed": 0,
 "skipped": 0, "pending": 0, "other": 0, "start": 1764331200000, "stop": 1764331201000},
 "tests": [{"name": "an order is accepted", "status": "passed", "duration": 12}]}}
JSON
echo '{"results": "none"}' > other.json
{
  for command in validate check verify; do
    for report in report.json other.json; do
      code=0
      node_modules/.bin/ctrf "$command" "$report" >out 2>err || code=$?
      echo "ctrf $command $report: exit $code, $(wc -c <out) characters on stdout"
    done
  done
} | tee seen

diff seen - <<'SEEN'
ctrf validate report.json: exit 0, 0 characters on stdout
ctrf validate other.json: exit 0, 0 characters on stdout
ctrf check report.json: exit 0, 0 characters on stdout
ctrf check other.json: exit 0, 0 characters on stdout
ctrf verify report.json: exit 0, 0 characters on stdout
ctrf verify other.json: exit 0, 0 characters on stdout
SEEN
