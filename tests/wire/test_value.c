/* Values: what a real server keeps is read, packed again the same, and
 * refused when it is cut; numbers of every width; containers that lie.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "aero/wire/value.h"
#include "hostile.h"
#include "vectors.h"

enum {
    FLOAT32 = 0xca
};

static const char *const groups[] = {"list",  "map",      "path",
                                     "probe", "particle", "ctx"};

static void
put_ext(aero_buf *out, const aero_token *token)
{
    if (token->ext_type == AERO_EXT_SPECIAL && token->bytes.len == 1) {
        (token->bytes.ptr[0] == AERO_EXT_INFINITE ? aero_pack_infinite
                                                  : aero_pack_wildcard)(out);
    }
    else {
        aero_pack_list_flags(out, (uint8_t)token->ext_type);
    }
}

static void
put_token(aero_buf *out, const aero_token *token)
{
    switch (token->kind) {
    case AERO_TOKEN_NIL:
        aero_pack_nil(out);
        break;
    case AERO_TOKEN_BOOL:
        aero_pack_bool(out, token->truth);
        break;
    case AERO_TOKEN_INT:
        aero_pack_int(out, token->number);
        break;
    case AERO_TOKEN_UINT:
        aero_pack_uint(out, token->big);
        break;
    case AERO_TOKEN_DOUBLE:
        aero_pack_double(out, token->real);
        break;
    case AERO_TOKEN_RAW:
        aero_pack_raw(out, token->bytes.ptr[0],
                      aero_span_skip(token->bytes, 1));
        break;
    case AERO_TOKEN_LIST:
        aero_pack_list(out, token->count);
        break;
    case AERO_TOKEN_MAP:
        aero_pack_map(out, token->count);
        break;
    case AERO_TOKEN_EXT:
        put_ext(out, token);
        break;
    }
}

static bool
copy_value(aero_span in, aero_buf *out)
{
    while (in.len != 0) {
        aero_span before = in;
        aero_token token;

        if (!aero_token_take(&in, &token) ||
            (token.kind == AERO_TOKEN_RAW && token.bytes.len == 0)) {
            return false;
        }
        if (before.ptr[0] == FLOAT32) {
            aero_buf_put(out, before.ptr, 5); /* kept; we never write one */
        }
        else {
            put_token(out, &token);
        }
    }
    return true;
}

static void
check_kept(const vector *v, const vector_value *value, unsigned *seen)
{
    aero_buf out = AERO_BUF_INIT;
    aero_span rest = value->bytes;

    if (!value->there || (value->particle != AERO_PARTICLE_LIST &&
                          value->particle != AERO_PARTICLE_MAP)) {
        return;
    }
    ++*seen;
    if (!aero_token_check(value->bytes) || !aero_token_skip(&rest) ||
        rest.len != 0 || !copy_value(value->bytes, &out)) {
        test_failed(__FILE__, __LINE__, "%s is not read", v->id);
    }
    test_check_bytes(__FILE__, __LINE__, v->id, aero_buf_span(&out),
                     value->bytes);
    for (size_t cut = 0; cut < value->bytes.len; cut++) {
        aero_span part = aero_span_of(value->bytes.ptr, cut);

        CHECK(!aero_token_check(part));
        CHECK(!aero_token_skip(&part));
    }
    aero_buf_fini(&out);
}

TEST(lists_and_maps_of_a_real_server_are_packed_again_the_same)
{
    unsigned seen = 0;

    for (size_t g = 0; g < sizeof groups / sizeof groups[0]; g++) {
        vectors v;

        vectors_init_group(&v, groups[g]);
        for (size_t i = 0; i < v.count; i++) {
            check_kept(&v.at[i], &v.at[i].before, &seen);
            check_kept(&v.at[i], &v.at[i].after, &seen);
            check_kept(&v.at[i], &v.at[i].reply, &seen);
        }
        vectors_fini(&v);
    }
    CHECK(seen > 1000);
}

