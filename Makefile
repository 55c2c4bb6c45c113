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
test: lint ## lint, build the demo models, run every test with real servers, two files at a time
	@$(BIN)/pytest -n 2 --dist loadfile -m 'not fleet'
	@$(BIN)/pytest -m fleet

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

.PHONY: container
container: ## build the container image and prove it (root, on Debian; minutes)
	@deploy/container/build.sh

.PHONY: dashboards
dashboards: $(VENV)/.dev ## remake deploy/observability/dashboards/*.json
	@$(BIN)/python -m deploy.observability.dashboards

.PHONY: compose
compose: ## bring the compose file up, promote twice, take it down (after 'make container')
	@deploy/compose/prove.sh

CHECKOV := .polysent/checkov
.PHONY: policies
policies: $(VENV)/.dev ## scan what the chart makes, by checkov in an environment of its own
	@test -e $(CHECKOV)/.made || { echo "Installing checkov"; $(PYTHON) -m venv --clear $(CHECKOV) && \
	  $(CHECKOV)/bin/pip --disable-pip-version-check install --quiet checkov==3.3.30 && touch $(CHECKOV)/.made; }
	@rm -rf .polysent/manifests
	@$(BIN)/python -m tests.deploy.rendered .polysent/manifests
	@CHECKOV_RUN_SCA_PACKAGE_SCAN=false $(CHECKOV)/bin/checkov \
	  --config-file deploy/kubernetes/checkov.yaml -d .polysent/manifests

.PHONY: constraints
constraints: $(VENV)/.dev ## pin what is installed now
	@{ head -1 constraints.txt; $(BIN)/pip freeze --exclude-editable | sed 's/+cpu//'; } \
	  > constraints.new && mv constraints.new constraints.txt
	@$(BIN)/uv pip compile -q --no-header --no-annotate --python-version 3.11 --python-platform linux \
	  -c constraints.txt --extra sync --extra redis pyproject.toml -o deploy/container/requirements.txt
	@$(BIN)/uv pip compile -q --no-header --no-annotate --python-version 3.11 --python-platform linux \
	  -c constraints.txt --extra sync --extra redis --no-emit-package onnxruntime pyproject.toml \
	  deploy/container/gpu.in -o deploy/container/requirements-gpu.txt

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
