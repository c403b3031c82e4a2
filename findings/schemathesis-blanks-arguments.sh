#!/bin/sh
# Schemathesis 4.32.5, merely installed, blanks the arguments of Hypothesis's failing examples in tests that have nothing to do with it.
# Its pytest plugin is loaded with every session and replaces the printer that Hypothesis writes arguments with.
set -eu
place=$(mktemp -d); trap 'rm -rf "$place"' EXIT; cd "$place"
python3 -m venv venv
venv/bin/pip install --quiet schemathesis==4.32.5 hypothesis==6.170.15 pytest==9.2.0
cat > test_total.py <<'TEST'
from hypothesis import given, strategies as st

@given(st.integers(min_value=0))
def test_total(cents):
    assert cents < 5
TEST
shown() { venv/bin/python -m pytest -q -p no:cacheprovider "$@" test_total.py | grep -o 'cents=[0-9]*,' || true; }
with=$(shown); without=$(shown -p no:schemathesis)
echo "with the plugin:    $with"
echo "without the plugin: $without"
test "$with" = "cents=,"
test "$without" = "cents=5,"
