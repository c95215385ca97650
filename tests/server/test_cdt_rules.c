/* The rules of lists and maps, one by one, as a real server keeps them.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "aero/server/cdt.h"
#include "aero/wire/value.h"
#include "test.h"

/* ---- order of values ---- */

static int
order(const char *a, const char *b)
{
    aero_span x = test_hex(a);
    aero_span y = test_hex(b);
    int found = aero_cdt_compare(&x, &y);

    return (found > 0) - (found < 0);
}

TEST(values_of_different_types_have_one_order)
{
    static const char *const ascending[] = {
        "c0",                 /* nil */
        "c2",                 /* false */
        "c3",                 /* true */
        "d38000000000000000", /* the least integer */
        "ff",
        "00",
        "cf7fffffffffffffff",
        "cf8000000000000000", /* above every int64 */
        "a103",               /* "" */
        "a20361",
        "a3036161",
        "a20362",
        "90",
        "9101",
        "920100",
        "9102",
        "80",
        "810102",
        "810201",
        "8201010201",
        "a0", /* a raw item of no type is a blob */
        "a104",
        "a20461",
        "a20761", /* blobs of other languages: the type byte counts */
        "cbfff0000000000000",
        "cb8000000000000000",
        "cb3ff8000000000000",
        "a1177b"
        "00", /* two bytes, one item: the rest is not looked at */
        "d40105",
        "d4ff01",
    };
    enum {
        COUNT = sizeof ascending / sizeof ascending[0]
    };

    for (int i = 0; i < COUNT; i++) {
        for (int j = 0; j < COUNT; j++) {
            int want = (i > j) - (i < j);

            if (order(ascending[i], ascending[j]) != want) {
                test_failed(__FILE__, __LINE__, "%s and %s", ascending[i],
                            ascending[j]);
            }
        }
    }
}

TEST(equal_values_may_differ_in_bytes)
{
    CHECK_INT(order("cb8000000000000000", "cb0000000000000000"), 0);
    CHECK_INT(order("ca3fc00000", "cb3ff8000000000000"), 0);
    CHECK_INT(order("92c7000105", "9105"), 0);
    CHECK_INT(order("82c70003c00102", "810102"), 0);
    CHECK_INT(order("d90203 61", "a20361"), 0);
    CHECK_INT(order("d10005", "05"), 0);
}

TEST(a_wildcard_equals_anything_and_ends_the_comparison)
{
    CHECK_INT(order("d4ff00", "c0"), 0);
    CHECK_INT(order("9201d4ff00", "93010203"), 0);
    CHECK_INT(order("9201d4ff00", "920203"), -1);
    CHECK_INT(order("92d4ff0005", "9106"), 0);
    CHECK_INT(order("91d4ff00", "90"), 1);
    CHECK_INT(order("9291d4ff0005", "92910106"), 0);
    CHECK_INT(order("81d4ff0001", "8201010202"), -1);
}

TEST(a_nan_equals_every_double)
{
    CHECK_INT(order("cb7ff8000000000000", "cbfff0000000000000"), 0);
    CHECK_INT(order("cb7ff8000000000000", "cb7ff0000000000000"), 0);
}

TEST(a_comparison_leaves_both_values_behind_when_they_are_equal)
{
    aero_span a = test_hex("92 01 92c7000102 07");
    aero_span b = test_hex("92 01 9102 08");

    CHECK_INT(aero_cdt_compare(&a, &b), 0);
    CHECK_HEX(a, "07");
    CHECK_HEX(b, "08");
}

TEST(nested_values_of_any_depth_are_compared)
{
    enum {
        DEPTH = 100000
    };
    static uint8_t a[DEPTH + 1];
    static uint8_t b[DEPTH + 1];
    aero_span x = aero_span_of(a, sizeof a);
    aero_span y = aero_span_of(b, sizeof b);

    memset(a, 0x91, DEPTH);
    memset(b, 0x91, DEPTH);
    a[DEPTH] = 1;
    b[DEPTH] = 2;
    CHECK(aero_cdt_compare(&x, &y) < 0);
}

/* ---- whole bins ---- */

