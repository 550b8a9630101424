# make run: everything, from nothing to a page that is alive. `make help` lists the rest.

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input --no-compile
COMPILE := $(BIN)/python -m compileall -q -q -j 0
KERNELS := domain/warm.py $(wildcard domain/kernels/*.py) $(addprefix domain/,heartbeats.py ids.py rows.py units.py)
BENCHES := $(patsubst bench/%.py,%,$(filter-out bench/__init__.py bench/report.py,$(wildcard bench/*.py)))

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

.PHONY: servers servers-stop servers-programs help setup setup-dev run test check format bench docs-performance chromium lock clean

help:
	@echo 'make setup      .venv with everything Heartline needs, and .venv/bin/heartline'
	@echo 'make run        setup, then heartline up --demo'
	@echo 'make test       setup, then every test (CI runs this; pass some with TESTS=tests/domain)'
	@echo 'make check      lint, format, types, layers'
	@echo 'make servers    Kafka, Cassandra, Redis, S3 and OpenSearch here, as the tests start them'
	@echo 'make servers-stop   stop them; what they stored stays in .servers/'
	@echo 'make format     let ruff rewrite what it can'
	@echo 'make bench      every benchmark; make bench-NAME for one'
	@echo 'make docs-performance   docs/performance.md and docs/scale.md, from bench/results'
	@echo 'make lock       pin the dependencies anew (needs uv)'
	@echo 'make clean      remove .venv and every cache; data/ stays'

setup: .venv/installed .venv/warm

# Bytecode is compiled here, in parallel: Ray's processes start in half the time with it.
# A few packages ship files that are no Python of this version, so that step may complain.
.venv/installed: requirements.lock pyproject.toml | .venv/made
	@echo 'Installing what Heartline needs (once, a minute or two) ...'
	@$(PIP) --require-hashes --requirement requirements.lock
	@$(PIP) --no-deps --no-build-isolation --editable .
	@$(COMPILE) .venv/lib > /dev/null || true
	@touch $@

# Numba keeps compiled kernels beside their source; compiled here, the first heartbeat finds them.
.venv/warm: .venv/installed $(KERNELS)
	@echo 'Compiling the kernels (once, half a minute) ...'
	@$(BIN)/python -m domain.warm
	@touch $@

.venv/made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo 'Heartline needs Python 3.11 or later; $(PYTHON) is' "$$($(PYTHON) --version 2>&1)."; \
	  echo 'Name another one: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)'; exit 1; }
	@$(PYTHON) -m venv --clear .venv || { \
	  echo 'Making .venv failed. On Debian and Ubuntu: apt-get install python3-venv'; exit 1; }
	@touch $@

setup-dev: setup .venv/dev-installed

.venv/dev-installed: requirements-dev.lock .venv/installed
	@echo 'Installing what the tests need (once) ...'
	@$(PIP) --require-hashes --requirement requirements-dev.lock
	@$(COMPILE) .venv/lib > /dev/null || true
	@touch $@

run: setup
	@exec $(BIN)/heartline up --demo

test: setup-dev chromium servers-programs
	@$(BIN)/python -m $(if $(TESTS),pytest $(TESTS),tests.side_by_side)

check: setup-dev
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

format: setup-dev
	@$(BIN)/ruff check --fix
	@$(BIN)/ruff format

# The tests of the page drive Debian's Chromium; without it they skip and say so.
chromium:
	@if command -v chromium > /dev/null; then :; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get > /dev/null; then \
	  echo 'Installing Chromium for the tests of the page (once) ...'; \
	  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
	    --no-install-recommends chromium fonts-dejavu-core > /dev/null; } || \
	    echo 'Chromium could not be installed: the tests of the page will skip.'; \
	else \
	  echo 'No chromium here: the tests of the page will skip. To run them: apt-get install chromium'; \
	fi

servers: setup-dev
	@$(BIN)/python -m tests.servers start

servers-stop:
	@if [ -x $(BIN)/python ]; then $(BIN)/python -m tests.servers stop; fi

# What the tests that need servers start by themselves; what cannot be had is named, and they skip.
servers-programs: setup-dev
	@$(BIN)/python -m tests.servers install

bench: $(BENCHES:%=bench-%)
	@$(MAKE) --no-print-directory docs-performance

bench-%: setup
	@if [ -f bench/$*.py ]; then exec $(BIN)/python -m bench.$*; else \
	  echo 'There is no benchmark "$*". There are: $(or $(BENCHES),none yet)'; exit 2; fi

docs-performance: setup-dev
	@$(BIN)/python -m bench.rig.pages

# Both name no index host and pin every package for every supported Python.
UV_COMPILE = uv pip compile --quiet --universal --python-version 3.11 --fork-strategy fewest \
  --generate-hashes --no-emit-index-url --custom-compile-command 'make lock'
lock:
	$(UV_COMPILE) pyproject.toml --group build --output-file requirements.lock
	$(UV_COMPILE) --group dev --constraint requirements.lock --output-file requirements-dev.lock

clean:
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis build dist
	find . -name __pycache__ -not -path './.git/*' -prune -exec rm -rf {} +
