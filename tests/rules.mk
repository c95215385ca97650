# Sanitizers and fuzzing.  C tests of a variant are `make test-c V=...`; these
# add the Python suite where it can run, and the fuzz targets.

CLANG     ?= clang
SECONDS   ?= 60
RUNS      ?= 0
FUZZ_SRC   = $(wildcard tests/fuzz/fuzz_*.c)
FUZZ_BIN   = $(FUZZ_SRC:%.c=$(BUILD)/%)

.PHONY: asan ubsan tsan valgrind fuzz fuzz-run test-variant

# ---- sanitizers: the C suite, then the Python suite on a build apart -----------

# the sanitizer wraps crypt_r, which it must find when it starts
ASAN_LIB   = $(shell $(CC) -print-file-name=libasan.so) libcrypt.so.1
SAN_PATH   = $(CURDIR)/build/python-$(V)
# what Python itself never gives back is no leak of ours; the C tests look for leaks
SAN_ENV    = AERO_VARIANT=$(V) PYTHONMALLOC=malloc PYTHONPATH=$(SAN_PATH) \
             ASAN_OPTIONS=detect_leaks=0:log_path=$(SAN_PATH)-report \
             UBSAN_OPTIONS=print_stacktrace=1:log_path=$(SAN_PATH)-report

asan: build ## the C and Python suites under the address sanitizer
	@$(SUB) test-variant V=asan PRELOAD='LD_PRELOAD="$(ASAN_LIB)"'

ubsan: build ## the same for undefined behaviour
	@$(SUB) test-variant V=ubsan

tsan: deps ## the C core and the server, with threads, under the thread sanitizer
	@$(SUB) -j$(JOBS) test-bin V=tsan
	@$(SUB) test-c V=tsan

test-variant:
	@$(PREPARE) build $(VENV) tests/requirements.txt
	@$(SUB) -j$(JOBS) test-bin V=$(V)
	@$(SUB) test-c V=$(V)
	@AERO_VARIANT=$(V) $(PY) setup.py -q build --build-base build/work-$(V) --build-lib $(SAN_PATH)
	@$(PRELOAD) $(SAN_ENV) $(VENV)/bin/pytest -q -p no:cacheprovider \
		-p no:faulthandler $(or $(TESTS),tests)

VALGRIND   = valgrind -q --error-exitcode=1 --leak-check=full \
             --errors-for-leak-kinds=definite --fair-sched=yes

valgrind: deps ## the C tests under valgrind (T="tests/wire/test_key" and so on)
	@$(SUB) -j$(JOBS) test-bin V=debug
	@set -e; for t in $(or $(T:%=build/c-debug/%),$(TEST_SRC:%.c=build/c-debug/%)); do \
	    $(VALGRIND) $$t; done

# ---- fuzzing -------------------------------------------------------------------

fuzz: ## every reader on hostile bytes (SECONDS=n or RUNS=n each, T=targets)
	@$(MAKE) --no-print-directory fuzz-run V=fuzz CC=$(CLANG)

fuzz-run: $(FUZZ_BIN)
	@nice -n 10 $(PYTHON) tests/fuzz/run.py $(BUILD)/tests/fuzz \
		--seconds $(SECONDS) --runs $(RUNS) $(T)

$(BUILD)/tests/fuzz/fuzz_%: $(BUILD)/tests/fuzz/fuzz_%.o $(BUILD)/libaero.a
	@$(CC) -pthread -fsanitize=fuzzer,address,undefined \
		-fno-sanitize-recover=undefined $^ $(LIBS_V) -o $@

-include $(FUZZ_SRC:%.c=$(BUILD)/%.d)
