/* Requests about indexes, scripts, background queries and transactions as no
 * client sends them.  Whatever comes, answers are well formed, indexes hold
 * what records hold, and no lock outlives its time.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "../../src/server/sindex.h"
#include "../../src/server/txn.h"
#include "hostile.h"
#include "kit.h"
#include "script.h"

enum {
    SEEDS = 12,
    RECORDS = 30,
    MUTATIONS = 30000,
    BODY_MAX = 4096
};

typedef struct seed_body {
    uint8_t bytes[BODY_MAX];
    size_t len;
} seed_body;

static seed_body seeds[SEEDS];
static unsigned n_seeds;

static const char module[] =
    "function f(rec, x) if rec.n then rec.n = x aerospike:update(rec) end "
    "return x end\n"
    "function s(stream) return stream : map(function(rec) return rec.n end) "
    ": reduce(math.max) end\n";

static void
keep(kit *k)
{
    seed_body *seed = &seeds[n_seeds++];

    kit_end(k);
    memcpy(seed->bytes, k->ask.ptr, k->ask.len);
    seed->len = k->ask.len;
}

static void
begin_query(kit *k, uint8_t info1, uint8_t info2)
{
    kit_begin(k, info1, info2, AERO_INFO3_PARTITION_DONE);
    kit_field(k, AERO_FIELD_NAMESPACE, aero_span_str("test"));
    kit_field(k, AERO_FIELD_SET, aero_span_str("s"));
}

static void
add_range(kit *k)
{
    kit_field(k, AERO_FIELD_INDEX_RANGE,
              test_hex("01 01 6e 01 00000008 0000000000000000"
                       "00000008 0000000000001000"));
}

static void
add_function(kit *k, uint8_t op, const char *name, aero_span args)
{
    kit_field(k, AERO_FIELD_UDF_OP, aero_span_of(&op, 1));
    kit_field(k, AERO_FIELD_UDF_PACKAGE, aero_span_str("m"));
    kit_field(k, AERO_FIELD_UDF_FUNCTION, aero_span_str(name));
    kit_field(k, AERO_FIELD_UDF_ARGS, args);
}

static void
make_queries(kit *k)
{
    uint8_t pids[16];

    for (uint8_t i = 0; i < 8; i++) {
        pids[2 * i] = i;
        pids[2 * i + 1] = 0;
    }
    begin_query(k, AERO_INFO1_READ, 0);
    add_range(k);
    kit_field(k, AERO_FIELD_PARTITIONS, aero_span_of(pids, sizeof pids));
    keep(k);
    begin_query(k, AERO_INFO1_READ, 0);
    add_range(k);
    kit_field(k, AERO_FIELD_DIGESTS,
              test_hex("0100000000000000000000000000000000000000"));
    kit_field(k, AERO_FIELD_BVALS, test_hex("0300000000000000"));
    keep(k);
    begin_query(k, AERO_INFO1_READ, 0);
    kit_field(k, AERO_FIELD_INDEX_NAME, aero_span_str("shapes"));
    kit_field(k, AERO_FIELD_INDEX_RANGE,
              test_hex("01 00 17 00000025"
                       "7b2274797065223a22506f696e74222c22636f6f7264696e61"
                       "746573223a5b312c325d7d"));
    kit_field(k, AERO_FIELD_PARTITIONS, aero_span_of(pids, sizeof pids));
    keep(k);
}

static void
make_scripts(kit *k)
{
    aero_span args = test_hex("92 05 93 a3 03 61 62 82 01 02 03 c0 cb"
                              "3ff8000000000000");

    script_begin_args(k, "f", 1, args);
    keep(k);
    begin_query(k, 0, AERO_INFO2_WRITE);
    add_function(k, 2, "f", args);
    keep(k);
    begin_query(k, 0, AERO_INFO2_WRITE);
    add_range(k);
    kit_int_op(k, AERO_OP_INCR, "n", 1);
    keep(k);
    begin_query(k, AERO_INFO1_READ, 0);
    add_function(k, 1, "s", test_hex("90"));
    keep(k);
}

static void
make_txns(kit *k)
{
    uint8_t id[8];
    uint8_t until[4];

    aero_set_u64le(id, 77);
    aero_set_u32le(until, srv_clock_s(&k->core.clock) + 100);
    kit_begin(k, 0, AERO_INFO2_WRITE, 0);
    kit_key(k, "s", 2);
    kit_field(k, AERO_FIELD_TXN_ID, aero_span_of(id, 8));
    kit_field(k, AERO_FIELD_TXN_DEADLINE, aero_span_of(until, 4));
    kit_field(k, AERO_FIELD_VERSION, test_hex("00000000000100"));
    kit_int_op(k, AERO_OP_WRITE, "n", 9);
    keep(k);
    kit_begin(k, 0, AERO_INFO2_WRITE | AERO_INFO2_DURABLE_DELETE, 0);
    k->ask.ptr[k->at + 4] = AERO_INFO4_TXN_ROLL_FORWARD;
    kit_key(k, "s", 2);
    kit_field(k, AERO_FIELD_TXN_ID, aero_span_of(id, 8));
    keep(k);
    kit_begin(k, 0, AERO_INFO2_WRITE, 0);
    kit_key(k, SRV_MONITOR_SET, 77);
    kit_int_op(k, AERO_OP_WRITE, "id", 77);
    keep(k);
}

static bool
open_all(kit *k)
{
    static const char *const names[] = {"test"};
    aero_server_config config = {0};

    config.enterprise = true;
    config.namespaces = names;
    config.n_namespaces = 1;
    config.consistent = names;
    config.n_consistent = 1;
    config.lua = aero_lua_get;
    if (!kit_open_with(k, &config) || !script_put(k, module)) {
        return false;
    }
    kit_info(k, "sindex-create:ns=test;set=s;indexname=n;bin=n;type=numeric");
    kit_info(k, "sindex-create:ns=test;set=s;indexname=shapes;bin=g;"
                "type=geo2dsphere");
    for (unsigned i = 0; i < RECORDS; i++) {
        kit_put(k, "s", i, i, 0);
    }
    n_seeds = 0;
    make_queries(k);
    make_scripts(k);
    make_txns(k);
    return true;
}

/* Serve an exact copy, so that a read behind its end is noticed. */
static void
serve(kit *k, const uint8_t *bytes, size_t len)
{
    static kit_counts counts;
    uint8_t *copy = malloc(len + 1);

    if (copy == NULL) {
        return;
    }
    memcpy(copy, bytes, len);
    kit_serve(k, aero_span_of(copy, len));
    if (!k->out.failed && !kit_count(k, &counts)) {
        test_failed(__FILE__, __LINE__, "an answer is not well formed");
    }
    free(copy);
}

