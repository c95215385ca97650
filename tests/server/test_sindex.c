/* Secondary indexes: what they find, how they keep up, what they are called.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "../../src/server/sindex.h"
#include "aero/wire/value.h"
#include "kit.h"

static kit_counts counts; /* large */

enum {
    RECORDS = 400,
    LOWEST = -20,
    HIGHEST = 20
};

/* What the model knows of each record. */
typedef struct model {
    bool there;
    int64_t n;
    int64_t items[3];
} model;

static model records[RECORDS];

static void
put_model(kit *k, unsigned i)
{
    model *m = &records[i];
    aero_buf list = {0};

    aero_pack_list(&list, 3);
    for (unsigned p = 0; p < 3; p++) {
        aero_pack_int(&list, m->items[p]);
    }
    kit_begin(k, 0, AERO_INFO2_WRITE, 0);
    kit_key(k, "s", i);
    kit_int_op(k, AERO_OP_WRITE, "n", m->n);
    kit_op(k, AERO_OP_WRITE, AERO_PARTICLE_LIST, "l", aero_buf_span(&list));
    CHECK_INT(kit_send(k), AERO_ERR_OK);
    aero_buf_fini(&list);
    m->there = true;
}

static void
delete_model(kit *k, unsigned i)
{
    kit_begin(k, 0, AERO_INFO2_WRITE | AERO_INFO2_DELETE, 0);
    kit_key(k, "s", i);
    kit_send(k);
    records[i].there = false;
}

static int64_t
any_number(void)
{
    return LOWEST + rand() % (HIGHEST - LOWEST + 1);
}

static void
change_some(kit *k, unsigned rounds)
{
    for (unsigned round = 0; round < rounds; round++) {
        unsigned i = (unsigned)rand() % RECORDS;

        if (rand() % 4 == 0) {
            delete_model(k, i);
            continue;
        }
        records[i].n = any_number();
        for (unsigned p = 0; p < 3; p++) {
            records[i].items[p] = any_number();
        }
        put_model(k, i);
    }
}

static void
put_range(aero_buf *out, const char *bin, int64_t low, int64_t high)
{
    aero_buf_put_u8(out, 1);
    aero_buf_put_u8(out, (uint8_t)strlen(bin));
    aero_buf_put_str(out, bin);
    aero_buf_put_u8(out, AERO_PARTICLE_INTEGER);
    aero_buf_put_u32(out, 8);
    aero_buf_put_u64(out, (uint64_t)low);
    aero_buf_put_u32(out, 8);
    aero_buf_put_u64(out, (uint64_t)high);
}

static void
put_pids(kit *k, unsigned from, unsigned to)
{
    aero_buf pids = {0};

    for (unsigned i = from; i < to; i++) {
        aero_buf_put_u8(&pids, (uint8_t)i);
        aero_buf_put_u8(&pids, (uint8_t)(i >> 8));
    }
    kit_field(k, AERO_FIELD_PARTITIONS, aero_buf_span(&pids));
    aero_buf_fini(&pids);
}

static void
begin_query(kit *k, const char *set, const char *bin, uint8_t kind,
            int64_t low, int64_t high)
{
    aero_buf range = {0};

    put_range(&range, bin, low, high);
    kit_begin(k, AERO_INFO1_READ, 0, AERO_INFO3_PARTITION_DONE);
    kit_field(k, AERO_FIELD_NAMESPACE, aero_span_str("test"));
    if (set != NULL) {
        kit_field(k, AERO_FIELD_SET, aero_span_str(set));
    }
    kit_field(k, AERO_FIELD_INDEX_TYPE, aero_span_of(&kind, 1));
    kit_field(k, AERO_FIELD_INDEX_RANGE, aero_buf_span(&range));
    aero_buf_fini(&range);
}

static int
ask(kit *k)
{
    kit_send(k);
    return kit_count(k, &counts) ? counts.code : -1;
}

static int
query(kit *k, const char *bin, uint8_t kind, int64_t low, int64_t high)
{
    begin_query(k, "s", bin, kind, low, high);
    put_pids(k, 0, AERO_PARTITIONS);
    return ask(k);
}

static bool
model_matches(const model *m, bool list, int64_t low, int64_t high)
{
    bool found = !list && m->n >= low && m->n <= high;

    for (unsigned p = 0; list && p < 3; p++) {
        found = found || (m->items[p] >= low && m->items[p] <= high);
    }
    return m->there && found;
}

static unsigned
model_count(bool list, int64_t low, int64_t high)
{
    unsigned count = 0;

    for (unsigned i = 0; i < RECORDS; i++) {
        count += model_matches(&records[i], list, low, high);
    }
    return count;
}

