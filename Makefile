# Every target does its own set-up: a virtual environment in .venv, nothing outside this folder.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# On Linux pip's own index brings torch with CUDA, some gigabytes; for the small one, call
# PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu make test
# Waiting threads that spin cost up to 40 times on a busy machine.
export OMP_WAIT_POLICY ?= PASSIVE
export OPENBLAS_NUM_THREADS ?= 1

.PHONY: demo test lint docs clean

demo: $(VENV)/core  ## find the targets in simulated frames; overlays land in demo-out
	$(BIN)/deepir detect --out demo-out

test: $(VENV)/dev  ## all tests, warnings are errors
	$(BIN)/python -m pytest -n auto -q

lint: $(VENV)/dev  ## style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

docs: $(VENV)/docs  ## the manual, in build/manual/index.html; warnings are errors
	$(BIN)/python -m sphinx -W --keep-going -q docs build/manual
	@echo "wrote build/manual/index.html"

$(VENV)/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, this is " + sys.version)'
	$(PYTHON) -m venv $(VENV)
	touch $@

$(VENV)/core: $(VENV)/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	touch $@

$(VENV)/dev: $(VENV)/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $@ $(VENV)/core $(VENV)/docs

$(VENV)/docs: $(VENV)/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[docs]'
	touch $@ $(VENV)/core

clean:
	rm -rf $(VENV) demo-out dist build docs/generated docs/detectors/pictures .pytest_cache .mypy_cache .ruff_cache .hypothesis
