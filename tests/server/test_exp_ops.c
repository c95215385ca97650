/* EXP_READ and EXP_MODIFY, calls inside expressions, expressions inside
 * paths, and what all of them survive.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "aero/wire/key.h"
#include "aero/wire/value.h"
#include "exp_check.h"
#include "vectors.h"

/* ---- the two operations ---- */

static exp_fixture usual; /* set at the start of tests that use read_op */

/* EXP_READ and EXP_MODIFY as operations like the others. */
static int
read_op(aero_val bin, bool modify, aero_span payload, aero_made *reply,
        aero_made *after)
{
    if (modify) {
        return aero_exp_modify(payload, &usual.record, bin, after);
    }
    return aero_exp_read(payload, &usual.record, reply);
}

TEST(reading_takes_one_flag_that_forgives_unknown)
{
    exp_fixture_usual(&usual);
    OP_ROWS(read_op, 1, false, {"92935102a16900", NULL, 0, INT("2a")},
            {"92935102a17a00", NULL, 26}, {"92935102a17a10", NULL, 0, NULL},
            {"92c000", NULL, 0, "0:"}, {"92c010", NULL, 0, "0:"},
            {"920101", NULL, 4}, {"920120", NULL, 4}, {"920101", NULL, 4},
            {"9105", NULL, 0, INT("05")}, {"9205a20361", NULL, 0, INT("05")},
            {"92050099", NULL, 0, INT("05")}, {"90", NULL, 4},
            {"93050000", NULL, 4}, {"05", NULL, 4},
            {"920510", NULL, 0, INT("05")}, {"92910010", NULL, 0, NULL},
            {"92916400", NULL, 26});
}

TEST(writing_obeys_what_the_flags_say_of_the_bin)
{
    const char *one = "0000000000000001";

    exp_fixture_usual(&usual);
    OP_ROWS(read_op, 1, true, {"920500", one, 0, NULL, "0000000000000005"},
            {"920501", one, 6}, {"920509", one, 0, NULL, NULL},
            {"920502", NULL, 17}, {"92050a", NULL, 0, NULL, NULL},
            {"920501", NULL, 0, NULL, "0000000000000005"},
            {"920502", one, 0, NULL, "0000000000000005"}, {"920520", one, 4},
            {"92910000", one, 26}, {"92910010", one, 0, NULL, NULL},
            {"92910008", one, 26});
}

TEST(nil_deletes_a_bin_only_when_allowed)
{
    const char *one = "0000000000000001";
    aero_made after = {0};

    exp_fixture_usual(&usual);
    OP_ROWS(read_op, 1, true, {"92c000", one, 26},
            {"92c008", one, 0, NULL, NULL}, {"92c002", one, 0, NULL, NULL},
            {"92c010", one, 0, NULL, NULL}, {"92c000", NULL, 0, NULL, NULL},
            {"92c004", NULL, 0, NULL, NULL});
    CHECK_INT(
        read_op(op_value(1, one), true, test_hex("92c004"), NULL, &after), 0);
    CHECK(after.present && after.particle == AERO_PARTICLE_NIL);
    aero_made_fini(&after);
}

/* ---- calls ---- */

TEST(calls_read_lists_maps_blobs_and_sketches)
{
    READS({"957f02009110935104a16c", 0, INT("05")},
          {"957f020093130700935104a16c", 0, INT("05")},
          {"957f02009160935105a16d", 0, INT("03")},
          {"957f02009110927e9101", 0, INT("01")},
          {"957f020093ccff9222a203619110935105a26e6c", 0, INT("03")},
          {"957f0201933300"
           "18935106a162",
           0, INT("06")},
          {"957f02029132935109a168", 0, INT("05")},
          {"957f04029137935109a168", 0, "20:920400"},
          {"957f000093130000935104a16c", 0, "0:"});
}

TEST(modifying_calls_give_the_whole_value)
{
    READS({"957f0440920109935104a16c", 0, "20:96050104020309"},
          {"957f02009110957f0440920109935104a16c", 0, INT("06")},
          {"957f05409343a2037805935105a170", 0, "19:82a2036101a2037805"},
          {"957f0641920001"
           "935106a162",
           0, "4:01"},
          {"957f094292000"
           "4935109a168",
           0, "18:0004000000000000000000000000000000000000000000"},
          {"957f0441920001935106a162", 26}, /* a blob is no list */
          {"957f044092010993510"
           "5a16d",
           26});
}

