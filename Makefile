# `make` lists the targets. Each installs what it needs into .venv first.

VENV := .venv
IN_VENV := $(VENV)/bin/
LOCK := $(IN_VENV)uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" pyproject.toml

# The first Python that is new enough; another one is chosen with `make run PYTHON=/path/to/python`.
PYTHON = $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c '$(NEW_ENOUGH)' 2>/dev/null && echo $$python && break; done)
NEW_ENOUGH = import sys; sys.exit(sys.version_info < (3, 11))

# Each target states what it needs installed; these files say that it is.
RUNTIME := $(VENV)/installed-runtime
DEVELOPMENT := $(VENV)/installed-development

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run test lint bench fuzz lighthouse screenshots translations migration lock

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(RUNTIME) ## Serve the admin with demo data on http://127.0.0.1:8000/admin
	$(IN_VENV)python main.py migrate
	$(IN_VENV)python main.py seed --if-empty
	$(IN_VENV)python main.py serve

test: $(DEVELOPMENT) ## Run the tests; ARGS="-k sign_in" chooses some
	$(IN_VENV)python -m pytest -n auto $(ARGS)

lint: $(DEVELOPMENT) ## Check style, format and types
	$(IN_VENV)ruff check
	$(IN_VENV)ruff format --check
	$(IN_VENV)mypy

bench: $(DEVELOPMENT) ## Measure the pages on large tables
	$(IN_VENV)python -m tests.bench $(ARGS)

fuzz: $(DEVELOPMENT) ## Send 100,000 requests that nobody should; ARGS="--seed 2" draws others
	$(IN_VENV)python -m tests.fuzz $(ARGS)

lighthouse: $(DEVELOPMENT) ## Examine the pages with Lighthouse, which npm brings for the while
	$(IN_VENV)python -m tests.browser.lighthouse

screenshots: $(DEVELOPMENT) ## Photograph the pages for the README
	$(IN_VENV)python -m tests.browser.screenshots

translations: $(DEVELOPMENT) ## Bring the catalogues up to what the code says
	$(IN_VENV)python -m tests.translations

migration: $(DEVELOPMENT) ## Write a migration for changed models: m="create tags"
	$(if $(m),,$(error Say what the migration does: make migration m="create tags"))
	$(IN_VENV)alembic revision --autogenerate -m "$(m)"

lock: $(DEVELOPMENT) ## Lock what pyproject.toml asks for; ARGS=--upgrade renews all
	$(LOCK) $(ARGS) --output-file requirements.txt
	$(LOCK) $(ARGS) --group dev --constraint requirements.txt --output-file requirements-dev.txt

$(RUNTIME): requirements.txt | $(VENV)/created
	$(call install,$<)
	@touch $@

# The development lock holds the runtime's versions too.
$(DEVELOPMENT): requirements-dev.txt | $(VENV)/created
	$(call install,$<)
	@touch $@ $(RUNTIME)

$(VENV)/created:
	@python='$(PYTHON)'; \
	if ! "$${python:-false}" -c '$(NEW_ENOUGH)' 2>/dev/null; then \
		echo 'Python 3.11 or newer is needed; name one with: make PYTHON=/path/to/python' >&2; exit 1; \
	fi; \
	"$$python" -m venv --clear $(VENV)
	@touch $@

define install
	@echo 'Installing $(1) into $(VENV)'
	@$(IN_VENV)python -m pip --disable-pip-version-check install --quiet --require-hashes -r $(1)
endef