static void
read_any(void *ctx, aero_span bytes)
{
    aero_span rest = bytes;
    aero_span whole;
    aero_token token;
    bool fine = aero_token_check(bytes);

    (void)ctx;
    /* What is checked can be stepped over, and token by token too. */
    CHECK(!fine || (aero_token_take_whole(&rest, &whole) && rest.len == 0));
    rest = bytes;
    while (aero_token_take(&rest, &token)) {
        uint32_t count = token.count;
        uint8_t flags;

        if (token.kind == AERO_TOKEN_LIST || token.kind == AERO_TOKEN_MAP) {
            CHECK(count <= rest.len);
            aero_token_take_flags(&rest, token.kind == AERO_TOKEN_MAP, &count,
                                  &flags);
        }
    }
    CHECK(!fine || rest.len == 0);
}

TEST(values_cut_and_changed_are_read_or_refused)
{
    for (size_t g = 0; g < sizeof groups / sizeof groups[0]; g++) {
        vectors v;

        vectors_init_group(&v, groups[g]);
        for (size_t i = 0; i < v.count; i++) {
            hostile_cut(v.at[i].payload, read_any, NULL);
            hostile_mutate(v.at[i].payload, 40, read_any, NULL);
            hostile_mutate(v.at[i].before.bytes, 40, read_any, NULL);
        }
        vectors_fini(&v);
    }
}

/* ---- numbers ---- */

static void
check_int(int64_t value, const char *hex)
{
    aero_buf out = AERO_BUF_INIT;
    aero_span in;
    aero_token token;

    aero_pack_int(&out, value);
    CHECK_HEX(aero_buf_span(&out), hex);
    in = aero_buf_span(&out);
    CHECK(aero_token_take(&in, &token) && token.kind == AERO_TOKEN_INT);
    CHECK(token.number == value);
    aero_buf_fini(&out);
}

TEST(integers_take_as_few_bytes_as_they_need)
{
    check_int(0, "00");
    check_int(127, "7f");
    check_int(128, "cc80");
    check_int(255, "ccff");
    check_int(256, "cd0100");
    check_int(65535, "cdffff");
    check_int(65536, "ce00010000");
    check_int(UINT32_MAX, "ceffffffff");
    check_int((int64_t)UINT32_MAX + 1, "cf0000000100000000");
    check_int(INT64_MAX, "cf7fffffffffffffff");
    check_int(-1, "ff");
    check_int(-32, "e0");
    check_int(-33, "d0df");
    check_int(-128, "d080");
    check_int(-129, "d1ff7f");
    check_int(INT16_MIN, "d18000");
    check_int(INT16_MIN - 1, "d2ffff7fff");
    check_int(INT32_MIN, "d280000000");
    check_int((int64_t)INT32_MIN - 1, "d3ffffffff7fffffff");
    check_int(INT64_MIN, "d38000000000000000");
}

static aero_token
token_of(const char *hex)
{
    aero_span in = test_hex(hex);
    aero_token token = {.kind = AERO_TOKEN_NIL};

    if (!aero_token_take(&in, &token) || in.len != 0) {
        test_failed(__FILE__, __LINE__, "%s is not one token", hex);
    }
    return token;
}

TEST(numbers_of_any_width_are_read)
{
    CHECK_INT(token_of("d3ffffffffffffffff").number, -1);
    CHECK_INT(token_of("d0ff").number, -1);
    CHECK_INT(token_of("d17fff").number, 32767);
    CHECK_INT(token_of("d2ffffffff").number, -1);
    CHECK_INT(token_of("cc01").number, 1);
    CHECK_INT(token_of("cf0000000000000001").number, 1);
    CHECK_INT(token_of("cfffffffffffffffff").kind, AERO_TOKEN_UINT);
    CHECK(token_of("cfffffffffffffffff").big == UINT64_MAX);
    CHECK(token_of("cf8000000000000000").big == UINT64_C(1) << 63);
    CHECK(token_of("ca40200000").real == 2.5);
    CHECK(token_of("cb4004000000000000").real == 2.5);
    CHECK(isnan(token_of("cb7ff8000000000000").real));
    CHECK(isinf(token_of("ca7f800000").real));
    CHECK(signbit(token_of("cb8000000000000000").real) != 0);
    CHECK(token_of("c3").truth && !token_of("c2").truth);
    CHECK_INT(token_of("c0").kind, AERO_TOKEN_NIL);
}

