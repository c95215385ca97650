# The two commands of the README are `make run` and `make test`; `make help`
# lists the rest.  Settings: PYTHON=<interpreter>, AEROSPIKE_HOST=<host:port>
# to run tests and benchmarks against a real server, V=<variant> for the C
# tests (release, debug, asan, ubsan, tsan), TESTS=<arguments of pytest>.

ifeq ($(origin PYTHON),undefined)
PYTHON := $(shell for p in python3 python3.13 python3.12 python3.11 python3.10; \
    do $$p -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null \
    && echo $$p && break; done)
VENV   ?= .venv
else
VENV   ?= $(shell $(PYTHON) tools/prepare.py venv $(PYTHON))
endif
PY       := $(VENV)/bin/python
PREPARE   = $(PYTHON) -B tools/prepare.py
V        ?= release
BUILD     = build/c-$(V)
JOBS     ?= $(shell getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)
SUB       = $(MAKE) --no-print-directory PYTHON=$(PYTHON) VENV=$(VENV)

.DEFAULT_GOAL := build
.PHONY: help deps build run test test-c test-python differential test-peers matrix server \
    check check-generated generate format clean

help: ## this list
	@grep -hE '^[a-z|-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

# ---- the two commands, and what they need ------------------------------------

ifeq ($(PYTHON),)
deps:
	@echo "Python 3.10 or newer was not found; say which: make PYTHON=..." >&2; exit 1
else
deps: ## the compiler and libraries, through apt where that is allowed
	@$(PREPARE) deps
endif

build: deps ## .venv and the extensions
	@$(PREPARE) build $(VENV) tools/requirements-build.txt

run: build ## the guided tour, on a local server
	@$(PY) -m aerospike_py.tour $(TOUR)

test: build ## every test, in C and in Python
	@$(PREPARE) build $(VENV) tests/requirements.txt
	@$(SUB) -j$(JOBS) test-bin
	@$(SUB) test-c
	@$(SUB) test-python

test-python: ## the Python tests alone (TESTS="-k touch" and so on)
	@$(PY) -m pytest -q $(or $(TESTS),tests)

differential: build ## N random operations of each family (200,000; AEROSPIKE_HOST)
	@$(PY) tests/differential/run.py $(or $(N),200000)

test-peers: build ## other clients against the local server (PEERS="--without native")
	@$(PY) tools/peers.py $(PEERS)

matrix: deps ## every Python found, from sdist and wheel (MATRIX="--full 3.12")
	@$(PREPARE) build $(VENV) tools/requirements-build.txt
	@$(PY) tools/matrix.py $(MATRIX)

server: build ## the local server on port 3000 (SERVER="--nodes 3")
	@$(PY) -m aerospike_py.server $(SERVER)

# ---- style -------------------------------------------------------------------

CHECK     = $(PREPARE) build $(VENV) tests/requirements.txt tools/requirements-check.txt

check: build ## style, types, stubs, rooms (CHECKS="ruff mypy")
	@$(CHECK)
	@$(PY) tools/check.py $(CHECKS)

check-generated: build ## are the generated files those of the tables?
	@$(CHECK)
	@$(PY) tools/check.py generated

generate: build ## write them anew
	@$(CHECK)
	@$(PY) tools/check.py --generate

format: build ## let clang-format and ruff write what they ask for
	@$(CHECK)
	@$(PY) tools/check.py --format

clean: ## what was built, not .venv
	rm -rf build dist *.egg-info aerospike_py/*.so .mypy_cache .ruff_cache .pytest_cache
	find . -name __pycache__ -not -path './.venv*' -prune -exec rm -rf {} +

# ---- the C core and its tests ------------------------------------------------

ROOMS     = base wire net cluster client drive lua server
C_SRC     = $(wildcard $(ROOMS:%=src/%/*.c))
C_OBJ     = $(C_SRC:%.c=$(BUILD)/%.o)
TEST_SRC  = $(wildcard $(ROOMS:%=tests/%/test_*.c))
TEST_BIN  = $(TEST_SRC:%.c=$(BUILD)/%)
SUPPORT   = $(wildcard tests/support/*.c)
SUP_OBJ   = $(SUPPORT:%.c=$(BUILD)/%.o)
# asked for once, and only when something is compiled
ask       = $(shell $(PYTHON) -B tools/buildinfo.py $1)
CFLAGS_V  = $(eval CFLAGS_V := $$(call ask,cflags $(V)))$(CFLAGS_V)
LDFLAGS_V = $(eval LDFLAGS_V := $$(call ask,ldflags $(V)))$(LDFLAGS_V)
LIBS_V    = $(eval LIBS_V := $$(call ask,libs))$(LIBS_V)
TESTFLAGS = -Itests/support -DTESTS_DIR='"$(CURDIR)/tests"' -Wno-missing-prototypes

$(BUILD)/src/%.o: src/%.c
	@mkdir -p $(@D)
	@echo "CC  $<"
	@$(CC) $(CFLAGS_V) -MMD -MP -c $< -o $@

$(BUILD)/tests/%.o: tests/%.c
	@mkdir -p $(@D)
	@echo "CC  $<"
	@$(CC) $(CFLAGS_V) $(TESTFLAGS) -MMD -MP -c $< -o $@

$(BUILD)/libaero.a: $(C_OBJ)
	@rm -f $@
	@$(AR) rcs $@ $^

$(BUILD)/tests/%: $(BUILD)/tests/%.o $(SUP_OBJ) $(BUILD)/libaero.a
	@$(CC) $(LDFLAGS_V) $< $(SUP_OBJ) $(BUILD)/libaero.a $(LIBS_V) -o $@

# golden vectors as text that a C test reads with a few lines
VECTORS   = build/vectors/done
GOLDEN    = tests/wire/golden/wire-vectors.jsonl

$(VECTORS): tools/vectors.py $(GOLDEN)
	@$(PYTHON) tools/vectors.py $(GOLDEN) $(@D)

.SECONDARY:
.PHONY: test-bin

test-bin: $(TEST_BIN) $(VECTORS)

test-c: test-bin ## the C tests (V=asan and so on)
	@set -e; for t in $(TEST_BIN); do $$t; done

-include $(C_OBJ:.o=.d) $(SUP_OBJ:.o=.d) $(TEST_SRC:%.c=$(BUILD)/%.d)

include tests/rules.mk
include bench/rules.mk