static int
compare_digests(const void *a, const void *b)
{
    return memcmp(a, b, AERO_DIGEST_SIZE);
}

static bool
has_doubles(void)
{
    qsort(counts.digests, counts.records, AERO_DIGEST_SIZE, compare_digests);
    for (unsigned i = 1; i < counts.records; i++) {
        if (compare_digests(counts.digests[i - 1], counts.digests[i]) == 0) {
            return true;
        }
    }
    return false;
}

static void
check_against_model(kit *k)
{
    for (unsigned i = 0; i < 20; i++) {
        int64_t low = any_number();
        int64_t high = low + rand() % 8;

        CHECK_INT(query(k, "n", SRV_INDEX_VALUE, low, high), AERO_ERR_OK);
        CHECK_INT(counts.records, model_count(false, low, high));
        CHECK_INT(query(k, "l", SRV_INDEX_LIST, low, high), AERO_ERR_OK);
        CHECK_INT(counts.records, model_count(true, low, high));
        CHECK(!has_doubles());
    }
}

static void
make_two(kit *k)
{
    CHECK_TEXT(kit_info(k, "sindex-create:namespace=test;set=s;indexname=n;"
                           "bin=n;type=numeric"),
               "ok");
    CHECK_TEXT(kit_info(k, "sindex-create:namespace=test;set=s;indexname=l;"
                           "bin=l;type=numeric;indextype=list"),
               "ok");
}

TEST(an_index_finds_what_a_model_finds_whatever_was_changed)
{
    kit k;

    srand(11);
    memset(records, 0, sizeof records);
    REQUIRE(kit_open(&k));
    change_some(&k, 600);
    make_two(&k); /* over records that are there */
    check_against_model(&k);
    for (unsigned round = 0; round < 5; round++) {
        change_some(&k, 200); /* and over records that come and go */
        check_against_model(&k);
    }
    CHECK_TEXT(kit_info(&k, "truncate:namespace=test;set=s"), "ok");
    memset(records, 0, sizeof records);
    check_against_model(&k);
    CHECK(strncmp(kit_info(&k, "sindex-stat:namespace=test;indexname=l"),
                  "entries=0;", 10) == 0);
    kit_close(&k);
}

TEST(records_that_expire_leave_the_index)
{
    kit k;

    REQUIRE(kit_open(&k));
    make_two(&k);
    CHECK_INT(kit_put(&k, "s", 1, 5, 10), AERO_ERR_OK);
    CHECK_INT(kit_put(&k, "s", 2, 5, 0), AERO_ERR_OK);
    CHECK_INT(query(&k, "n", 0, 5, 5), AERO_ERR_OK);
    CHECK_INT(counts.records, 2);
    k.core.clock.ahead_ms = 60000;
    CHECK_INT(query(&k, "n", 0, 5, 5), AERO_ERR_OK);
    CHECK_INT(counts.records, 1);
    srv_core_tick(&k.core);
    CHECK(strncmp(kit_info(&k, "sindex-stat:namespace=test;indexname=n"),
                  "entries=1;", 10) == 0);
    kit_close(&k);
}

/* All in one partition, so that one place says where to go on. */
static void
fill_partition(kit *k)
{
    for (unsigned i = 0; i < 90; i++) {
        uint8_t digest[AERO_DIGEST_SIZE] = {0};

        digest[5] = (uint8_t)(i * 37);
        kit_begin(k, 0, AERO_INFO2_WRITE, 0);
        kit_field(k, AERO_FIELD_NAMESPACE, aero_span_str("test"));
        kit_field(k, AERO_FIELD_DIGEST, aero_span_of(digest, sizeof digest));
        kit_int_op(k, AERO_OP_WRITE, "n", i % 10);
        CHECK_INT(kit_send(k), AERO_ERR_OK);
    }
}

/* The number behind the last record of the answer. */
static bool
find_last_number(const kit *k, uint8_t *number)
{
    aero_span in = aero_buf_span(&k->out);
    aero_frame frame;
    aero_span body;
    bool found = false;

    if (aero_frame_take(&in, &frame, &body, NULL) != AERO_OK) {
        return false;
    }
    while (body.len != 0) {
        aero_field field;
        aero_msg msg;
        aero_op op;

        aero_msg_take(&body, &msg, NULL);
        for (unsigned i = 0; i < msg.n_fields; i++) {
            aero_field_take(&body, &field, NULL);
            if (field.type == AERO_FIELD_BVALS && field.data.len == 8) {
                memcpy(number, field.data.ptr, 8);
                found = true;
            }
        }
        for (unsigned i = 0; i < msg.n_ops; i++) {
            aero_op_take(&body, &op, NULL);
        }
    }
    return found;
}

