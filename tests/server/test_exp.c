/* Expressions: what is refused when they are built, what they give.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "exp_check.h"
#include "aero/wire/value.h"

TEST(literals_give_themselves)
{
    READS({"c0", 0, "0:"}, {"c3", 0, TRUE_}, {"05", 0, INT("05")},
          {"d2ffffff00", 0, "1:ffffffffffffff00"},
          {"cfffffffffffffffff", 0, ALLF},
          {"cb3ff8000000000000", 0, "2:3ff8000000000000"},
          {"ca3fc00000", 0, "2:3ff8000000000000"},
          {"a403616263", 0, "3:616263"}, {"a103", 0, "3:"},
          {"a3040102", 0, "4:0102"}, {"927e9101", 0, "20:9101"},
          {"81a2036101", 0, "19:81a2036101"},
          {"927e92cc05d10005", 0, "20:92cc05d10005"});
}

TEST(what_is_no_literal_is_refused)
{
    READS({"a0", 4}, {"a3616263", 4}, {"a20961", 4}, {"d4ff01", 4},
          {"d4ff00", 4}, {"d40501", 4}, {"c70105ff", 4}, {"927e01", 4},
          {"927e81a2036101", 4}, {"a9177b2278223a317d", 4}, {"90", 4},
          {"c1", 4});
}

TEST(unknown_codes_and_counts_are_refused)
{
    READS({"910a", 4}, {"9163", 4}, {"9205c3", 4}, {"91ff", 4},
          {"91cd0100", 4}, {"91cb3ff0000000000000", 4}, {"9110", 4},
          {"9210c3", 4}, {"9401010101", 4}, {"9112", 4}, {"9114", 4},
          {"93180101", 4}, {"91a20361", 4}, {"9146", 0, "3:73"},
          {"924601", 4});
}

TEST(arguments_have_the_types_the_code_wants)
{
    READS({"9301935102a169935107a166", 4}, {"9301935102a169c0", 4},
          {"93149302010102", 4}, {"931401cb3ff0000000000000", 4},
          {"921201", 4}, {"9310c301", 4}, {"921c01", 4},
          {"921ecb4004000000000000", 0, INT("02")}, {"921e01", 4},
          {"93240101", 0, INT("02")}, {"932401c3", 4},
          {"932801c3", 0, INT("3f")}, {"93280101", 4}, {"9308a20361a20361", 4},
          {"9401a20361a2036101", 4}, {"930901927e9101", 0, TRUE_},
          {"9309019101", 4},
          {"93019351"
           "08a167935108a167",
           4},
          {"9301935109a168935109a168", 4},
          {"93010091"
           "00",
           4});
}

TEST(comparisons_order_values_of_a_type)
{
    READS({"9304935102a16912", 0, TRUE_}, {"93030505", 0, FALSE_},
          {"93040505", 0, TRUE_}, {"93050506", 0, TRUE_},
          {"930606fb", 0, FALSE_}, {"93020506", 0, TRUE_},
          {"9301c0c0", 0, TRUE_}, {"9305c0c0", 0, FALSE_},
          {"9305c2c3", 0, TRUE_}, {"9305a20361a3036162", 0, TRUE_},
          {"9303a20402a20401", 0, TRUE_},
          {"9301935104a16c927e950501040203", 0, TRUE_},
          {"9303935104a16c927e950501040202", 0, TRUE_},
          {"9301927e92c7000105927e9105", 0, TRUE_});
}

TEST(nan_is_neither_equal_nor_less)
{
    READS({"9301cb7ff8000000000000cb7ff8000000000000", 0, FALSE_},
          {"9302cb7ff8000000000000cb7ff8000000000000", 0, TRUE_},
          {"9305cb7ff8000000000000cb0000000000000000", 0, FALSE_},
          {"9304cb7ff8000000000000cb0000000000000000", 0, FALSE_},
          {"9301cb8000000000000000cb0000000000000000", 0, TRUE_});
}

TEST(maps_compare_only_when_all_that_are_met_have_key_order)
{
    READS({"9301935105a16d84c70001c0a2036101a2036202a2036303", 0, TRUE_},
          {"9301935105a17081a2036101", 26}, {"9301935105a16d81a2036101", 26},
          {"9301"
           "8080",
           0, TRUE_},
          {"9303935105a17081a2036101", 26},
          {"9301927e9181a2036101927e9181a2036101", 26},
          /* they differ in front of the maps */
          {"9301927e920181a2036101927e920281a2036101", 0, FALSE_},
          /* the shorter list ends in front of the map */
          {"9305927e9101927e920181a2036101", 0, TRUE_},
          {"9301927e9181a2036101927e9101", 26});
}

