# Sanitizers and fuzzing.  C tests of a variant are `make test-c V=...`; these
# add the Python suite where it can run, and the fuzz targets.

CLANG     ?= clang
SECONDS   ?= 60
RUNS      ?= 0
FUZZ_SRC   = $(wildcard tests/fuzz/fuzz_*.c)
FUZZ_BIN   = $(FUZZ_SRC:%.c=$(BUILD)/%)

.PHONY: fuzz fuzz-run

fuzz: ## every reader on hostile bytes (SECONDS=n or RUNS=n each, T=targets)
	@$(MAKE) --no-print-directory fuzz-run V=fuzz CC=$(CLANG)

fuzz-run: $(FUZZ_BIN)
	@nice -n 10 $(PYTHON) tests/fuzz/run.py $(BUILD)/tests/fuzz \
		--seconds $(SECONDS) --runs $(RUNS) $(T)

$(BUILD)/tests/fuzz/fuzz_%: $(BUILD)/tests/fuzz/fuzz_%.o $(BUILD)/libaero.a
	@$(CC) -pthread -fsanitize=fuzzer,address,undefined \
		-fno-sanitize-recover=undefined $^ $(LIBS_V) -o $@

-include $(FUZZ_SRC:%.c=$(BUILD)/%.d)