static void
check_stored(uint8_t particle, const char *bytes, const char *want)
{
    aero_made stored = {0};

    CHECK_INT(aero_cdt_normalize(particle, test_hex(bytes), &stored), 0);
    CHECK(stored.present);
    CHECK_INT(stored.particle, particle);
    CHECK_HEX(aero_buf_span(&stored.bytes), want);
    aero_made_fini(&stored);
}

static void
check_not_stored(uint8_t particle, const char *bytes)
{
    aero_made stored = {0};
    int rc = aero_cdt_normalize(particle, test_hex(bytes), &stored);

    if (rc != AERO_ERR_SERVER) {
        test_failed(__FILE__, __LINE__, "%s is stored", bytes);
    }
    aero_made_fini(&stored);
}

TEST(maps_are_stored_in_the_order_of_their_keys)
{
    check_stored(AERO_PARTICLE_MAP, "82 0201 0102", "82 0102 0201");
    check_stored(AERO_PARTICLE_LIST, "9182 a2036201 0502",
                 "9182 0502 a2036201");
    check_stored(AERO_PARTICLE_MAP, "83c70008c0 0201 0102", "82 0102 0201");
    check_not_stored(AERO_PARTICLE_MAP, "83c70001c0 0201 0102");
    check_not_stored(AERO_PARTICLE_MAP, "82 0101 0102");
    check_not_stored(AERO_PARTICLE_MAP, "83 0201 0101 0201");
    check_not_stored(AERO_PARTICLE_LIST, "9182 0101 0102");
}

TEST(keys_are_integers_strings_and_blobs)
{
    check_stored(AERO_PARTICLE_MAP, "83 ff01 a20361 02 a20461 03",
                 "83 ff01 a20361 02 a20461 03");
    check_not_stored(AERO_PARTICLE_MAP, "81 cb3ff000000000000001");
    check_not_stored(AERO_PARTICLE_MAP, "81 c001");
    check_not_stored(AERO_PARTICLE_MAP, "81 c301");
    check_not_stored(AERO_PARTICLE_MAP, "81 910101");
    check_not_stored(AERO_PARTICLE_MAP, "81 800101");
    check_not_stored(AERO_PARTICLE_MAP, "81 a2177b01");
    check_not_stored(AERO_PARTICLE_MAP, "81 a2076101");
    check_not_stored(AERO_PARTICLE_MAP, "81 a001");
}

TEST(only_flags_that_are_shown_are_stored)
{
    check_stored(AERO_PARTICLE_LIST, "92c7001101", "92c7000101");
    check_stored(AERO_PARTICLE_LIST, "92c7001001", "9101");
    check_stored(AERO_PARTICLE_LIST, "92c700ff01", "92c7000101");
    check_stored(AERO_PARTICLE_MAP, "82c70013c00102", "82c70003c00102");
    check_stored(AERO_PARTICLE_MAP, "82c70002c00102", "82c70002c00102");
    check_stored(AERO_PARTICLE_LIST, "9192c7001101", "9192c7000101");
    check_stored(AERO_PARTICLE_MAP, "81c70011c0", "81c70001c0");
}

TEST(a_list_flagged_as_sorted_must_be)
{
    check_stored(AERO_PARTICLE_LIST, "94c70001 01 01 02", "94c70001010102");
    check_not_stored(AERO_PARTICLE_LIST, "93c70001 02 01");
    check_not_stored(AERO_PARTICLE_LIST, "9193c70001 02 01");
}

TEST(every_item_is_stored_in_its_shortest_form)
{
    check_stored(AERO_PARTICLE_LIST, "dd00000002 d10005 ce00000007", "920507");
    check_stored(AERO_PARTICLE_LIST, "91d3ffffffffffffffff", "91ff");
    check_stored(AERO_PARTICLE_LIST, "91c4020461", "91a20461");
    check_stored(AERO_PARTICLE_LIST, "91db000000020361", "91a20361");
    check_stored(AERO_PARTICLE_LIST, "91ca3fc00000", "91ca3fc00000");
    check_stored(AERO_PARTICLE_MAP, "de0001 cc05 c0", "8105c0");
    check_stored(AERO_PARTICLE_LIST, "9101", "9101");
}

