# Two commands on a fresh machine: `make report` and `make test`. Both need only Python 3.11+ and make.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
REPORT := '.[notebooks,pdf]'
# pip takes a page that an index failed to send for "no such version": one more try before it counts.
install = $(PIP) $(1) || { echo "Not installed; once more in 10 s."; sleep 10; $(PIP) $(1); }

.PHONY: report test format bench clean help

help:
	@echo "make report   build reports/deepseek from the embedded prices"
	@echo "make test     lint, types, layers, tests"
	@echo "make bench    measure import and start-up costs"
	@echo "make clean    remove the virtual environment"

report: $(VENV)/.report
	$(BIN)/eventstudy build reports/deepseek --why

test: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -n 2

format: $(VENV)/.test
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.report
	$(BIN)/python tools/bench.py

$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed; name one with: make PYTHON=python3.12 ..."; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(call install,hatchling editables)
	@touch $@

$(VENV)/.report: $(VENV)/.made pyproject.toml constraints.txt
	$(call install,--no-build-isolation --editable $(REPORT))
	@touch $@

$(VENV)/.test: $(VENV)/.made pyproject.toml constraints.txt
	$(call install,--no-build-isolation --editable '.[dev]')
	@touch $@ $(VENV)/.report

clean:
	rm -rf $(VENV)
