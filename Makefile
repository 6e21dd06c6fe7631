# Two commands. Each first makes .venv, with the versions of constraints.txt, when it is missing or out of date.
#   make train   train a 5x5 agent by self-play in about five minutes, then measure it
#   make test    lint, types and all tests

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/ready

.PHONY: train test

train: $(READY)
	$(BIN)/python train.py --size 5 --minutes 5

test: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pytest

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=...")'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install -c constraints.txt -e '.[dev]'
	touch $@