TEST(what_is_no_value_is_not_stored)
{
    check_not_stored(AERO_PARTICLE_LIST, "91d4ff01");
    check_not_stored(AERO_PARTICLE_LIST, "9191d4ff00");
    check_not_stored(AERO_PARTICLE_MAP, "8101d4ff00");
    check_not_stored(AERO_PARTICLE_LIST, "9090");
    check_not_stored(AERO_PARTICLE_LIST, "9201");
    check_not_stored(AERO_PARTICLE_LIST, "91c1");
    check_not_stored(AERO_PARTICLE_LIST, "");
    check_not_stored(AERO_PARTICLE_LIST, "80");
    check_not_stored(AERO_PARTICLE_MAP, "90");
    check_not_stored(AERO_PARTICLE_LIST, "05");
}

TEST(nesting_is_stored_down_to_its_limit)
{
    static uint8_t deep[AERO_NEST_MAX + 2];
    aero_made stored = {0};

    memset(deep, 0x91, sizeof deep);
    deep[AERO_NEST_MAX] = 5;
    CHECK_INT(aero_cdt_normalize(AERO_PARTICLE_LIST,
                                 aero_span_of(deep, AERO_NEST_MAX + 1),
                                 &stored),
              AERO_ERR_OK);
    deep[AERO_NEST_MAX] = 0x91;
    deep[AERO_NEST_MAX + 1] = 5;
    CHECK_INT(aero_cdt_normalize(AERO_PARTICLE_LIST,
                                 aero_span_of(deep, AERO_NEST_MAX + 2),
                                 &stored),
              AERO_ERR_SERVER);
    aero_made_fini(&stored);
}

/* ---- operations ---- */

/* `bin` "" is a missing one.  Result code, answer and bin as one text. */
static void
check_op(const char *bin, bool modify, const char *payload, int want_rc,
         const char *want_reply, const char *want_after)
{
    aero_made reply = {0};
    aero_made after = {0};
    aero_span bytes = test_hex(bin);
    uint8_t particle = bytes.len == 0        ? AERO_PARTICLE_NIL
                       : bytes.ptr[0] < 0x90 ? AERO_PARTICLE_MAP
                                             : AERO_PARTICLE_LIST;
    int rc = aero_cdt_apply(aero_val_of(particle, bytes), modify,
                            test_hex(payload), &reply, &after);

    if (rc != want_rc) {
        test_failed(payload, 0, "result code is %d, not %d", rc, want_rc);
    }
    else if (rc == AERO_ERR_OK) {
        CHECK_INT(reply.present, want_reply != NULL);
        CHECK_INT(after.present, want_after != NULL);
        if (want_reply != NULL) {
            CHECK_HEX(aero_buf_span(&reply.bytes), want_reply);
        }
        if (want_after != NULL) {
            CHECK_HEX(aero_buf_span(&after.bytes), want_after);
        }
    }
    aero_made_fini(&reply);
    aero_made_fini(&after);
}

static void
check_read(const char *bin, const char *payload, int rc, const char *reply)
{
    check_op(bin, false, payload, rc, reply, NULL);
}

static void
check_change(const char *bin, const char *payload, int rc, const char *after)
{
    aero_made reply = {0};
    aero_made out = {0};
    aero_span bytes = test_hex(bin);
    uint8_t particle = bytes.len == 0        ? AERO_PARTICLE_NIL
                       : bytes.ptr[0] < 0x90 ? AERO_PARTICLE_MAP
                                             : AERO_PARTICLE_LIST;

    CHECK_INT(aero_cdt_apply(aero_val_of(particle, bytes), true,
                             test_hex(payload), &reply, &out),
              rc);
    if (rc == AERO_ERR_OK) {
        CHECK_INT(out.present, after != NULL);
        if (after != NULL) {
            CHECK_HEX(aero_buf_span(&out.bytes), after);
        }
    }
    aero_made_fini(&reply);
    aero_made_fini(&out);
}

TEST(a_read_of_a_missing_bin_looks_at_nothing)
{
    check_read("", "9110", 0, NULL);
    check_read("", "c1", 0, NULL);
    check_read("", "", 0, NULL);
}

