# The two commands of the README are `make run` and `make test`; `make help`
# lists the rest.  Settings: PYTHON=<interpreter>, AEROSPIKE_HOST=<host:port>
# to run tests and benchmarks against a real server, V=<variant> for the C
# tests (release, debug, asan, ubsan, tsan).

PYTHON ?= python3
VENV   ?= .venv
PY      = $(VENV)/bin/python
V      ?= release
BUILD   = build/c-$(V)

.DEFAULT_GOAL := build
.PHONY: help test-c

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

# ---- the C core and its tests ------------------------------------------------

ROOMS     = base wire net cluster client drive server
C_SRC     = $(wildcard $(ROOMS:%=src/%/*.c))
C_OBJ     = $(C_SRC:%.c=$(BUILD)/%.o)
TEST_SRC  = $(wildcard $(ROOMS:%=tests/%/test_*.c))
TEST_BIN  = $(TEST_SRC:%.c=$(BUILD)/%)
SUPPORT   = $(wildcard tests/support/*.c)
SUP_OBJ   = $(SUPPORT:%.c=$(BUILD)/%.o)
CFLAGS_V := $(shell $(PYTHON) tools/buildinfo.py cflags $(V))
LDFLAGS_V:= $(shell $(PYTHON) tools/buildinfo.py ldflags $(V))
LIBS_V   := $(shell $(PYTHON) tools/buildinfo.py libs)
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

test-c: $(TEST_BIN) $(VECTORS) ## the C tests (V=asan and so on)
	@set -e; for t in $(TEST_BIN); do $$t; done

-include $(C_OBJ:.o=.d) $(SUP_OBJ:.o=.d) $(TEST_SRC:%.c=$(BUILD)/%.d)

include tests/rules.mk
include bench/rules.mk
