#!/bin/sh
# pytest-bdd 9.0.1 goes through every fixture that pytest knows, those of plugins and of other modules too, each time that a step is
# run, and again for a step that was found before: 500 fixtures that no scenario uses are 500 more to look at for each step.
set -eu
place=$(mktemp -d); trap 'rm -rf "$place"' EXIT; cd "$place"
python3 -m venv venv
venv/bin/pip install --quiet pytest==9.2.0 pytest-bdd==9.0.1
cat > order.feature <<'FEATURE'
Feature: Orders
  Scenario: An order is sent
    Given an order
    When it is sent
    When it is sent
FEATURE
cat > conftest.py <<'PY'
import os
from importlib import import_module
import pytest

scenario = import_module("pytest_bdd.scenario")
look, looked_at = scenario.getfixturedefs, []

def counted(*about):
    looked_at.append(about)
    return look(*about)

scenario.getfixturedefs = counted

def pytest_sessionfinish(session):
    open("looked_at", "w").write(str(len(looked_at)))

for number in range(int(os.environ["MORE"])):
    globals()[f"unused_{number}"] = pytest.fixture(lambda: None, name=f"unused_{number}")
PY
cat > test_order.py <<'PY'
from pytest_bdd import given, scenarios, when

scenarios("order.feature")

@given("an order")
def an_order(): pass

@when("it is sent")
def it_is_sent(): pass
PY
for more in 0 500; do
    MORE=$more venv/bin/python -m pytest -q -p no:cacheprovider > said || { cat said; exit 1; }
    cp looked_at "looked_at.$more"
done
more=$(($(cat looked_at.500) - $(cat looked_at.0)))
echo "3 steps, 500 fixtures more: $more more looked at" | tee seen
diff seen - <<'SEEN'
3 steps, 500 fixtures more: 1500 more looked at
SEEN
