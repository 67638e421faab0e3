# What a fresh machine needs is Python 3.11 or newer, make and git; the rest is installed into .venv.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
.DEFAULT_GOAL := help
.PHONY: azurite chromium help demo test newest install dev check format golden bench bench-quick soak clean

help: ## List what can be made.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: install ## Install, then replay the sample export to a local sandbox and show both sides.
	@$(BIN)/python examples/demo.py

test: dev check ## Install what the tests need, then run ruff, mypy and pytest.
	@command -v chromium chromium-browser google-chrome >/dev/null \
		|| echo "Without chromium the reports are not tested in a browser: make chromium"
	$(BIN)/python -m pytest -q -n auto -rs

newest: dev ## Run the tests of what a Python may change on the newest other one of this machine.
	@.ci/newest

azurite: dev ## Install the Azure Blob Storage that a few tests need (where npm is).
	npm install --no-audit --no-fund --silent --prefix $(VENV)/azurite azurite

chromium: ## Install the browser that the reports are tested in (Debian; as root).
	apt-get update && apt-get install --yes chromium

install: $(VENV)/installed ## Install the program into .venv (it is .venv/bin/convertro then).

dev: $(VENV)/installed-dev ## Install what the tests and benchmarks need, too.

check: dev ## Check the style and the types of the code.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: dev ## Put the code into its style.
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

golden: dev ## Write the reports that the tests keep anew, after a change on purpose.
	$(BIN)/python -m tests.golden

bench: dev ## Measure the speed, side by side with what one would use otherwise (minutes).
	$(BIN)/python -m tests.bench

bench-quick: dev ## The same in under a minute.
	$(BIN)/python -m tests.bench --quick

soak: dev ## Ten minutes of random faults, kills and outages; then the tests with many more examples.
	$(BIN)/python -m tests.system.soak
	$(BIN)/python -m tests.system.shared_soak
	$(BIN)/python -m tests.system.dask_soak
	SOAK=1 $(BIN)/python -m pytest -q -n auto

clean: ## Remove what was installed and what the tools keep.
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "convertro needs Python 3.11 or newer: make PYTHON=python3.11 …"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/installed: pyproject.toml | $(VENV)/bin/python
	$(PIP) install --editable '.[curl,report,metrics,objects,postgres]'
	@touch $@

$(VENV)/installed-dev: pyproject.toml $(VENV)/installed
	$(PIP) install --editable '.[curl,report,metrics,objects,aws,postgres,dask,dev]'
	@touch $@