TEST(pairs_stay_pairs_when_a_call_changes_them)
{
#define PAIRS "957f0500936a0800935105a16d"
    READS({PAIRS, 0, "19:84c70008c0a2036101a2036202a2036303"},
          {"957f05409343a2037a09" PAIRS, 0,
           "19:85c70008c0a2036101a2036202a2036303a2037a09"},
          {"957f0540914b" PAIRS, 0, "19:81c70008c0"},
          {"957f0540924001" PAIRS, 0, "19:84c70001c0a2036101a2036202a2036303"},
          {"957f0540924000" PAIRS, 0, "19:83a2036101a2036202a2036303"});
#undef PAIRS
}

TEST(nil_in_place_of_a_value_is_a_bin_to_be_created)
{
    READS({"957f0440920109c0", 0, "20:9109"},
          {"957f05409343a2036303c0", 0, "19:81a2036303"},
          {"957f06419200"
           "04c0",
           0, "4:00000000"},
          {"957f0540920109c0", 26}, {"957f0440920700c0", 26},
          {"92149"
           "57f02009110c0",
           4});
}

TEST(calls_are_of_the_type_they_declare)
{
    READS({"957f020093130702935104a16c", 0, INT("04")},
          {"957f030093130702935104a16c", 26},
          {"957f02009313070a935104a16c", 26}, {"957f0a009110935104a16c", 4},
          {"957f02049110935104a16c", 4}, {"957f02039110935104a16c", 4},
          {"957f02009110935106a162", 4}, {"957f02019110935104a16c", 4},
          {"957f02409110935104a16c", 26},
          {"957f04009201"
           "09935104a16c",
           26},
          {"957f0200911009", 4}, {"957f020090935104a16c", 4},
          {"957f020005935104a16c", 4},
          {"957f02cf00000001000000009110935104a16c", 0, INT("05")});
}

TEST(arguments_of_calls_may_be_computed)
{
    READS({"957f02009313079315935102a1692a935104a16c", 0, INT("05")},
          {"957f0200931705927e920501935104a16c", 0, INT("02")},
          {"957f0200931705920501935104a16c", 4},
          {"957f02009313079100935104a16c", 26},
          {"957f044092019214c3935104a16c", 4},
          {"957f04409201931405"
           "06935104a16c",
           0, "20:9605010402030b"},
          {"957f0440920193"
           "5103a173935104a16c",
           0,
           "20:96050104020"
           "3a60368656c6c6f"},
          {"957f0440920193"
           "5104a16c935104a16c",
           0,
           "20:96050104020"
           "3950501040203"},
          {"957f0201933393171e0508935106a162", 0, INT("01")});
}

TEST(keys_and_values_of_maps_and_members_of_lists)
{
    READS({"9265935105a16d", 0, "20:93a20361a20362a20363"},
          {"9266935105a16d", 0, "20:93010203"}, {"926501", 26},
          {"926582a2036202a2036101", 0, "20:92a20362a20361"},
          {"930905935104a16c", 0, TRUE_}, {"930907935104a16c", 0, FALSE_},
          {"9309a20362"
           "9265935105a16d",
           0, TRUE_},
          {"9309927e9101927e919101", 0, TRUE_},
          {"9309ca40000000"
           "927e91cb4000000000000000",
           0, TRUE_},
          {"9309c0927e91c0", 0, TRUE_}, {"93099100935104a16c", 26});
}

/* ---- paths ---- */

TEST(paths_evaluate_expressions_on_what_they_meet)
{
    READS(
        {"957f040093ccfe92049303937a0201030193"
         "5104a16c",
         0, "20:920504"},
        {"957f044094ccfe9204c3049316937a02010a935104a16c", 0,
         "20:95320a28141e"},
        {"957f044094ccfe92049303937a020103049164935104a16c", 0, "20:93010203"},
        {"957f040093ccfe92049301937a0202000193"
         "5104a16c",
         0, "20:9105"},
        {"957f040093ccfe92049301937a0300a2036201935105a16d", 0, "20:9102"},
        {"957f040093ccfe92049303937a0301a2036101935104a16c", 26},
        {"957f040093ccfe9204"
         "c20193"
         "5104a16c",
         26});
}

TEST(filters_of_paths_that_are_no_bool_let_nothing_pass)
{
    READS({"957f040093ccfe9204927e910101935104a16c", 0, "20:90"},
          {"957f040093ccfe920493140101"
           "01935104a16c",
           0, "20:90"},
          {"957f040093ccfe9204916401935104a16c", 0, "20:90"},
          {"957f040093ccfe9204910001935104a16c", 26},
          {"957f040093ccfe9204910011935104a16c", 0, "20:90"},
          {"957f040093ccfe92040501935104a16c", 26});
}

TEST(paths_see_no_record)
{
    READS({"957f040093ccfe92049303937a0201935102a16e01935104a16c", 26},
          {"957f040093ccfe92049303937a0201935102a16e11935104a16c", 0, "20:90"},
          {"957f040093ccfe92049303937a0201914511935104a16c", 0, "20:90"},
          {"937a0201", 26});
}

