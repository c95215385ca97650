/* Bit operations on blobs.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "aero/server/bits.h"
#include "vector_check.h"

#define MODIFIES(...)                                                         \
    OP_ROWS(aero_bits_apply, AERO_PARTICLE_BLOB, true, __VA_ARGS__)
#define READS(...)                                                            \
    OP_ROWS(aero_bits_apply, AERO_PARTICLE_BLOB, false, __VA_ARGS__)

TEST(resize_adds_and_cuts_at_either_end)
{
    MODIFIES({"9400080000", "0142030405", 0, NULL, "0142030405000000"},
             {"9400080001", "0142030405", 0, NULL, "0000000142030405"},
             {"9400020000", "0142030405", 0, NULL, "0142"},
             {"9400020001", "0142030405", 0, NULL, "0405"},
             {"920005", "0142030405", 0, NULL, NULL},
             {"920000", "0142030405", 0, NULL, ""},
             {"920003", NULL, 0, NULL, "000000"},
             {"920000", NULL, 0, NULL, NULL});
}

TEST(resize_keeps_the_direction_it_was_given)
{
    MODIFIES({"9400020002", "0142030405", 4}, /* grow only */
             {"9400080004", "0142030405", 4}, /* shrink only */
             {"9400020402", "0142030405", 0, NULL, NULL},
             {"9400080404", "0142030405", 0, NULL, NULL},
             {"9400080006", "0142030405", 4}, {"9400080008", "0142030405", 4});
}

TEST(insert_fills_up_with_zeros_and_remove_closes_the_gap)
{
    MODIFIES(
        {"930101a304aabb", "0102", 0, NULL, "01aabb02"},
        {"930104a204aa", "0102", 0, NULL, "01020000aa"},
        {"9301ffa204aa", "0102", 0, NULL, "01aa02"},
        {"930102a204aa", NULL, 0, NULL, "0000aa"}, {"9301ffa204aa", NULL, 4},
        {"930100a104", "0102", 4}, /* only the particle byte */
        {"930100a0", "0102", 4}, {"93020102", "01020304", 0, NULL, "0104"},
        {"93020202", "01020304", 0, NULL, "0102"},
        {"93020004", "01020304", 0, NULL, ""});
}

TEST(remove_beyond_the_end_is_refused_as_an_argument)
{
    MODIFIES({"93020401", "01020304", 4}, {"93020302", "01020304", 4},
             {"9402030208", "01020304", 0, NULL, "010203"}, /* partial */
             {"9402030204", "01020304", 0, NULL, NULL},     /* no fail */
             {"9402040108", "01020304", 4},
             {"940204010c", "01020304", 0, NULL, NULL},
             {"93020000", "01020304", 4});
}

TEST(bits_are_combined_at_any_offset)
{
    MODIFIES({"94030307a204ff", "0000", 0, NULL, "1fc0"},
             {"94040309a304aa80", "0101", 0, NULL, "1551"},
             {"94050008a204ff", "0f0f", 0, NULL, "f00f"},
             {"94060408a20400", "ffff", 0, NULL, "f00f"},
             {"93070308", "0000", 0, NULL, "1fe0"},
             {"9403fe02a204c0", "0000", 0, NULL, "0003"},
             {"94030009a204ff", "0000", 4}, /* the value is too short */
             {"94030008a2030f", "00", 0, NULL, "0f"}); /* a string will do */
}

TEST(shifts_stay_inside_their_range)
{
    MODIFIES({"9408040801", "ff81ff", 0, NULL, "ff01ff"},
             {"9409040801", "ff81ff", 0, NULL, "f7c1ff"},
             {"9408000810", "ff", 0, NULL, "00"},
             {"940900081e", "ff", 0, NULL, "00"},
             {"94080018cc0c", "123456", 0, NULL, "456000"},
             {"94080008ff", "ff", 4});
}

TEST(a_range_past_the_end_fails_unless_cut_or_forgiven)
{
    MODIFIES({"93070818", "0000", 26}, {"93071001", "0000", 26},
             {"9407081808", "0000", 0, NULL, "00ff"},
             {"9407081804", "0000", 0, NULL, NULL},
             {"940710010c", "0000", 0, NULL, NULL}, {"9407100108", "0000", 26},
             {"9307ef01", "0000", 4}, {"93070800", "0000", 4});
    /* here the real server of 8.1.2 writes past its memory and dies */
    MODIFIES({"9508fd0e100c", "19bed602b9", 0, NULL, "19bed602b8"});
}

TEST(integers_wrap_saturate_or_fail)
{
    MODIFIES({"960a000801"
              "0000",
              "ff", 26},
             {"960a000801"
              "0002",
              "ff", 0, NULL, "ff"},
             {"960a000801"
              "0004",
              "ff", 0, NULL, "00"},
             {"960a000801"
              "0404",
              "ff", 0, NULL, "00"},
             {"960a000801"
              "0400",
              "ff", 0, NULL, NULL},
             {"960b000801"
              "0000",
              "00", 26},
             {"960b000801"
              "0002",
              "00", 0, NULL, "00"},
             {"960b000801"
              "0004",
              "00", 0, NULL, "ff"},
             {"960a000801"
              "0001",
              "7f", 26},
             {"960a000801"
              "0003",
              "7f", 0, NULL, "7f"},
             {"960b000801"
              "0003",
              "80", 0, NULL, "80"},
             {"960a000801"
              "0006",
              "00", 4}, /* saturate and wrap */
             {"960a000801"
              "0008",
              "00", 4},
             {"940a0409cc80", "00ff", 0, NULL, "04ff"},
             {"940c0406ff", "0000", 0, NULL, "0fc0"},
             {"940c0041ff", "000000000000000000", 4}, {"940c0000ff", "00", 4});
}

