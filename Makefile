# Two commands for a newcomer: `make demo` and `make test`. Nothing but Python 3.11+, git and make is needed.
#   make PYTHON=/path/to/python ...   chooses the interpreter

SHELL := /bin/sh
PY := .venv/bin/python
# Another PYTHON is another environment.
READY := .venv/.ready$(if $(PYTHON),-$(subst /,_,$(PYTHON)))

.PHONY: help setup demo test matrix lint types generate bench format
.DEFAULT_GOAL := help

help:
	@echo "make demo      record and explain the example team"
	@echo "make test      everything that CI runs"
	@echo "make matrix    what depends on LangGraph, all of it with each version (make test: with the oldest and the newest)"
	@echo "make bench     what recording costs, against the bare app and a peer"
	@echo "make generate  rewrite the generated code and pages"
	@echo "make format    rewrite the code as the linter wants it"

setup: $(READY)

$(READY): pyproject.toml constraints.txt .ci/setup
	@PYTHON="$(PYTHON)" .ci/setup
	@touch $@

demo: $(READY)
	@$(PY) examples/demo.py

# Import contracts, generated files and pages, and both kinds of installation are tests like the others.
test: lint types
	@$(PY) -m pytest

matrix: $(READY)
	@$(PY) -m pytest tests/versions --whole --durations=0

lint: $(READY)
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .

types: $(READY)
	@$(PY) -m mypy

generate: $(READY)
	@$(PY) semconv/generate.py
	@$(PY) docs/render.py

format: $(READY)
	@$(PY) -m ruff check --fix .
	@$(PY) -m ruff format .

bench: $(READY)
	@$(PY) -m tests.bench