/* Background queries to their end, whatever rate they were given. */
static void
finish(kit *k)
{
    for (unsigned i = 0; i < 50; i++) {
        srv_core_work(&k->core);
    }
    kit_info(k, "query-abort-all");
    srv_core_work(&k->core);
}

/* Whether the index has one entry for each record with a number in bin n. */
static bool
index_is_right(const kit *k)
{
    const srv_ns *ns = k->core.ns[0];
    const srv_index *index = srv_index_named(ns->indexes, aero_span_str("n"));
    uint64_t count = 0;

    for (unsigned p = 0; p < AERO_PARTITIONS; p++) {
        for (uint32_t at = 0; at < ns->parts[p].count; at++) {
            const srv_record *rec = ns->parts[p].slots[at].rec;
            aero_val n = srv_record_bin(rec, aero_span_str("n"));
            srv_entry entry;

            if (n.particle != AERO_PARTICLE_INTEGER ||
                rec->set != index->def.set) {
                continue;
            }
            entry =
                srv_entry_of((int64_t)aero_get_u64(n.bytes.ptr), rec->digest);
            if (!srv_ordered_has(&index->parts[p], &entry)) {
                return false;
            }
            count++;
        }
    }
    return index->entries == count;
}

TEST(changed_requests_are_answered_and_harm_nothing)
{
    static uint8_t bytes[2 * BODY_MAX];
    uint64_t random = 17;
    kit k;

    REQUIRE(open_all(&k));
    for (unsigned i = 0; i < MUTATIONS; i++) {
        const seed_body *from = &seeds[test_random(&random) % n_seeds];
        size_t len;

        memcpy(bytes, from->bytes, from->len);
        len = hostile_change(bytes, from->len, &random);
        serve(&k, bytes, len);
        if (i % 50 == 0) {
            finish(&k);
            CHECK(index_is_right(&k));
        }
    }
    finish(&k);
    CHECK(index_is_right(&k));
    k.core.clock.ahead_ms = UINT64_C(1) << 43; /* beyond any deadline */
    srv_core_tick(&k.core);
    CHECK_INT(k.core.ns[0]->txns->n_locks, 0);
    kit_close(&k);
}

TEST(requests_cut_anywhere_are_answered)
{
    kit k;

    REQUIRE(open_all(&k));
    for (unsigned i = 0; i < n_seeds; i++) {
        for (size_t len = 0; len <= seeds[i].len; len++) {
            serve(&k, seeds[i].bytes, len);
        }
        finish(&k);
    }
    CHECK(index_is_right(&k));
    kit_close(&k);
}

TEST(without_memory_indexes_stay_right)
{
    kit k;

    REQUIRE(open_all(&k));
    for (unsigned i = 0; i < n_seeds; i++) {
        WITH_EACH_ALLOC_FAILING_HERE({
            aero_buf_fini(&k.out);
            kit_serve(&k, aero_span_of(seeds[i].bytes, seeds[i].len));
        });
        finish(&k);
        CHECK(index_is_right(&k));
    }
    kit_close(&k);
}