TEST(raw_items_of_every_length_form_are_read)
{
    CHECK_HEX(token_of("a3036162").bytes, "036162");
    CHECK_HEX(token_of("d903036162").bytes, "036162");
    CHECK_HEX(token_of("da0003036162").bytes, "036162");
    CHECK_HEX(token_of("db00000003036162").bytes, "036162");
    CHECK_HEX(token_of("c403046162").bytes, "046162");
    CHECK_HEX(token_of("c50003046162").bytes, "046162");
    CHECK_HEX(token_of("c600000003046162").bytes, "046162");
    CHECK_INT(token_of("a0").bytes.len, 0);
}

TEST(ext_items_of_every_length_form_are_read)
{
    static const char *const forms[] = {"d405aa",
                                        "d505aaaa",
                                        "d605aaaaaaaa",
                                        "d705aaaaaaaaaaaaaaaa",
                                        "d805aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                                        "c70005",
                                        "c8000105aa",
                                        "c90000000105aa"};

    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        aero_token token = token_of(forms[i]);

        CHECK_INT(token.kind, AERO_TOKEN_EXT);
        CHECK_INT(token.ext_type, 5);
    }
    CHECK_INT(token_of("d4ff01").ext_type, AERO_EXT_SPECIAL);
}

TEST(what_is_no_msgpack_is_refused)
{
    static const char *const bad[] = {
        "",   "c1",   "cc",     "cd00",   "ce000000",   "cf00",
        "d0", "d100", "d20000", "d3",     "ca000000",   "cb00",
        "a2", "d9",   "d9ff00", "da0001", "dbffffffff", "c4",
        "c7", "c700", "c70105", "d405",   "9201",       "dc0002",
        "82", "81",   "de0001", "910000", "dfffffffff", "ddffffff"};

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (aero_token_check(test_hex(bad[i]))) {
            test_failed(__FILE__, __LINE__, "'%s' is taken", bad[i]);
        }
    }
}

/* ---- containers ---- */

TEST(counts_beyond_the_bytes_are_lies)
{
    static const char *const lies[] = {"dd00000002 01", "ddffffffff 0102",
                                       "df00000001 01", "dfffffffff 010203",
                                       "dc0003 0102",   "93 0102"};

    for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
        aero_span in = test_hex(lies[i]);
        aero_token token;

        CHECK(!aero_token_take(&in, &token));
    }
}

static aero_span
nested(uint8_t lead, size_t depth)
{
    static uint8_t bytes[2 * AERO_NEST_MAX + 8];
    size_t len = 0;

    for (size_t i = 0; i < depth; i++) {
        bytes[len++] = lead;
        if (lead == 0x81) {
            bytes[len++] = 1; /* its key */
        }
    }
    bytes[len++] = 0xc0;
    return aero_span_of(bytes, len);
}

TEST(nesting_has_a_limit_but_stepping_over_has_none)
{
    static const uint8_t leads[] = {0x91, 0x81};

    for (int i = 0; i < 2; i++) {
        aero_span in = nested(leads[i], AERO_NEST_MAX);

        CHECK(aero_token_check(in));
        in = nested(leads[i], AERO_NEST_MAX + 1);
        CHECK(!aero_token_check(in));
        CHECK(aero_token_skip(&in) && in.len == 0);
    }
}

static void
check_flags(const char *hex, bool is_map, uint32_t count, int flags,
            size_t left)
{
    aero_span in = test_hex(hex);
    aero_token token;
    uint32_t n;
    uint8_t got = 0xee;

    REQUIRE(aero_token_take(&in, &token));
    n = token.count;
    CHECK(aero_token_take_flags(&in, is_map, &n, &got));
    CHECK_INT(got, flags);
    CHECK_INT(n, count);
    CHECK_INT(in.len, left);
}

TEST(flags_of_a_container_are_no_element_of_it)
{
    check_flags("93c700010102", false, 2, AERO_LIST_ORDERED, 2);
    check_flags("920102", false, 2, 0, 2);
    check_flags("90", false, 0, 0, 0);
    check_flags("82c70001c00102", true, 1, AERO_MAP_K_ORDERED, 2);
    check_flags("810102", true, 1, 0, 2);
    check_flags("92d4ff0101", false, 2, 0, 4); /* infinite is an element */
    check_flags("82d4ff00010203", true, 2, 0, 6);
}