TEST(a_nil_that_was_found_is_an_answer_and_none_asked_for_is_not)
{
    check_read("91c0", "921100", 0, "");
    check_read("810102", "93610705", 0, "");
    check_read("9101", "93130000", 0, NULL);
    check_op("9101", true, "93090005", 0, NULL, "9105");
}

TEST(an_operation_that_changes_nothing_leaves_the_bin)
{
    check_op("9101", true, "9323070 2", 0, "90", NULL);
    check_op("810102", true, "9543010300 05", 0, "0000000000000001", NULL);
    check_op("", true, "920500", 0, NULL, NULL);
}

TEST(opcodes_are_read_or_modify_operations)
{
    check_read("9101", "920105", 4, NULL);
    check_op("9101", true, "9110", 4, NULL, NULL);
    check_read("9101", "911c", 4, NULL); /* JOIN comes later */
    check_read("9101", "9160", 12, NULL);
    check_read("8101 02", "9110", 12, NULL);
    check_read("9101", "92cc8000", 12, NULL);
    check_read("9101", "90", 4, NULL);
    check_read("9101", "05", 4, NULL);
    check_read("9101", "9111", 4, NULL);
    check_read("9101", "93110000", 4, NULL);
}

TEST(contexts_lead_to_what_they_name)
{
    const char *bin = "83 a20361 93010205 a2036d 82 a20378 9107 a20379 81 05 "
                      "9108 07 00";

    check_read(bin, "93ccff 92 22a20361 921102", 0, "0000000000000005");
    check_read(bin, "93ccff 92 20ff 921102", 12, NULL);
    check_read(bin, "93ccff 94 22a2036d 22a20378 921100", 0,
               "0000000000000007");
    check_read(bin, "93ccff 96 22a2036d 22a20379 2205 921100", 0,
               "0000000000000008");
    check_read(bin, "93ccff 94 22a2036d 239107 921100", 0, "0000000000000007");
    check_read(bin, "93ccff 94 22a2036d 2100 921100", 0, "0000000000000007");
    check_read(bin, "93ccff 92 22a2037a 9110", 26, NULL);
    check_read(bin, "93ccff 94 22a20361 1000 9110", 12, NULL);
    check_read(bin, "93ccff 96 22a20361 1000 1000 9110", 26, NULL);
    check_read(bin, "93ccff 91 22 9110", 4, NULL);
    check_read(bin, "93ccff 90 9110", 4, NULL);
    check_read(bin, "93ccff 92 04c3 9110", 26, NULL);
}

/* What a list claims to have and has not is missed by whoever needs it: types
 * come first, as a real server 8.1.2 has it. */
TEST(what_is_cut_off_is_missed_where_it_is_needed)
{
    const char *bin = "82 a20361 93010205 a2036d 81 a20378 9107";

    check_read(bin, "93ccff 92 10", 26, NULL);
    check_read(bin, "93ccff 92 21", 26, NULL);
    check_read(bin, "93ccff 94 22 a203", 26, NULL);
    check_read(bin, "93ccff 94 22a2036d 22 a2", 26, NULL);
    check_read(bin, "93ccff 94 22a20361", 4, NULL);
    check_read(bin, "93ccff 92 22a2036d 93 10", 12, NULL);
    check_read(bin, "93ccff 92 22a20361 99 10", 0, "0000000000000003");
    check_read(bin, "93ccff 92 22a20361 99 11", 4, NULL);
    check_read("93010203", "94 10 d402", 0, "0000000000000003");
    check_read("8101 02", "9b ccfe", 4, NULL);
    check_read("93010203", "9b 4d", 12, NULL);
}