/* A path in a path in a path ...: each level counts like an expression. */
TEST(paths_inside_paths_have_an_end)
{
    aero_buf packed = AERO_BUF_INIT;
    aero_buf next = AERO_BUF_INIT;
    aero_made reply = {0};
    aero_span open = test_hex("9302957f040093ccfe9204");
    aero_span close = test_hex("11927e919101927e9101");
    exp_fixture f;

    exp_fixture_usual(&f);
    aero_buf_put_u8(&packed, 0xc3);
    for (int i = 0; i < 2000; i++) {
        aero_buf swap = packed;

        next.len = 0;
        aero_buf_put_span(&next, open);
        aero_buf_put_span(&next, aero_buf_span(&packed));
        aero_buf_put_span(&next, close);
        packed = next;
        next = swap;
    }
    next.len = 0;
    aero_buf_put_u8(&next, 0x92);
    aero_buf_put_span(&next, aero_buf_span(&packed));
    aero_buf_put_u8(&next, 0);
    CHECK_INT(aero_exp_read(aero_buf_span(&next), &f.record, &reply), 0);
    aero_buf_fini(&packed);
    aero_buf_fini(&next);
    aero_made_fini(&reply);
}

/* ---- golden vectors ---- */

/* What a bin's value looks like without the cells of its shape. */
static aero_span
without_cells(const vector_value *value, uint8_t head[3])
{
    aero_span text = value->bytes;

    if (value->particle == AERO_PARTICLE_GEOJSON &&
        aero_geojson_take(value->bytes, &text)) {
        head[0] = value->bytes.ptr[0];
        head[1] = head[2] = 0;
    }
    return text;
}

static void
check_value(const vector *v, const char *what, const aero_made *made,
            const vector_value *want)
{
    uint8_t head[3];
    aero_span got = aero_buf_span(&made->bytes);
    aero_span text = without_cells(want, head);
    uint8_t particle = made->present ? made->particle : AERO_PARTICLE_NIL;

    if (particle != want->particle) {
        test_failed(__FILE__, __LINE__, "%s: %s has particle %d, not %d",
                    v->id, what, particle, want->particle);
        return;
    }
    if (particle == AERO_PARTICLE_GEOJSON) {
        CHECK(got.len > 3 && memcmp(got.ptr, head, 3) == 0);
        got = aero_span_skip(got, 3);
    }
    if (particle != AERO_PARTICLE_NIL) {
        test_check_bytes(__FILE__, __LINE__, v->id, got, text);
    }
}

static void
fixture_of(exp_fixture *f, vectors *bins, const char *group, const char *key)
{
    uint8_t digest[20];

    exp_fixture_init(f, "s", strcmp(group, "exp_record") == 0 ? key : NULL);
    aero_digest(aero_span_str("s"), AERO_PARTICLE_STRING, aero_span_str(key),
                digest);
    memcpy(f->digest, digest, sizeof digest);
    vectors_init_group(bins, group);
    for (size_t i = 0; i < bins->count; i++) {
        exp_add_bin(f, strrchr(bins->at[i].id, '.') + 1,
                    bins->at[i].before.particle, bins->at[i].before.bytes);
    }
}

/* Records of the vectors and their keys. */
typedef struct records {
    exp_fixture fixture[3];
    vectors bins[3];
} records;

static void
records_init(records *r)
{
    fixture_of(&r->fixture[0], &r->bins[0], "exp_record", "k1");
    fixture_of(&r->fixture[1], &r->bins[1], "probe_record", "raw1");
    fixture_of(&r->fixture[2], &r->bins[2], "probe2_record", "raw1");
}

static void
records_fini(records *r)
{
    for (int i = 0; i < 3; i++) {
        vectors_fini(&r->bins[i]);
    }
}

static exp_fixture *
record_of(records *r, const vector *v)
{
    return &r->fixture[strcmp(v->where, "probe") == 0    ? 1
                       : strcmp(v->where, "probe2") == 0 ? 2
                                                         : 0];
}

static void
check_filter(const vector *v, const exp_fixture *f)
{
    aero_exp *exp = NULL;
    int rc = aero_exp_build_filter(v->payload, &exp);

    if (rc == 0) {
        rc = aero_exp_matches(exp, &f->record) ? 0 : 27;
    }
    aero_exp_free(exp);
    if (rc != v->rc) {
        test_failed(__FILE__, __LINE__, "%s: rc %d, not %d", v->id, rc, v->rc);
    }
}