TEST(infinite_and_wildcard_are_good_for_comparing_only)
{
    READS({"9301d4ff01d4ff01", 0, TRUE_}, {"9301d4ff00d4ff01", 0, TRUE_},
          {"9309d4ff00935104a16c", 0, TRUE_},
          {"9309d4ff01935104a16c", 0, FALSE_}, {"9301d4ff0105", 4},
          {"9301d4ff02d4ff02", 4});
}

TEST(unknown_spreads_except_where_it_cannot_matter)
{
    READS({"9100", 26}, {"93109100c3", 26}, {"93109100c2", 0, FALSE_},
          {"9310c29100", 0, FALSE_}, {"93119100c3", 0, TRUE_},
          {"93119100c2", 26}, {"92129100", 26}, {"93139100c3", 26},
          {"9413c3c39100", 0, FALSE_}, {"9413c39100c3", 26},
          {"93019100c3", 26}, {"947b9100935102a16900", 26},
          {"947bc2910005", 0, INT("05")}, {"947bc3910005", 26},
          {"9314935102a17a01", 26});
}

TEST(unknown_is_a_bool_but_for_branches)
{
    READS({"9301910005", 4}, {"9314910001", 4}, {"947bc3059100", 0, INT("05")},
          {"947bc391009100", 26}, {"93109100947bc391009100", 26},
          {"947bc2947da178019100"
           "05",
           0, INT("05")},
          {"947bc2937a0a00"
           "05",
           0, INT("05")},
          {"937a0c00", 4});
}

TEST(cond_takes_the_first_true_branch)
{
    READS({"947bc301"
           "02",
           0, INT("01")},
          {"947bc20102", 0, INT("02")},
          {"967bc201c3"
           "0203",
           0, INT("02")},
          {"937bc301", 4}, {"927b01", 4}, {"947b010102", 4},
          {"947bc301a20361", 4}, {"957bc301c302", 4});
}

TEST(let_defines_variables_for_what_follows)
{
    READS({"947da178935102a16993"
           "10"
           "9303927ca17805"
           "9305927ca17864",
           0, TRUE_},
          {"967da17801a1799314927ca17805927ca179", 0, INT("06")},
          {"927ca179", 4}, {"927d01", 4}, {"937da17801", 4},
          {"947da17801947da1780202", 4}, {"967da17801a1780202", 4},
          {"947da0010"
           "1",
           4},
          {"947da1390101", 4}, {"947da2612d0101", 4},
          {"947da25f390101", 0, INT("01")}, {"947da178927ca17801", 4},
          {"9314947da1780101947da178"
           "0202",
           0, INT("03")},
          {"947da1789100c3", 0, TRUE_}, {"947da1789100927ca178", 26});
}