TEST(contexts_create_what_is_missing_if_they_may)
{
    check_change("", "93ccff 92 62a20371 920101", 0, "81a203719101");
    check_change("", "93ccff 92 22a20371 920101", 26, NULL);
    check_change("", "93ccff 94 62a20371 5000 920105", 0, "81a20371919105");
    check_change("", "93ccff 92 cc9002 920101", 0, "93c0c09101");
    check_change("9101", "93ccff 92 cc9003 920105", 0, "9401c0c09105");
    check_change("9101", "93ccff 92 5003 920105", 26, NULL);
    check_change("9101", "93ccff 92 cc90fd 920105", 26, NULL);
    check_change("82c70001c0a2036201", "93ccff 92 62a20361 9343 0102", 0,
                 "83c70001c0a20361810102a2036201");
    check_change("8101 02", "93ccff 92 6201 920105", 12, NULL);
}

TEST(a_changed_child_moves_to_its_place_in_a_sorted_list)
{
    check_change("93c70001 9101 9103", "93ccff 92 1000 930900 05", 0,
                 "93c70001 9103 9105");
    check_change("93c70001 9101 9103", "93ccff 92 10ff 930900 00", 0,
                 "93c70001 9100 9101");
    check_change("93c70001 9101 9103", "93ccff 92 ccd005 920102", 0,
                 "94c70001 9101 9102 9103");
}

TEST(ranges_are_clamped_and_single_places_must_exist)
{
    const char *list = "96050104020301";

    check_read(list, "9312 0102", 0, "92 01 04");
    check_read(list, "9312 f606", 0, "92 05 01");
    check_read(list, "9312 0902", 0, "90");
    check_read(list, "9312 04ff", 0, "92 03 01");
    check_read(list, "9212 fe", 0, "92 03 01");
    check_read(list, "9312 01cf7fffffffffffffff", 0, "95 01 04 02 03 01");
    check_read(list, "9211 06", 26, NULL);
    check_read(list, "9211 f9", 26, NULL);
    check_read(list, "9211 d38000000000000000", 26, NULL);
    check_read("90", "9211 00", 26, NULL);
}

TEST(inverted_is_everything_else)
{
    const char *list = "96050104020301";
    const char *map = "84 0105 0206 0305 0407";

    check_read(list, "9318 ce00010007 01", 0, "9105");
    check_read(list, "9418 ce00010007 01 02", 0, "94 05 02 03 01");
    check_read(list, "9418 ce00010007 09 02", 0, "96 05 01 04 02 03 01");
    check_read(list, "9316 ce00010007 01", 0, "94 05 04 02 03");
    check_read(list, "9316 ce00010005 01", 0, "0000000000000004");
    check_read(list, "9418 ce00010002 01 02", 0, "94 05 00 01 02");
    check_read(list, "9313 ce00010007 00", 26, NULL);
    check_read(list, "9418 ce00010009 00 01", 26, NULL);
    check_read(map, "9366 ce00010006 05", 0, "92 02 04");
    check_read(map, "946a ce00010010 00 02", 0, "82 0206 0407");
    check_change(map,
                 "936b"
                 "ce00010000 9101",
                 4, NULL); /* a read opcode */
    check_change(map, "9351 ce00010000 9101", 0, "810105");
}

TEST(results_of_a_map_are_maps_if_asked_for)
{
    const char *map = "83 a20361 02 a20362 01 a20363 03";

    check_read(map, "946a 08 00 02", 0, "83c70008c0 a2036201 a2036102");
    check_read(map, "946a 10 00 02", 0, "82 a2036201 a2036102");
    check_read(map, "946a 11 00 02", 0, "83c70001c0 a2036102 a2036201");
    check_read(map, "946a 06 00 02", 0, "92 a20362 a20361");
    check_read(map, "946a 01 00 02", 0, "92 01 00");
    check_read(map, "946a 02 00 02", 0, "92 01 02");
    check_read("9101", "93130800", 26, NULL);
}

TEST(write_flags_refuse_or_do_nothing)
{
    check_change("9205 06", "9401 05 00 01", 24, NULL);
    check_change("9205 06", "9401 05 00 05", 0, NULL);
    check_change("9205 06", "9402 930705 08 00 0d", 0, "94 05 06 07 08");
    check_change("9205 06", "9402 920707 00 01", 26, NULL);
    check_change("9205 06", "9403 05 07 02", 26, NULL);
    check_change("810102", "9543 01 05 00 01", 24, NULL);
    check_change("810102", "9543 02 05 00 02", 23, NULL);
    check_change("810102", "9444 8201090209 00 0d", 0, "82 0102 0209");
    check_change("810102", "9444 8201090209 00 05", 0, NULL);
}

