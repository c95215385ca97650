# Benchmarks: read by the Makefile at the top.

.PHONY: bench bench-bin soak flat

BENCH_BIN = build/bench/floor build/bench/micro

$(BUILD)/bench/%.o: bench/%.c
	@mkdir -p $(@D)
	@echo "CC  $<"
	@$(CC) $(CFLAGS_V) -MMD -MP -c $< -o $@

build/bench/floor build/bench/micro: build/bench/%: \
    $(BUILD)/bench/%.o $(BUILD)/bench/floor_wire.o $(BUILD)/libaero.a
	@mkdir -p $(@D)
	@$(CC) $(LDFLAGS_V) $^ $(LIBS_V) -o $@

-include $(wildcard $(BUILD)/bench/*.d)

bench-bin: $(BENCH_BIN) ## the C programs of the benchmark

bench: $(BENCH_BIN) ## compare with the peers (BENCH="--quick" and so on)
	$(PY) bench/run.py $(BENCH)

soak: ## millions of operations, memory must stay flat (SOAK="--quick")
	$(PY) bench/soak.py $(SOAK)

flat: ## a million records are read, memory must stay flat (FLAT="--records 0.1")
	$(PY) bench/flat.py $(FLAT)