TEST(a_partition_is_read_upwards_and_resumed_above_a_number_and_digest)
{
    kit k;
    uint8_t digest[AERO_DIGEST_SIZE];
    uint8_t number[8] = {0};
    uint8_t last[8] = {0};
    uint8_t most[8] = {0, 0, 0, 0, 0, 0, 0, 7};
    unsigned total = 0;

    REQUIRE(kit_open(&k));
    fill_partition(&k);
    CHECK_TEXT(kit_info(&k, "sindex-create:ns=test;indexname=n;"
                            "indexdata=n,numeric"),
               "ok");
    for (unsigned round = 0; round < 20; round++) {
        begin_query(&k, NULL, "n", 0, 3, 7);
        if (round == 0) {
            put_pids(&k, 0, 1);
        }
        else {
            kit_field(&k, AERO_FIELD_DIGESTS, aero_span_of(digest, 20));
            kit_field(&k, AERO_FIELD_BVALS, aero_span_of(number, 8));
        }
        kit_field(&k, AERO_FIELD_MAX_RECORDS, aero_span_of(most, 8));
        CHECK_INT(ask(&k), AERO_ERR_OK);
        total += counts.records;
        if (counts.records < 7) {
            break;
        }
        REQUIRE(find_last_number(&k, number));
        CHECK(memcmp(number, last, 8) >= 0);
        memcpy(last, number, 8);
        memcpy(digest, counts.digests[counts.records - 1], sizeof digest);
    }
    CHECK_INT(total, 45);
    kit_close(&k);
}

TEST(an_index_that_is_being_built_cannot_be_asked)
{
    kit k;
    unsigned slices = 0;

    REQUIRE(kit_open(&k));
    for (unsigned i = 0; i < SRV_BUILD_SLICE * 3; i++) {
        kit_put(&k, "s", i, i % 100, 0);
    }
    make_two(&k);
    CHECK_INT(srv_core_rest_ms(&k.core), 0);
    CHECK_INT(query(&k, "n", 0, 1, 1), AERO_ERR_INDEX_NOT_READABLE);
    CHECK(strstr(kit_info(&k, "sindex-list:ns=test"), "state=WO") != NULL);
    kit_put(&k, "s", SRV_BUILD_SLICE * 3, 1, 0);
    kit_put(&k, "s", 1, 2, 0); /* it was 1 */
    while (srv_core_rest_ms(&k.core) == 0) {
        srv_core_work(&k.core);
        slices++;
    }
    CHECK(slices >= 1);
    CHECK_INT(query(&k, "n", 0, 1, 1), AERO_ERR_OK);
    CHECK_INT(counts.records, SRV_BUILD_SLICE * 3 / 100);
    CHECK(strstr(kit_info(&k, "sindex-stat:ns=test;indexname=n"),
                 "load_pct=100") != NULL);
    kit_close(&k);
}

TEST(an_index_outlives_its_removal_while_it_is_walked)
{
    kit k;
    srv_call call;
    srv_stream *stream;
    uint32_t wait_ms;
    uint8_t rate[4] = {0, 0, 0, 1};
    aero_buf body = {0};
    aero_buf out = {0};

    REQUIRE(kit_open(&k));
    make_two(&k);
    kit_put(&k, "s", 1, 5, 0);
    kit_put(&k, "s", 2, 5, 0);
    begin_query(&k, "s", "n", 0, 5, 5);
    put_pids(&k, 0, AERO_PARTITIONS);
    kit_field(&k, AERO_FIELD_RECORDS_PER_SECOND, aero_span_of(rate, 4));
    kit_end(&k);
    aero_buf_put_span(&body, aero_buf_span(&k.ask));
    call = kit_call(&k);
    stream = srv_serve(&call, aero_buf_span(&body), &out);
    REQUIRE(stream != NULL);
    CHECK(stream->step(stream, &out, &wait_ms) == AERO_MORE);
    CHECK_TEXT(kit_info(&k, "sindex-delete:ns=test;indexname=n"), "ok");
    kit_put(&k, "s", 2, 6, 0);
    while (stream->step(stream, &out, &wait_ms) == AERO_MORE) {
        CHECK(!out.failed);
    }
    stream->close(stream);
    CHECK_INT(query(&k, "n", 0, 5, 5), AERO_ERR_INDEX_NOT_FOUND);
    aero_buf_fini(&body);
    aero_buf_fini(&out);
    kit_close(&k);
}