TEST(arithmetic_wraps_truncates_and_knows_its_limits)
{
    READS(
        {"9414010203", 0, INT("06")}, {"921401", 0, INT("01")},
        {"921505", 0, "1:fffffffffffffffb"}, {"9415050102", 0, INT("02")},
        {"9314cf7fffffffffffffff01", 0, "1:8000000000000000"},
        {"9316cf7fffffffffffffff02", 0, "1:fffffffffffffffe"},
        {"93170702", 0, INT("03")},
        {"931"
         "7f902",
         0, "1:fffffffffffffffd"},
        {"94172a0203", 0, INT("07")}, {"921705", 0, INT("00")},
        {"921701", 0, INT("01")}, {"93170500", 26},
        {"9317d38000000000000000ff", 0, "1:8000000000000000"},
        {"9317cb3ff0000000000000cb0000000000000000", 0, "2:7ff0000000000000"},
        {"931af902", 0, ALLF}, {"931a0700", 26},
        {"931ad38000000000000000ff", 0, INT("00")},
        {"921bd38000000000000000", 0, "1:8000000000000000"},
        {"921bf9", 0, INT("07")},
        {"921ecb7ff8000000000000", 0, "1:8000000000000000"},
        {"921ecb7fe0000000000000", 0, "1:8000000000000000"},
        {"921f07", 0, "2:401c000000000000"});
}

TEST(floats_have_their_own_functions)
{
    READS(
        {"9318cb4000000000000000cb4008000000000000", 0, "2:4020000000000000"},
        {"9319cb4020000000000000cb4000000000000000", 0, "2:4008000000000000"},
        {"921cca40200000", 0, "2:4000000000000000"},
        {"921dca40200000", 0, "2:4008000000000000"},
        {"921bcac0200000", 0, "2:4004000000000000"},
        {"9315ca40200000ca3f800000", 0, "2:3ff8000000000000"},
        {"9217ca40000000", 0, "2:3fe0000000000000"},
        {"9432ca40200000ca3f800000ca40400000", 0, "2:3ff0000000000000"});
}

TEST(bits_of_integers)
{
    READS({"94200f0703", 0, INT("03")}, {"93210102", 0, INT("03")},
          {"93220301", 0, INT("02")}, {"922305", 0, "1:fffffffffffffffa"},
          {"9324013f", 0, "1:8000000000000000"}, {"93240140", 0, INT("01")},
          {"932401ff", 0, "1:8000000000000000"},
          {"9325ff01", 0, "1:7fffffffffffffff"}, {"9326ff01", 0, ALLF},
          {"922707", 0, INT("03")}, {"932808c3", 0, INT("3c")},
          {"932800c3", 0, ALLF}, {"9328ffc2", 0, ALLF},
          {"932908c3", 0, INT("3c")}, {"932900c2", 0, INT("3f")},
          {"9433050309", 0, INT("09")}, {"9432050302", 0, INT("02")});
}

TEST(patterns_search_and_have_four_flags)
{
    READS({"940700a4682e2a6f935103a173", 0, TRUE_},
          {"940700a148935103a173", 0, FALSE_},
          {"940702a148935103a173", 0, TRUE_},
          {"940700a3687c78935103a173", 0, FALSE_},
          {"940701a3687c78935103a173", 0, TRUE_},
          {"940700a25e62a403610a62", 0, FALSE_},
          {"940704a25e62a403610a62", 0, TRUE_}, /* lines */
          {"940708a25e62a403610a62", 0, FALSE_},
          {"940710a168935103a173", 0, TRUE_},
          {"9407ffa148935103a173", 0, TRUE_},
          {"940700a22a28935103a173", 0, FALSE_}, {"940701a128935103a173", 4},
          {"940700a15b935103a173", 4}, {"940700a0a103", 0, TRUE_},
          {"940700a161a303"
           "6200",
           0, FALSE_},
          {"940700a162a4036100"
           "62",
           0, FALSE_}, /* ends at the NUL */
          {"940700a26100a20361", 0, TRUE_}, {"94070001a20361", 4},
          {"9407c0a161a20361", 4});
}

TEST(patterns_that_would_take_all_memory_are_refused)
{
    READS({"940701ae2828617b333236377d297b393939397da20361", 4},
          {"940701b6"
           "28615b302d395d7b387d295b302d395d7b347d2e2a24"
           "a20361",
           0, FALSE_});
}

