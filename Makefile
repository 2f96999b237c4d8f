# AutoLynx: the commands of the house. A fresh machine needs CPython 3.11 or newer (with venv) and make.
#   ARGS=...     passed on to the command      PYTHON=...   the Python to build .venv with

.DEFAULT_GOAL := help
.PHONY: help demo test check format lint types imports docs fix drill bench screenshots audit lock clean

BIN := .venv/bin
PYTHON ?=
export PIP_DISABLE_PIP_VERSION_CHECK := 1

help: ## list these commands
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' Makefile | expand -t 12

demo: .venv/.embedded ## see a whole campaign called, with no account and no network; ARGS=--exit ends it by itself
	@$(BIN)/autolynx demo $(ARGS)

test: .venv/.dev ## run the tests, four at a time: most of them wait for something; ARGS="tests/domain -k csv" runs some of them
	@$(BIN)/pytest -n 4 --dist worksteal $(ARGS)

check: format lint types imports docs test ## everything CI checks

format: .venv/.dev ## check the layout of the code
	@$(BIN)/ruff format --check .

lint: .venv/.dev ## check the code for known mistakes
	@$(BIN)/ruff check .

types: .venv/.dev ## check the types
	@$(BIN)/mypy

imports: .venv/.dev ## check that imports go one way
	@$(BIN)/lint-imports --no-cache

docs: .venv/.dev ## check that the generated pages are those of this code
	@$(BIN)/python -m tools.pages --check

fix: .venv/.dev ## mend what can be mended by machine, and write the generated pages anew
	@$(BIN)/ruff check --fix . && $(BIN)/ruff format . && $(BIN)/python -m tools.pages

bench: .venv/.dev ## measure speed and line use, one program per figure in benchmarks
	@status=0; for file in benchmarks/[a-z]*.py; do $(BIN)/python -m benchmarks.$$(basename $$file .py) $(ARGS) || status=1; done; exit $$status

drill: .venv/.dev ## let everything fail while a campaign runs, and count broken promises; ARGS="--kills 1000 --contacts 10000"
	@$(BIN)/python -m drill $(ARGS)

screenshots: .venv/.dev ## take every page into build/screenshots; ARGS=--readme takes those of the README
	@$(BIN)/python -m screenshots $(ARGS)

audit: .venv/.dev ## ask whether locked dependencies are known to be vulnerable; needs the network, and is no part of check
	@$(BIN)/python -m tools.audit

lock: .venv/.dev ## choose the newest versions that fit, and lock them with their hashes
	@$(BIN)/pip install -q --require-hashes -r requirements/lock.txt && sh tools/lock.sh $(BIN)/uv

clean: ## remove the environment and every cache
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis

.venv/.made: tools/find-python.sh
	@python=$$(sh tools/find-python.sh $(PYTHON)) && { test -x $(BIN)/pip || "$$python" -m venv .venv; } && touch $@

.venv/.embedded: .venv/.made requirements/embedded.txt requirements/node.txt pyproject.toml hatch_build.py package-lock.json
	@echo "Installing AutoLynx and its locked requirements into .venv ..."
	@$(BIN)/python -m pip install -q --require-hashes -r requirements/embedded.txt
	@$(BIN)/python -m tools.npm || { echo "There is no npm: Node.js comes from a wheel ..." && \
		$(BIN)/python -m pip install -q --require-hashes --only-binary :all: -r requirements/node.txt; }
	@$(BIN)/python -m pip install -q --no-deps --no-build-isolation -e . && touch $@

.venv/.dev: .venv/.embedded requirements/dev.txt requirements/judge.txt
	@echo "Installing the locked tools of the developer into .venv ..."
	@$(BIN)/python -m pip install -q --require-hashes -r requirements/dev.txt
	@$(BIN)/python -m pip install -q --require-hashes --no-deps -r requirements/judge.txt && touch $@
