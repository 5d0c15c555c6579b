# Every target sets itself up: a fresh machine needs Python >= 3.11 and make, nothing else.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help setup run test check nightly bench guard lock clean

help:            ## show this list
	@grep -hE '^[a-z]+: .*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 18

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed: make PYTHON=python3.12 ...")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e .
	@touch $@

setup: $(READY)  ## create .venv with everything

run: setup       ## start the venue with demo traders and a live view (Ctrl-C stops, the next start goes on)
	$(BIN)/tanshi serve --clock demo --demo

test: setup      ## all tests of a pull request
	$(BIN)/python -m pytest

check: setup     ## format, lint, types, import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

nightly: setup   ## the heavy evidence; prints a table
	$(BIN)/python -m tests.nightly

bench: setup     ## all speed figures and their page (long; on a quiet machine)
	$(BIN)/tanshi bench all --again --json docs/results/bench
	$(BIN)/tanshi bench page

guard: setup     ## a minute: warn where a ratio of speed is worse than the kept one
	$(BIN)/tanshi bench guard

lock: setup      ## renew requirements.lock after a change of pyproject.toml
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --universal --generate-hashes --python-version 3.11 --extra dev --no-header pyproject.toml -o requirements.lock

clean:           ## remove everything that setup and runs created
	rm -rf $(VENV) .numba var *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
