#!/bin/sh
# pluggy 1.7.0 warns where an old-style hookwrapper raises after its yield, also where what is raised is Ctrl-C. With warnings as
# errors (pytest 9.2.0, -W error) the warning takes its place: a run that is interrupted while allure-pytest 2.16.2 writes a result (in such a
# wrapper) ends with an internal error and exit code 3, not as interrupted with 2.
set -eu
place=$(mktemp -d); trap 'rm -rf "$place"' EXIT; cd "$place"
python3 -m venv venv
venv/bin/pip install --quiet pluggy==1.7.0 pytest==9.2.0 allure-pytest==2.16.2
cat > conftest.py <<'PY'
import signal

import allure_commons

class PressesCtrlC:
    @allure_commons.hookimpl
    def report_result(self, result):
        signal.raise_signal(signal.SIGINT)

def pytest_configure(config):
    allure_commons.plugin_manager.register(PressesCtrlC())
PY
cat > test_two.py <<'PY'
def test_first():
    pass

def test_second():
    pass
PY
for option in -Wdefault -Werror; do
    code=0
    venv/bin/python -m pytest -q "$option" --alluredir=results >told 2>&1 || code=$?
    echo "$option: exit code $code, $(grep -c 'INTERNALERROR.*PluggyTeardownRaisedWarning: ' told || true) internal error"
done | tee seen
diff seen - <<'SEEN'
-Wdefault: exit code 2, 0 internal error
-Werror: exit code 3, 1 internal error
SEEN
