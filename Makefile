# Two commands for a newcomer: `make demo` and `make test`. Nothing but Python 3.11+, git and make is needed.
#   make PYTHON=/path/to/python ...   chooses the interpreter

SHELL := /bin/sh
PY := .venv/bin/python
# One stamp for each extra that .venv holds; another PYTHON is another environment.
STAMP := .venv/.ready$(if $(PYTHON),-$(subst /,_,$(PYTHON)))
DEMO := $(STAMP)-examples
DEV := $(STAMP)-dev
# Tests of `make check`: tests/unit without the slow ones and with few examples of each property, and each case of
# tests/accuracy/cases in one way, not streamed.
QUICK := --hypothesis-profile quick tests/unit tests/accuracy/test_cases.py -m 'not slow' -k 'not (test_cases and stream)'
# tests/conftest.py says how many workers, and in which order.
PARALLEL := --numprocesses auto --dist worksteal

# Each worker, and each process that a test starts, would else compile all of LangChain anew.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help setup demo check test matrix lint types generate format page page-types bench
.DEFAULT_GOAL := help

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1@/p' Makefile | while IFS=@ read -r name text; do printf 'make %-9s %s\n' "$$name" "$$text"; done

setup: $(DEV) ## make .venv, with everything that the other targets need

$(DEMO) $(DEV): $(STAMP)-%: pyproject.toml constraints.txt .ci/setup
	@PYTHON="$(PYTHON)" .ci/setup $*
	@touch $@ $(if $(filter dev,$*),$(DEMO)) # [dev] includes [examples]

demo: $(DEMO) ## record, explain, replay and show the example team
	@$(PY) examples/demo.py

check: lint types ## before a commit, in under two minutes: lint, types, quick tests
	@$(PY) -m pytest $(PARALLEL) -q $(QUICK)

# Import contracts, generated files and pages, and both kinds of installation are tests like the others.
# A test that failed among all others runs once more, alone, and fails the whole if it fails again.
test: lint types ## everything that CI runs
	@$(PY) -m pytest $(PARALLEL) --durations 25 || { \
	  [ $$? -eq 1 ] && echo "Once more, alone, what failed:" && \
	  $(PY) -m pytest --last-failed --last-failed-no-failures none --maxfail 3; }

matrix: $(DEV) ## all that depends on LangGraph, with each supported version (make test: with the oldest and the newest)
	@$(PY) -m pytest $(PARALLEL) --durations 0 --whole tests/versions

lint: $(DEV) ## check the code's style
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .

types: $(DEV) ## check the types
	@$(PY) -m mypy

generate: $(DEV) ## rewrite the generated code, pages, rules and dashboards
	@$(PY) semconv/generate.py
	@$(PY) docs/render.py
	@$(PY) deploy/prometheus/generate.py
	@$(PY) deploy/grafana/generate.py

format: $(DEV) ## rewrite the code as the linter wants it
	@$(PY) -m ruff check --fix .
	@$(PY) -m ruff format .

page: ## build the page of `otel-mas serve` from its sources (needs Node 20.19 or newer)
	@cd otel_mas/server/ui && { [ -d node_modules ] || npm ci --ignore-scripts; } && npm run --silent build

page-types: $(DEV) ## rewrite the page's types of the HTTP API
	@$(PY) -m tests.browser.page_sources > otel_mas/server/ui/openapi.json
	@cd otel_mas/server/ui && { [ -d node_modules ] || npm ci --ignore-scripts; } && npm run --silent types && rm openapi.json

bench: $(DEV) ## measure what recording costs, against the bare app and a peer
	@$(PY) -m tests.bench
