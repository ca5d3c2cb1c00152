# Every target builds the environment by itself when it is missing; needs Python 3.11+ and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
CORE := $(wildcard tests/test_scoring_*.py)

.PHONY: demo test conformance lint bench docs lock clean

demo: $(READY)  ## the whole path against the built-in CRM emulator
	$(BIN)/leadmark demo

test: $(READY)  ## every test but benchmarks and the exhaustive ones; of the pure core with every branch
	$(BIN)/pytest -n 2 --dist worksteal --cov --cov-report=term --cov-fail-under=100 scoring $(CORE)
	$(BIN)/pytest -n 2 --dist worksteal --ignore=scoring $(CORE:%=--ignore=%)

conformance: $(READY)  ## every enumerated fault and the largest worlds; takes some ten minutes
	$(BIN)/pytest -n 2 -m exhaustive tests
	$(BIN)/pytest -n 2 --hypothesis-profile=search $(CORE)

lint: $(READY)  ## style, types, import floors
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(READY)  ## ratios against a baseline measured in the same run
	$(BIN)/python tests/benchmarks/bench_kernel.py

docs: $(READY)  ## regenerates what is generated, the JSON schemas; tests fail when docs and code are out of step
	$(BIN)/python -m config.schemas

lock:  ## pins every dependency with hashes (needs uv)
	uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --generate-hashes --no-emit-index-url --quiet -o requirements.lock
	uv pip compile pyproject.toml -c requirements.lock --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --quiet -o requirements-run.lock
	echo 'hatchling>=1.27' | uv pip compile - -c requirements.lock --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --quiet -o requirements-build.lock

clean:
	rm -rf $(VENV) .coverage .pytest_cache .mypy_cache .ruff_cache .import_linter_cache

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "leadmark needs Python 3.11 or newer; say which with PYTHON=/path/to/python3" >&2; exit 1; }
	rm -rf $(VENV)
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input --no-deps --no-build-isolation -e .
	touch $@
