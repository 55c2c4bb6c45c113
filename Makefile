.DEFAULT_GOAL := help
SHELL := /bin/bash

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Where pip finds a CPU build of torch, if not at its usual index: TORCH_SOURCE='--index-url URL'.
TORCH_SOURCE ?=
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet -c constraints.txt

.DELETE_ON_ERROR:

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: serve
serve: $(VENV)/.serve ## install, build the demo models, start MLflow and the service
	@$(BIN)/polysent up

.PHONY: test
test: lint ## lint, build the demo models, run every test with real servers
	@$(BIN)/pytest

.PHONY: check
check: lint ## lint and the fast tests
	@$(BIN)/pytest -q -m 'not wire and not fleet'

.PHONY: lint
lint: $(VENV)/.dev ## formatting, rules and types
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy .

.PHONY: eval
eval: $(VENV)/.serve ## accuracy per language on held-out rows, beside baselines
	@$(BIN)/polysent eval --fp32

.PHONY: heads
heads: $(VENV)/.serve ## remake training/heads/*.json from the labelled rows (a quarter of an hour)
	@$(BIN)/python -m training.heads

# make bench BENCHMARKS='cold mix' FORM=--quick: some of them, with toy models, for seconds.
BENCHMARKS ?= overhead hop mix cold isolation overload churn bulk promotion syncing
FORM ?=
.PHONY: bench
bench: $(VENV)/.dev ## all benchmarks in full (40 minutes on a quiet machine), then their table
	@for each in $(BENCHMARKS); do $(BIN)/python -m benchmarks.$$each $(FORM) || exit 1; done
	@test -n "$(FORM)" || $(BIN)/python -m benchmarks.report

.PHONY: constraints
constraints: $(VENV)/.dev ## pin what is installed now
	@{ head -1 constraints.txt; $(BIN)/pip freeze --exclude-editable | sed 's/+cpu//'; } \
	  > constraints.new && mv constraints.new constraints.txt

.PHONY: clean
clean: ## remove the environment and what was built here (not the BentoML store)
	rm -rf $(VENV) .polysent build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -prune -exec rm -rf {} +

# Stamps, for a folder is there long before it is whole: what was interrupted is done again.
$(VENV)/.made:
	$(PYTHON) -m venv --clear $(VENV)
	@touch $@

# torch goes first and alone: another package that asks for it would fetch the CUDA build.
$(VENV)/.torch: $(VENV)/.made constraints.txt
	@echo "Installing torch"
	@$(PIP) $(TORCH_SOURCE) torch
	@touch $@

$(VENV)/.serve: $(VENV)/.torch pyproject.toml
	@echo "Installing Polysent"
	@$(PIP) -e '.[serve,registry,train]'
	@touch $@

$(VENV)/.dev: $(VENV)/.serve
	@echo "Installing what the tests need"
	@$(PIP) -e '.[dev]'
	@touch $@