TEST(bins_are_unknown_when_missing_or_of_another_type)
{
    READS({"935102a169", 0, INT("2a")}, {"935103a169", 26}, {"935102a17a", 26},
          {"935100a169", 26}, {"935100a17a", 26}, {"93510aa169", 4},
          {"9351ffa169", 4}, {"935106a16a", 26},
          {"935102b061616161616161616161616161616161", 4},
          {"935102af616161616161616161616161616161", 26}, {"935102a0", 26},
          {"935102a26100", 4}, {"93510201", 4}, {"9252a169", 0, INT("01")},
          {"9252a16a", 0, INT("09")}, {"9252a17a", 0, INT("00")},
          {"9252a168", 0, INT("12")}, {"935104a16c", 0, "20:950501040203"},
          {"935101a174", 0, TRUE_});
}

TEST(metadata_is_that_of_the_record)
{
    READS({"9141", 0, INT("00")}, {"9149", 0, INT("70")},
          {"914a", 0, INT("70")}, {"9142", 0, "1:17979cfe362a0000"},
          {"9143", 0, "1:00000000000000fa"}, {"9144", 0, ALLF},
          {"9145", 0, ALLF}, {"9146", 0, "3:73"}, {"9147", 0, FALSE_},
          {"9148", 0, FALSE_}, {"925003", 26}, {"925001", 4},
          {"924001", 0, INT("00")}, {"924000", 4}, {"9240ce00000000", 4},
          {"9240cf0000000100000000", 4}, {"9240fd", 0, INT("00")},
          {"924091"
           "00",
           4});
}

TEST(keys_digests_and_lives_are_read)
{
    aero_made reply = {0};
    exp_fixture f;

    exp_fixture_init(&f, "", "k1");
    memcpy(f.digest + 16, "\x05\x01\x00\x80", 4);
    f.record.void_time = 1700000000 - 1262304000 + 100;
#define GIVES(exp, want)                                                      \
    do {                                                                      \
        CHECK_INT(aero_exp_read(test_hex("92" exp "00"), &f.record, &reply),  \
                  0);                                                         \
        op_check_made(0, exp, &reply, want);                                  \
    } while (0)
    GIVES("925003", "3:6b31");
    GIVES("9147", TRUE_);
    GIVES("9146", "3:");
    GIVES("92400a", INT("09")); /* 0x80000105 % 10 */
    GIVES("9240d280000000", "1:0000000000000105");
    GIVES("9145", INT("64"));
    GIVES("9144", "1:17979d157ea0e800");
    f.record.key =
        aero_val_of(AERO_PARTICLE_INTEGER, test_hex("0000000000000007"));
    GIVES("925002", INT("07"));
    f.record.tombstone = true;
    GIVES("9148", TRUE_);
#undef GIVES
    aero_made_fini(&reply);
}

TEST(geometry_compares_a_point_with_a_region)
{
    READS({"9308935108a167935108a172", 0, TRUE_},
          {"9308935108a172935108a167", 0, TRUE_},
          {"9308935108a167935108a167", 0, FALSE_},
          {"9308935108a172935108a172", 0, FALSE_},
          {"9308935108a17a935108a172", 26});
}

/* Literals of shapes: fine, though no bin could hold the whole sphere. */
TEST(shapes_are_literals_too)
{
    static const char whole[] =
        "\x17{\"type\":\"AeroCircle\",\"coordinates\":[[0,0],1e9]}";
    aero_buf exp = AERO_BUF_INIT;
    aero_made reply = {0};
    exp_fixture f;

    exp_fixture_usual(&f);
    aero_pack_list(&exp, 2);
    aero_pack_list(&exp, 3);
    aero_pack_int(&exp, AERO_EXP_GEO);
    aero_buf_put(&exp, "\x93\x51\x08\xa1g", 5);
    aero_pack_name(&exp, aero_span_of(whole, sizeof whole - 1));
    aero_pack_int(&exp, 0);
    CHECK_INT(aero_exp_read(aero_buf_span(&exp), &f.record, &reply), 0);
    op_check_made(0, "reply", &reply, TRUE_);
    exp.len = 0;
    aero_pack_list(&exp, 2);
    aero_pack_name(&exp, aero_span_of(whole, sizeof whole - 1));
    aero_pack_int(&exp, 0);
    CHECK_INT(aero_exp_read(aero_buf_span(&exp), &f.record, &reply), 26);
    aero_buf_fini(&exp);
    aero_made_fini(&reply);
}

