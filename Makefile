# Everything lives in .venv of this checkout; every target makes it first where it is missing or out of date.
SHELL := /bin/sh
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.setup-done
DEV_STAMP := $(VENV)/.dev-setup-done
DOCS_STAMP := $(VENV)/.docs-setup-done
REPORTS ?= reports
ARGS ?=
# What was compiled once is kept, also where the environment says otherwise: each of a test run's thousand processes compiled 400 modules.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: messages help setup system certify test wheel prove trials stacks clients mutants check format report schema docs lock outdated bench costs kills baseline clean

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(STAMP) ## install what certify needs into .venv

$(STAMP): requirements/run.txt pyproject.toml .ci/setup conformance/report/allure_install.py conformance/report/allure3/package-lock.json $(wildcard conformance/public/*.py)
	@sh .ci/setup $(PYTHON) $(VENV) requirements/run.txt
	@touch $@

$(DEV_STAMP): $(STAMP) requirements/dev.txt
	@sh .ci/setup $(PYTHON) $(VENV) requirements/dev.txt
	@touch $@

$(DOCS_STAMP): $(DEV_STAMP) requirements/docs.txt
	@sh .ci/setup $(PYTHON) $(VENV) requirements/docs.txt
	@touch $@

system: ## install what the tests need besides Python (redis-server)
	@sh .ci/setup-system

certify: $(STAMP) ## certify the mock, or another target: make certify ARGS="--target FILE"
	@$(BIN)/koncili-conformance certify --reports $(REPORTS) $(ARGS)

test: $(DEV_STAMP) system ## run every test: the suite's own, and the certification against the mock
	@$(BIN)/python -m pytest -n 4 --dist worksteal -q $(ARGS)

wheel: $(DEV_STAMP) ## build the wheel and certify with it from an empty folder: make wheel PYTHON="python3.12 python3.13"
	@sh .ci/wheel-smoke $(PYTHON)

prove: $(STAMP) ## prove the suite: every defect caught and rightly blamed, every variant passed
	@$(BIN)/koncili-conformance prove --reports $(REPORTS) $(ARGS)

trials: $(DEV_STAMP) system ## attack what a run promises a live endpoint, counted by a server (tests/trials/README.md)
	@$(BIN)/python -m tests.trials --reports $(REPORTS) $(ARGS)

stacks: $(DEV_STAMP) ## certify small servers on real stacks, clean and with each of their faults (tests/stacks/README.md)
	@sh .ci/setup-stacks
	@$(BIN)/python -m tests.stacks --reports $(REPORTS) $(ARGS)

clients: $(DEV_STAMP) ## let generated clients of five generators complete a release against the mock (docs/clients.md; a minute, Node)
	@$(BIN)/python -m tests.clients $(ARGS)

mutants: $(DEV_STAMP) ## change judge, verdicts and budget in many small ways: does a test fail each time?
	@$(BIN)/python tests/mutants.py $(ARGS)

check: $(DEV_STAMP) ## format, lint, types, direction of imports, the catalogue of messages, the examples for CI, the Dockerfile
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/python tests/message_catalogue.py --check
	@$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows examples/ci/github-actions.yml
	@$(BIN)/check-jsonschema --builtin-schema vendor.gitlab-ci --data-transform gitlab-ci examples/ci/gitlab-ci.yml
	@$(BIN)/zizmor --offline --quiet --pedantic examples/ci/github-actions.yml
	@$(BIN)/hadolint Dockerfile
	@$(BIN)/check-jsonschema --check-metaschema conformance/verdict/certificate.schema.json conformance/traffic/exchange.schema.json

format: $(DEV_STAMP) ## mend what the formatter and the linter can mend
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

report: $(STAMP) ## make the page and the Allure report anew from the last run's results
	@$(BIN)/koncili-conformance report --reports $(REPORTS)

bench: $(STAMP) ## measure speed (see benchmarks/README.md)
	@$(BIN)/python benchmarks/speed.py

costs: $(STAMP) ## measure what each scenario costs, from which runs are planned (minutes)
	@$(BIN)/python benchmarks/costs.py $(ARGS)

kills: $(STAMP) ## measure which kind of fault catches which defect, by which certifications choose (many minutes)
	@$(BIN)/python benchmarks/kills.py $(ARGS)

baseline: $(DEV_STAMP) ## let the Schemathesis command line look for the planted defects (an hour; goes on where it was ended)
	@$(BIN)/python benchmarks/baseline.py $(ARGS)

schema: $(DEV_STAMP) ## write what is made of the certificate's model and of openapi.yaml anew
	@$(BIN)/python -c 'from conformance.verdict.certificate import json_schema; print(json_schema(), end="")' \
		> conformance/verdict/certificate.schema.json
	@PYTHONPATH=. $(BIN)/python tests/schema_cases.py

messages: $(DEV_STAMP) ## gather what people read into the catalogue of translations, which then lacks what is new
	@$(BIN)/python tests/message_catalogue.py $(ARGS)

docs: $(DOCS_STAMP) ## write what of the documents is generated, and make a site of all; fails where a link is dead
	@mkdir -p docs
	@$(BIN)/koncili-conformance rules --format markdown > docs/rules.md
	@$(BIN)/python -c 'from conformance.report.traceability import page; print(page(), end="")' > docs/traceability.md
	@$(BIN)/python tests/import_picture.py
	@$(BIN)/python -m sphinx --quiet --fail-on-warning --keep-going --builder html --conf-dir docs . build/site
	@echo "site: build/site/docs/index.html"

outdated: $(DEV_STAMP) ## list the pinned packages of which there are newer releases
	@if command -v uv >/dev/null 2>&1; then uv pip list --quiet --python $(BIN)/python --outdated; \
		else $(BIN)/python -m pip list --disable-pip-version-check --outdated; fi

lock: $(DEV_STAMP) ## pin the dependencies of pyproject.toml anew, with hashes
	@sh .ci/lock $(BIN)

clean: ## remove .venv, caches and the results of runs
	@rm -rf $(VENV) build dist mutants .pytest_cache .mypy_cache .ruff_cache .hypothesis
	@find $(REPORTS) -mindepth 1 ! -name README.md -delete 2>/dev/null || true
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