TEST(signed_overflow_is_judged_by_signs_as_on_the_server)
{
    MODIFIES({"960a0008cc800001", "80", 0, NULL, "00"}, /* not noticed */
             {"960a0008cc810001", "80", 26},
             {"960b0008cc800001", "ff", 26}, /* -1 - -128 has room */
             {"960b0008cc800001", "00", 0, NULL, "80"});
}

TEST(reads_answer_bits_counts_places_and_integers)
{
    READS({"93320905", "0142030405", 0, "4:80"},
          {"93320410", "123456", 0, "4:2345"},
          {"93330028", "0142030405", 0, "1:0000000000000008"},
          {"94340008c3", "10", 0, "1:0000000000000003"},
          {"94340010c2", "ffef", 0, "1:000000000000000b"},
          {"94340003c3", "10", 0, "1:ffffffffffffffff"},
          {"94350008c3", "14", 0, "1:0000000000000005"},
          {"94350010c2", "feff", 0, "1:0000000000000007"},
          {"93360408", "0ff0", 0, "1:00000000000000ff"},
          {"9436040801", "0ff0", 0, "1:ffffffffffffffff"},
          {"9436040800", "0ff0", 0, "1:00000000000000ff"},
          {"9436040802", "0ff0", 4});
}

TEST(scanning_from_the_right_may_end_in_front_of_the_range)
{
    READS({"94350305c3", "80", 0, "1:fffffffffffffffd"},
          {"94350305c3", "8000", 0, "1:fffffffffffffffd"},
          {"94350b05c3", "8000", 0, "1:ffffffffffffffff"});
}

TEST(the_least_integer_counts_as_offset_zero)
{
    READS({"9333d3800000000000000008", "ff00", 0, "1:0000000000000008"});
}

TEST(reads_fail_outside_the_blob_and_say_nothing_without_a_bin)
{
    READS({"93321001", "0000", 26}, {"93320011", "0000", 26},
          {"9332ef01", "0000", 4}, {"93320000", "0000", 4},
          {"93320001", NULL, 0, NULL}, {"c0", NULL, 0, NULL});
}

TEST(write_flags_are_obeyed_and_others_refused)
{
    MODIFIES({"9400080100", "01", 6}, {"9400080500", "01", 0, NULL, NULL},
             {"9400080200", NULL, 17}, {"9400080600", NULL, 0, NULL, NULL},
             {"9400080300", NULL, 4}, {"9400080800", NULL, 4},
             {"9407000801", "00", 4}, {"9407000810", "00", 4},
             {"950a00080108", "00", 4}, {"93070008", NULL, 17},
             {"9407000804", NULL, 0, NULL, NULL});
}

TEST(wrong_codes_counts_and_kinds_are_refused)
{
    MODIFIES({"91cc8d", "00", 4}, {"93320008", "00", 4}, {"920d00", "00", 4},
             {"9100", "00", 4}, {"950008000000", "00", 4},
             {"9200a20301", "00", 4},
             {"94cf000000010000000008"
              "0000",
              "01", 0, NULL, "0100000000000000"},
             {"92000899", "01", 0, NULL, "0100000000000000"});
    READS({"92370000", "00", 4}, {"93070008", "00", 4}, {"90", "00", 4});
    OP_ROWS(aero_bits_apply, AERO_PARTICLE_STRING, true,
            {"920008", "6869", 12}, {"9200ff", "6869", 4},
            {"9400080100", "6869", 6});
}

TEST(golden_vectors_of_bits_are_answered_as_they_say)
{
    CHECK_INT(vector_check_group(aero_bits_apply, "bit", AERO_OP_BITS_READ,
                                 AERO_OP_BITS_MODIFY),
              102);
    CHECK_INT(vector_check_group(aero_bits_apply, "probe", AERO_OP_BITS_READ,
                                 AERO_OP_BITS_MODIFY),
              46);
}

static const char *const samples[] = {"9400080001",
                                      "94010101a304aabb",
                                      "9402010108",
                                      "950302"
                                      "05a204ff00",
                                      "950402"
                                      "05a204ff08",
                                      "94070305"
                                      "08",
                                      "9508030501"
                                      "08",
                                      "9509030501"
                                      "0c",
                                      "960a030505"
                                      "0003",
                                      "960b"
                                      "fd05050404",
                                      "950c030505"
                                      "00",
                                      "93320305",
                                      "93330305",
                                      "94340305c3",
                                      "94350305c2",
                                      "9436030501"};

TEST(payloads_cut_or_changed_do_no_harm)
{
    op_survive_all(aero_bits_apply, op_value(4, "0142030405ff"), samples,
                   sizeof samples / sizeof samples[0], 200000);
    op_survive_all(aero_bits_apply, op_value(4, NULL), samples,
                   sizeof samples / sizeof samples[0], 20000);
}

TEST(memory_that_is_not_there_is_a_server_error)
{
    op_check_memory(aero_bits_apply, op_value(4, "01"), true, "9400080000", 0);
    op_check_memory(aero_bits_apply, op_value(4, "01"), true, "93070008", 0);
    op_check_memory(aero_bits_apply, op_value(4, "01"), false, "93320008", 0);
    op_check_memory(aero_bits_apply, op_value(4, "01"), false, "93330008", 0);
}