/* ---- depth ---- */

/* NOT around NOT ... around `core`. */
static int
build_nested(size_t depth, const char *core)
{
    aero_buf packed = AERO_BUF_INIT;
    aero_exp *exp = NULL;
    int rc;

    for (size_t i = 0; i < depth; i++) {
        aero_buf_put_u16(&packed, 0x9212);
    }
    aero_buf_put_span(&packed, test_hex(core));
    rc = aero_exp_build(aero_buf_span(&packed), &exp);
    if (rc == 0) {
        aero_exp_record record = {0};

        CHECK(aero_exp_matches(exp, &record) == (depth % 2 == 0));
        aero_exp_free(exp);
    }
    aero_buf_fini(&packed);
    return rc;
}

TEST(expressions_nest_512_deep_and_no_deeper)
{
    CHECK_INT(build_nested(512, "c3"), 0);
    CHECK_INT(build_nested(513, "c3"), 4);
    CHECK_INT(build_nested(400000, "c3"), 4);
    CHECK_INT(build_nested(3, ""), 4);
}

TEST(expressions_have_up_to_65536_parts)
{
    aero_buf packed = AERO_BUF_INIT;
    aero_exp *exp = NULL;

    aero_buf_put_u8(&packed, 0xdd);
    aero_buf_put_u32(&packed, 65536);
    aero_pack_int(&packed, AERO_EXP_AND);
    for (int i = 0; i < 65535; i++) {
        aero_buf_put_u8(&packed, 0xc3);
    }
    CHECK_INT(aero_exp_build(aero_buf_span(&packed), &exp), 0);
    aero_exp_free(exp);
    exp = NULL;
    aero_buf_put_u8(&packed, 0xc3);
    aero_set_u32(packed.ptr + 1, 65537);
    CHECK_INT(aero_exp_build(aero_buf_span(&packed), &exp), 4);
    aero_buf_fini(&packed);
}

/* ---- filters and types ---- */

TEST(filters_are_bools_and_pass_only_what_is_true)
{
    static const struct {
        const char *exp;
        int rc;
    } rows[] = {{"c3", 0},
                {"c2", 27},
                {"9100", 27},
                {"9304935102a16912", 0},
                {"9304935102a16964", 27},
                {"9304935102a17a64", 27},
                {"9314935102a16901", 4},
                {"c0", 4},
                {"9164", 4}};
    exp_fixture f;

    exp_fixture_usual(&f);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        aero_exp *exp = NULL;
        int rc = aero_exp_build_filter(test_hex(rows[i].exp), &exp);

        if (rc == 0) {
            rc = aero_exp_matches(exp, &f.record) ? 0 : 27;
        }
        CHECK_INT(rc, rows[i].rc);
        aero_exp_free(exp);
    }
}

TEST(the_type_of_an_expression_is_known_without_a_record)
{
    static const struct {
        const char *exp;
        uint8_t particle;
    } rows[] = {{"935102a169", 1},
                {"9307", 0},
                {"921f01", 2},
                {"9146", 3},
                {"947bc3c0c0", 0},
                {"947bc3910001", 1},
                {"9164", 0},
                {"9265935105a16d", 20},
                {"935105a16d", 19},
                {"947da178a20361927ca178", 3},
                {"957f02009110935104a16c", 1}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        aero_exp *exp = NULL;

        if (aero_exp_build(test_hex(rows[i].exp), &exp) == 0) {
            CHECK_INT(aero_exp_particle(exp), rows[i].particle);
        }
        aero_exp_free(exp);
    }
}
