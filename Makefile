# Two commands do all the set-up on a fresh machine (Python >= 3.11, Node >= 20): make demo, make test.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.ready
NODE_STAMPS := infra/local/node_modules/.ready tests/interop/node_modules/.ready

.PHONY: setup demo test vectors explore kills lint package bench lock clean
setup: $(STAMP) $(NODE_STAMPS)

$(STAMP): requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; say which: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==0.13.9
	$(BIN)/uv pip install --quiet --python $(BIN)/python --requirement requirements/dev.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	touch $@

%/node_modules/.ready: %/package-lock.json
	cd $* && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	touch $@

demo: setup
	$(BIN)/dm3 demo

# The measurements have a target of their own, `bench`, which continuous integration calls, too.
test: setup
	$(BIN)/python -m pytest -n 2 --dist loadgroup --ignore tests/bench --cov --cov-report=term:skip-covered

vectors: setup
	$(BIN)/python -m pytest -q tests/unit/protocol/test_vectors.py

# Property tests with examples that no run has had before.
explore: setup
	HYPOTHESIS_PROFILE=explore $(BIN)/python -m pytest -q tests/unit tests/integration/test_http_fuzz.py

# The tests that kill workers and functions at random, with 1,000 messages and dice that no run has had before.
# Continuous integration calls it with the dice of `make test`, so that a failure is about the change.
kills: setup
	DM3_FAULT_SEED=$${DM3_FAULT_SEED:-$$(date +%s)} DM3_FAULT_MESSAGES=1000 $(BIN)/python -m pytest -q tests/faults/test_workers_killed.py tests/faults/test_functions_killed.py

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Builds the bundle and the template, checks both, deploys them into MiniStack and drives that deployment with
# the published TypeScript client.
package: setup
	$(BIN)/python -m infra.package
	$(BIN)/python -m pytest -q tests/integration/test_deployment.py tests/interop -k "test_deployment or deployed"

bench: setup
	$(BIN)/python -m pytest tests/bench -s -q

# Renews the lock files after a change in pyproject.toml. Only the SDK opens sockets: no function needs websockets.
lock: 
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --python-version 3.11 --extra dev --output-file requirements/dev.txt pyproject.toml
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --python-version 3.11 --extra function --no-emit-package websockets --constraint requirements/dev.txt --output-file requirements.txt pyproject.toml

clean:
	rm -rf $(VENV) build infra/local/node_modules tests/interop/node_modules