TEST(names_and_definitions_are_one_to_one)
{
    kit k;

    REQUIRE(kit_open(&k));
    make_two(&k);
    make_two(&k); /* the same again */
    CHECK_TEXT(kit_info(&k, "sindex-create:ns=test;set=s;indexname=n;bin=m;"
                            "type=numeric"),
               "ERROR:200:'indexname' already exists with different "
               "definition");
    CHECK_TEXT(kit_info(&k, "sindex-create:ns=test;set=s;indexname=other;"
                            "bin=n;type=NUMERIC"),
               "ok"); /* takes the new name */
    CHECK_TEXT(kit_info(&k, "sindex-exists:ns=test;indexname=n"), "false");
    CHECK_TEXT(kit_info(&k, "sindex-exists:ns=test;indexname=other"), "true");
    CHECK_TEXT(kit_info(&k, "sindex-create:ns=test;set=s;indexname=c;bin=m;"
                            "type=string;context=liKjA2FiEP8TogN4"),
               "ok");
    CHECK_TEXT(kit_info(&k, "sindex-create:ns=test;set=s;indexname=e;"
                            "type=numeric;exp=kxSTUQKhYQE="),
               "ok");
    CHECK_TEXT(
        kit_info(&k, "sindex-list:ns=test"),
        "ns=test:indexname=other:set=s:bin=n:type=numeric:indextype=default:"
        "context=null:exp=null:state=RW;"
        "ns=test:indexname=l:set=s:bin=l:type=numeric:indextype=list:"
        "context=null:exp=null:state=RW;"
        "ns=test:indexname=c:set=s:bin=m:type=string:indextype=default:"
        "context=[map_key(<string#2>), list_index(-1), "
        "list_value(<string#1>)]:exp=null:state=RW;"
        "ns=test:indexname=e:set=s:bin=null:type=numeric:indextype=default:"
        "context=null:exp=add(bin_int(\"a\"), 1):state=RW");
    for (unsigned i = 0; i < SRV_INDEXES_MAX; i++) {
        char line[128];

        snprintf(line, sizeof line,
                 "sindex-create:ns=bar;indexname=i%u;bin=b%u;type=blob", i, i);
        CHECK_TEXT(kit_info(&k, line), "ok");
    }
    CHECK(strncmp(kit_info(&k, "sindex-create:ns=bar;indexname=more;bin=x;"
                               "type=blob"),
                  "ERROR:206:", 10) == 0);
    kit_close(&k);
}

TEST(an_index_of_a_set_changes_nothing_but_the_way)
{
    kit k;
    unsigned before;

    srand(3);
    memset(records, 0, sizeof records);
    REQUIRE(kit_open(&k));
    kit_put(&k, "other", 1, 1, 0);
    change_some(&k, 300);
    for (int with = 0; with < 2; with++) {
        kit_begin(&k, AERO_INFO1_READ, 0, AERO_INFO3_PARTITION_DONE);
        kit_field(&k, AERO_FIELD_NAMESPACE, aero_span_str("test"));
        kit_field(&k, AERO_FIELD_SET, aero_span_str("s"));
        put_pids(&k, 0, AERO_PARTITIONS);
        CHECK_INT(ask(&k), AERO_ERR_OK);
        CHECK(with == 0 || counts.records == before);
        before = counts.records;
        CHECK_TEXT(kit_info(&k, "sindex-create:ns=test;set=s;indexname=all;"
                                "indextype=set"),
                   "ok");
    }
    CHECK(strstr(kit_info(&k, "sets/test/s"), "enable-index=true") != NULL);
    CHECK_TEXT(kit_info(&k, "sindex-list:ns=test"),
               "ns=test:indexname=all:set=s:indextype=set");
    CHECK_TEXT(kit_info(&k, "set-config:context=namespace;id=test;set=s;"
                            "enable-index=false"),
               "ok");
    CHECK_TEXT(kit_info(&k, "sindex-list:ns=test"), "");
    kit_close(&k);
}

/* The number of entries must be right whichever allocation fails. */
TEST(a_write_without_memory_changes_no_index)
{
    kit k;

    REQUIRE(kit_open(&k));
    make_two(&k);
    CHECK_INT(kit_put(&k, "s", 1, 5, 0), AERO_ERR_OK);
    for (unsigned fail = 0; fail < 60; fail++) {
        int code;

        test_fail_alloc(fail);
        code = kit_put(&k, "s", 2 + fail, 5, 0);
        test_fail_alloc(-1);
        query(&k, "n", 0, 5, 5);
        CHECK(code == AERO_ERR_OK || code == AERO_ERR_SERVER || code == -1);
        CHECK_INT(counts.records,
                  srv_index_named(k.core.ns[0]->indexes, aero_span_str("n"))
                      ->entries);
    }
    kit_close(&k);
}