TEST(flags_are_packed_as_they_are_read)
{
    aero_buf out = AERO_BUF_INIT;

    aero_pack_list(&out, 2);
    aero_pack_list_flags(&out, AERO_LIST_ORDERED);
    aero_pack_infinite(&out);
    aero_pack_map(&out, 1);
    aero_pack_map_flags(&out, AERO_MAP_K_ORDERED | AERO_CDT_PERSIST_INDEX);
    aero_pack_wildcard(&out);
    CHECK_HEX(aero_buf_span(&out), "92c70001d4ff01 81c70011c0 d4ff00");
    out.len = 0;
    aero_pack_list(&out, 0);
    aero_pack_raw(&out, AERO_PARTICLE_STRING, aero_span_str("ab"));
    aero_pack_name(&out, aero_span_str("ab"));
    aero_list_patch(&out, 0, 2);
    CHECK_HEX(aero_buf_span(&out), "92 a3036162 a26162");
    aero_buf_fini(&out);
}

TEST(long_containers_and_texts_have_their_longer_forms)
{
    static const struct {
        uint32_t count;
        const char *list;
        const char *map;
        const char *name;
    } rows[] = {{15, "9f", "8f", "af"},
                {16, "dc0010", "de0010", "b0"},
                {31, "dc001f", "de001f", "bf"},
                {32, "dc0020", "de0020", "d920"},
                {65535, "dcffff", "deffff", "daffff"},
                {65536, "dd00010000", "df00010000", "db00010000"}};
    static const uint8_t zeros[65536];

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        aero_buf out = AERO_BUF_INIT;

        aero_pack_list(&out, rows[i].count);
        CHECK_HEX(aero_buf_span(&out), rows[i].list);
        out.len = 0;
        aero_pack_map(&out, rows[i].count);
        CHECK_HEX(aero_buf_span(&out), rows[i].map);
        out.len = 0;
        aero_pack_name(&out, aero_span_of(zeros, rows[i].count));
        out.len -= rows[i].count;
        CHECK_HEX(aero_buf_span(&out), rows[i].name);
        aero_buf_fini(&out);
    }
}

/* ---- particles ---- */

TEST(geojson_is_behind_its_flags_and_cells)
{
    aero_buf out = AERO_BUF_INIT;
    aero_span text;

    aero_geojson_put(&out, aero_span_str("{}"));
    CHECK_HEX(aero_buf_span(&out), "00 0000 7b7d");
    CHECK(aero_geojson_take(aero_buf_span(&out), &text));
    CHECK(aero_span_is(text, "{}"));
    CHECK(aero_geojson_take(test_hex("00 0001 0102030405060708 7b7d"), &text));
    CHECK(aero_span_is(text, "{}"));
    CHECK(aero_geojson_take(test_hex("00 0000"), &text) && text.len == 0);
    CHECK(!aero_geojson_take(test_hex("00 00"), &text));
    CHECK(!aero_geojson_take(test_hex("00 0001 01020304050607"), &text));
    CHECK(!aero_geojson_take(test_hex("00 ffff 00"), &text));
    aero_buf_fini(&out);
}

TEST(integers_are_particles_of_one_two_four_or_eight_bytes)
{
    static const struct {
        const char *hex;
        int64_t value;
    } rows[] = {{"ff", 255},
                {"ffff", 65535},
                {"ffffffff", UINT32_MAX},
                {"ffffffffffffffff", -1},
                {"8000000000000000", INT64_MIN}};
    int64_t value;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        CHECK(aero_integer_take(test_hex(rows[i].hex), &value));
        CHECK_INT(value, rows[i].value);
    }
    for (size_t len = 0; len < 12; len++) {
        static const uint8_t zeros[12];
        bool fits = len == 1 || len == 2 || len == 4 || len == 8;

        CHECK(aero_integer_take(aero_span_of(zeros, len), &value) == fits);
    }
}

TEST(packing_survives_each_failing_allocation)
{
    WITH_EACH_ALLOC_FAILING({
        aero_buf out = AERO_BUF_INIT;

        for (int i = 0; i < 300; i++) {
            aero_pack_list(&out, 1);
            aero_pack_raw(&out, AERO_PARTICLE_STRING, aero_span_str("abc"));
            aero_pack_int(&out, INT64_MIN);
        }
        CHECK(out.failed || out.len == 300 * 15);
        aero_list_patch(&out, 0, 2);
        aero_buf_fini(&out);
    });
}
