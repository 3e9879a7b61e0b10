# Two commands on a fresh machine: `make report` and `make test`. Both need only Python 3.11+ and make.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
LOWEST := .venv-lowest
QUICK  := "not (slow or simulation or builds or browser or faults)"
# every file that is installed has one of the hashes in requirements/, which tools/make_hashes.py writes from constraints.txt
PIP    := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps
# reads no pip.conf and is a tenth of the time: for tests, a report needs no more than pip
UV     := $(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps

.PHONY: report test quick lowest format bench guard clean help

help:
	@echo "make report   build reports/deepseek and reports/sp500 from the embedded prices"
	@echo "make quick    the tests of a minute: no builds, no simulations, no browser, no faults"
	@echo "make test     lint, types, layers, all tests"
	@echo "make lowest   the quick tests on the lowest versions that pyproject.toml allows"
	@echo "make bench    measure start-up, and studies of 10 to 1,000,000 events, and other packages, into benchmarks/RESULTS.md"
	@echo "make guard    compare what a study of thousands of events costs with what it may, in multiples of a gather"
	@echo "make clean    remove the virtual environment"

report: $(VENV)/.report
	$(BIN)/eventstudy build reports/deepseek reports/sp500 --why

test: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -n 2 --dist worksteal

quick: $(VENV)/.test
	$(BIN)/python -m pytest -n 2 --dist worksteal -m $(QUICK)

# stored sessions are those of the pinned calendars: with the lowest pandas the library itself has others in Bombay
PINNED_ONLY := --ignore tests/house/test_constraints.py \
	--deselect tests/house/test_days.py::test_the_stored_sessions_are_those_of_the_library \
	--deselect tests/house/test_days.py::test_counts_agree_with_sets_of_days

lowest: $(LOWEST)/.made
	$(LOWEST)/bin/python -m pytest -n 2 --dist worksteal -m $(QUICK) $(PINNED_ONLY)

format: $(VENV)/.test
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.test
	$(BIN)/python benchmarks/start_up.py
	$(BIN)/python benchmarks/run.py
	$(BIN)/python benchmarks/beside.py

guard: $(VENV)/.test
	$(BIN)/python benchmarks/run.py --guard

$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed; name one with: make PYTHON=python3.12 ..."; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.report: $(VENV)/.made pyproject.toml requirements/report.txt
	$(PIP) --require-hashes --requirement requirements/report.txt
	$(PIP) --no-build-isolation --editable .
	@touch $@

$(VENV)/.test: $(VENV)/.made pyproject.toml requirements/test.txt
	$(PIP) --require-hashes --requirement requirements/uv.txt
	$(UV) --require-hashes --requirement requirements/test.txt
	$(UV) --no-build-isolation --editable .
	@touch $@ $(VENV)/.report

$(LOWEST)/.made: pyproject.toml requirements/uv.txt
	$(PYTHON) -m venv $(LOWEST)
	$(LOWEST)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements/uv.txt
	$(LOWEST)/bin/uv pip install --quiet --python $(LOWEST)/bin/python --resolution lowest-direct --editable '.[dev]'
	@touch $@

clean:
	rm -rf $(VENV) $(LOWEST)