static void
check_read(const vector *v, const exp_fixture *f)
{
    aero_made reply = {0};
    int rc = aero_exp_read(v->payload, &f->record, &reply);

    if (rc != v->rc) {
        test_failed(__FILE__, __LINE__, "%s: rc %d, not %d", v->id, rc, v->rc);
    }
    else if (rc == 0 && v->is_volatile) {
        CHECK_INT(reply.particle, v->reply.particle);
    }
    else if (rc == 0) {
        check_value(v, "reply", &reply, &v->reply);
    }
    aero_made_fini(&reply);
}

static void
check_write(const vector *v, exp_fixture *f)
{
    aero_made after = {0};
    aero_val bin = exp_find_bin(f, aero_span_str(v->where));
    int rc = aero_exp_modify(v->payload, &f->record, bin, &after);

    if (rc != v->rc) {
        test_failed(__FILE__, __LINE__, "%s: rc %d, not %d", v->id, rc, v->rc);
    }
    else if (rc == 0) {
        if (!after.present) { /* the bin as it was */
            after.present = true;
            after.particle = bin.particle;
            aero_buf_put_span(&after.bytes, bin.bytes);
        }
        check_value(v, "after", &after, &v->after);
    }
    aero_made_fini(&after);
}

/* Run the vectors of a group that are of expressions; how many. */
static size_t
check_group(const char *group)
{
    records r;
    vectors all;
    size_t count = 0;

    records_init(&r);
    vectors_init_group(&all, group);
    for (size_t i = 0; i < all.count; i++) {
        const vector *v = &all.at[i];

        count++;
        if (strcmp(v->kind, "filter") == 0) {
            check_filter(v, record_of(&r, v));
        }
        else if (strcmp(v->kind, "exp") == 0) {
            check_read(v, record_of(&r, v));
        }
        else if (strcmp(v->kind, "exp_write") == 0) {
            check_write(v, record_of(&r, v));
        }
        else {
            count--;
        }
    }
    vectors_fini(&all);
    records_fini(&r);
    return count;
}

TEST(golden_vectors_of_expressions_are_answered_as_they_say)
{
    CHECK_INT(check_group("exp"), 294);
    CHECK_INT(check_group("expw"), 15);
    CHECK_INT(check_group("filter"), 7);
    CHECK_INT(check_group("probe"), 135);
}

/* ---- robustness ---- */

/* The payloads of a group, cut at each byte and changed at random. */
static void
survive_group(const char *group, int times)
{
    static uint8_t work[65536];
    aero_val bin = op_value(1, "0000000000000001");
    uint64_t seed = 9;
    vectors all;

    exp_fixture_usual(&usual);
    vectors_init_group(&all, group);
    for (size_t i = 0; i < all.count; i++) {
        aero_span payload = all.at[i].payload;

        if (strncmp(all.at[i].kind, "exp", 3) != 0 ||
            payload.len > sizeof work) {
            continue;
        }
        for (size_t len = 0; len < payload.len; len++) {
            op_survive(read_op, bin, len % 2 != 0, payload.ptr, len);
        }
        for (int n = 0; n < times; n++) {
            size_t len;

            memcpy(work, payload.ptr, payload.len);
            len = op_mutate(work, payload.len, &seed);
            op_survive(read_op, bin, n % 2 != 0, work, len);
        }
    }
    vectors_fini(&all);
}

TEST(payloads_cut_or_changed_do_no_harm)
{
    survive_group("exp", 500);
    survive_group("expw", 500);
    survive_group("probe", 400);
}

/* Inside a call it may also look as if the operation had failed, which makes
 * the call unknown. */
TEST(memory_that_is_not_there_is_an_error)
{
    static const char *const exps[] = {
        "9304935102a16912",
        "940700a4682e2a6f935103a173",
        "9308935108a167935108a172",
        "947da17805927ca178",
        "9265935105a16d",
        "930905935104a16c",
        "957f0440920193140506935104a16c",
        "957f02009110957f0440920109935104a16c",
        "957f044094ccfe9204c3049316937a02010a935104a16c",
        "957f02029132935109a168",
        "957f064192000"
        "4935106a162",
        "935108a172"};
    aero_buf payload = AERO_BUF_INIT;

    exp_fixture_usual(&usual);
    for (size_t i = 0; i < sizeof exps / sizeof exps[0]; i++) {
        aero_span bytes = exp_payload(&payload, test_hex(exps[i]), 0);

        WITH_EACH_ALLOC_FAILING({
            aero_made reply = {0};
            int rc = aero_exp_read(bytes, &usual.record, &reply);

            CHECK(rc == 0 || (test_alloc_failed() && (rc == 1 || rc == 26)));
            aero_made_fini(&reply);
        });
    }
    aero_buf_fini(&payload);
}