TEST(increments_keep_the_type_of_what_they_add_to)
{
    check_op("9101", true, "930c00cb4004000000000000", 0, "0000000000000003",
             "9103");
    check_op("91cb3ff8000000000000", true, "930c0002", 0, "400c000000000000",
             "91cb400c000000000000");
    check_op("91cf7fffffffffffffff", true, "920c00", 0, "8000000000000000",
             "91d38000000000000000");
    check_op("9101", true, "930c00a20361", 4, NULL, NULL);
    check_op("91a20361", true, "920c00", 4, NULL, NULL);
    check_op("92c700010 1", true, "930c0005", 0, "0000000000000006",
             "92c7000106");
    check_op("8101 05", true, "934a0107", 0, "fffffffffffffffe", "8101fe");
    check_op("8101 05", true, "924903", 0, "0000000000000001", "82 0105 0301");
}

TEST(huge_gaps_are_refused_without_trying)
{
    check_change("9101", "9303 ce7fffffff 05", 1, NULL);
    check_change("9101", "9303 ce80000000 05", 26, NULL);
    check_change("9101", "93ccff 92 cc90 ce7fffffff 920105", 1, NULL);
}

/* ---- paths ---- */

TEST(paths_without_an_evaluator_have_no_expressions)
{
    check_read("93010203", "93ccfe 92 04c3 01", 0, "93010203");
    check_read("93010203", "93ccfe 92 1001 01", 0, "9102");
    check_read("93010203", "93ccfe 92 04 9303937a02010101 01", 4, NULL);
    check_change("93010203", "94ccfe 92 04c3 04 9164", 4, NULL);
}

TEST(a_path_may_have_many_levels)
{
    char payload[1024] = "93ccfe dc0080";
    char bin[256] = "";

    for (int i = 0; i < 64; i++) {
        strcat(payload, "1000");
        strcat(bin, "91");
    }
    strcat(payload, "01");
    strcat(bin, "05");
    check_read(bin, payload, 0, "9105");
    memcpy(payload, "93ccfe dc0082", 13);
    payload[strlen(payload) - 2] = '\0';
    strcat(payload, "100001");
    check_read(bin, payload, 4, NULL);
}

/* ---- particles ---- */

TEST(values_leave_and_enter_as_particles)
{
    static const char *const pairs[][2] = {
        {"c0", ""},
        {"c3", "01"},
        {"05", "0000000000000005"},
        {"ff", "ffffffffffffffff"},
        {"cb3ff8000000000000", "3ff8000000000000"},
        {"a20361", "61"},
        {"a20461", "61"},
        {"a20761", "61"},
        {"a31261 62", "6162"},
        {"a3177b7d", "0000007b7d"},
        {"9101", "9101"},
        {"82c70001c00102", "82c70001c00102"},
    };

    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        aero_made made = {0};
        aero_buf packed = AERO_BUF_INIT;

        CHECK(aero_cdt_unpack(test_hex(pairs[i][0]), &made));
        CHECK_HEX(aero_buf_span(&made.bytes), pairs[i][1]);
        CHECK(aero_cdt_pack(aero_made_val(&made), &packed));
        CHECK_HEX(aero_buf_span(&packed), pairs[i][0]);
        aero_buf_fini(&packed);
        aero_made_fini(&made);
    }
}

/* ---- tables ---- */

TEST(the_tables_know_each_operation_once)
{
    int n = 0;

    for (uint64_t code = 0; code < 300; code++) {
        const aero_cdt_row *row = aero_cdt_row_of(code);

        if (row == NULL) {
            continue;
        }
        n++;
        CHECK(strncmp(row->name, code < AERO_CDT_MAPS ? "LIST_" : "MAP_",
                      code < AERO_CDT_MAPS ? 5 : 4) == 0);
        CHECK(strspn(row->args, "vlkminrotfsda[]") == strlen(row->args));
        CHECK(strlen(row->text) != 0);
    }
    CHECK_INT(n, 73);
}
