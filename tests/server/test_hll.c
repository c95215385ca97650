/* HyperLogLog operations.  The values below were made by a real server.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "aero/server/hll.h"
#include "vector_check.h"

#define MODIFIES(...)                                                         \
    OP_ROWS(aero_hll_apply, AERO_PARTICLE_HLL, true, __VA_ARGS__)
#define READS(...)                                                            \
    OP_ROWS(aero_hll_apply, AERO_PARTICLE_HLL, false, __VA_ARGS__)

/* The integers 0 to 4, 3 to 8 and 7 to 11; no count remembered. */
#define A     "0004000000000000000000000040001040003000001000"
#define B     "00040000000000000000000000010000010c3000001040"
#define C     "0004000000000000000000000000001003040000000040"
#define A_B   "00040000000000000000000000410010410c3000001040"
#define EMPTY "0004000000000000000000000000000000000000000000"
/* 0 to 4 and 3 to 8 with 4 minhash bits; 3 to 8 with 5 index bits too. */
#define M "00040400000000000000000000007c000001b0440000035000000001200000"
#define N "0004040000000000000000000000001700000000110fc35000000001205c00"
#define H                                                                     \
    "00050400000000000000000000000000000000000000000000000001100000000000001" \
    "b"                                                                       \
    "00000000180dc32000000000004c00"

#define ARG_A "b812" A
#define ARG_B "b812" B
#define ARG_C "b812" C
#define ARG_M "d92012" M
#define ARG_N "d92012" N
#define ARG_H "d93412" H

TEST(init_creates_or_clears)
{
    MODIFIES({"940004ff00", NULL, 0, NULL, EMPTY},
             {"920004", NULL, 0, NULL, EMPTY},
             {"9400ffff00", A, 0, NULL, EMPTY}, {"9100", A, 0, NULL, EMPTY},
             {"93000400", M, 0, NULL, EMPTY}, {"9100", NULL, 26},
             {"920003", NULL, 4}, {"920011", NULL, 4}, {"920000", NULL, 4},
             {"93000403", NULL, 4}, {"93000434", NULL, 4},
             {"9300ff33", A, 0, NULL,
              "00043300000000000000000000000000000000000000000000000000000000"
              "000000000000000000000000000000000000000000000000000000000000"
              "00000000000000000000000000000000000000000000000000000000000000"
              "00000000000000000000000000000000000000000000000000000000000000"
              "0000"},
             {"930010"
              "31",
              NULL, 4}); /* more than 64 bits together */
}

TEST(add_answers_how_many_registers_changed)
{
    MODIFIES({"950195000102030404ff00", NULL, 0, "1:0000000000000005", A},
             {"9201950001020304", A, 0, "1:0000000000000000", A},
             {"920196030405060708", A, 0, "1:0000000000000004", A_B},
             {"920193d10005a20361cb4004000000000000", EMPTY, 0,
              "1:0000000000000003",
              "00040000000000000000000000000040000c0080000000"});
}

TEST(elements_are_hashed_as_they_would_be_stored)
{
    MODIFIES({"93019105"
              "04",
              NULL, 0, "1:0000000000000001",
              "00040000000000000000000000000000000c0000000000"},
             {"930191d1000504", NULL, 0, "1:0000000000000001",
              "00040000000000000000000000000000000c0000000000"},
             {"930191cf000000000000000504", NULL, 0, "1:0000000000000001",
              "00040000000000000000000000000000000c0000000000"});
}

TEST(a_bin_item_whose_length_needs_its_header_is_hashed_as_such)
{
    aero_made raw = {0};
    aero_made bin = {0};
    aero_made short_raw = {0};
    aero_made short_bin = {0};
    aero_made none = {0};
    aero_val missing = op_value(AERO_PARTICLE_HLL, NULL);

    aero_hll_apply(missing, true,
                   test_hex("930191a3046162"
                            "04"),
                   &none, &short_raw);
    aero_hll_apply(missing, true,
                   test_hex("930191c403046162"
                            "04"),
                   &none, &short_bin);
    CHECK_BYTES(aero_buf_span(&short_bin.bytes),
                aero_buf_span(&short_raw.bytes));
    aero_hll_apply(missing, true,
                   test_hex("930191d920"
                            "04616161616161616161616161616161"
                            "61616161616161616161616161616161"
                            "08"),
                   &none, &raw);
    aero_hll_apply(missing, true,
                   test_hex("930191c420"
                            "04616161616161616161616161616161"
                            "61616161616161616161616161616161"
                            "08"),
                   &none, &bin);
    CHECK(raw.present && bin.present);
    CHECK(!aero_span_equal(aero_buf_span(&raw.bytes),
                           aero_buf_span(&bin.bytes)));
    aero_made_fini(&raw);
    aero_made_fini(&bin);
    aero_made_fini(&short_raw);
    aero_made_fini(&short_bin);
    aero_made_fini(&none);
}

TEST(anything_but_lists_and_maps_can_be_added)
{
    MODIFIES({"93019004", NULL, 4}, {"9301919004", NULL, 4},
             {"9301918004", NULL, 4}, {"93010104", NULL, 4},
             {"930191c104", NULL, 4}, {"92019105", NULL, 26},
             {"930196c0c2c3a0d4ff00c7010561"
              "04",
              EMPTY, 0, "1:0000000000000006",
              "0004000000000000000000046100001002040000000000"});
}

TEST(write_flags_are_obeyed_and_others_refused)
{
    MODIFIES({"940004ff01", A, 6}, {"940004ff05", A, 0, NULL, NULL},
             {"940004ff02", NULL, 17}, {"940004ff06", NULL, 0, NULL, NULL},
             {"940004ff03", NULL, 4}, {"940004ff08", NULL, 4},
             {"9501910104ff02", NULL, 4}, {"9501910104ff08", NULL, 4},
             {"9501910104ff01", A, 6}, {"9501910104ff05", A, 0, NULL, NULL},
             {"9302" ARG_A "01", A, 6}, {"9302" ARG_A "02", NULL, 17});
}

TEST(union_keeps_the_bits_of_the_bin_unless_folding_is_allowed)
{
    MODIFIES({"9202" ARG_B, A, 0, NULL, A_B},
             {"920292" ARG_A ARG_B, NULL, 0, NULL, A_B}, {"9202" ARG_A, M, 26},
             {"9202" ARG_A, H, 26}, {"9302" ARG_A "08", M, 0, NULL, A},
             {"9202" ARG_M, A, 0, NULL, A},
             {"9302" ARG_N "08", H, 0, NULL,
              "0004040000000000000000000000001b00000000180fc35000000001205c"
              "00"},
             {"920290", NULL, 4},
             {"9202"
              "a3120000",
              NULL, 4},
             {"9202"
              "b804" A,
              NULL, 0, NULL, A},
             {"9202"
              "b712000400000000000000000000004000104000300000"
              "10",
              NULL, 4});
}

TEST(refresh_count_remembers_and_fold_halves)
{
    MODIFIES({"9103", A, 0, "1:0000000000000005",
              "0004000500000000000000000040001040003000001000"},
             {"9103", NULL, 17},
             {"920404",
              "0005000000000000000000000000000000000000001000000040"
              "001040003000000000",
              0, NULL, A},
             {"920404", A, 0, NULL, A}, {"920405", A, 26}, {"9204ff", A, 26},
             {"920403", A, 4}, {"920404", M, 26}, {"920404", NULL, 17});
}

TEST(reads_count_join_and_compare)
{
    READS({"9132", A, 0, "1:0000000000000005"},
          {"9233" ARG_B, A, 0, "18:" A_B},
          {"9234" ARG_B, A, 0, "1:000000000000000b"},
          {"9235" ARG_B, A, 0, "1:0000000000000001"},
          {"923592" ARG_B ARG_C, A, 0, "1:0000000000000000"},
          {"9236" ARG_B, A, 0, "2:3fb745d1745d1746"},
          {"9235" ARG_N, M, 0, "1:0000000000000002"},
          {"9236" ARG_N, M, 0, "2:3fcc02b405061b8a"},
          {"923593" ARG_N ARG_M ARG_N, M, 0, "1:0000000000000002"},
          {"9236" ARG_M, H, 0, "2:0000000000000000"},
          {"9236" ARG_M, A, 0, "2:3ff0000000000000"},
          {"9137", M, 0, "20:920404"},
          {"9238920102", A, 0, "1:0000000000000001"},
          {"92389201"
           "4d",
           A, 0, "1:0000000000000000"});
}

TEST(a_remembered_count_is_believed)
{
    READS({"9132", "0004000700000000000000000040001040003000001000", 0,
           "1:0000000000000007"},
          {"9132", EMPTY, 0, "1:0000000000000000"});
}

TEST(more_than_two_others_need_common_minhash_bits)
{
    READS({"923593" ARG_A ARG_B ARG_C, A, 4},
          {"923593" ARG_N ARG_M ARG_A, M, 4},
          {"923593" ARG_N ARG_M ARG_N, A, 26}, {"923690", A, 4});
}

TEST(reads_say_nothing_without_a_bin_and_refuse_other_kinds)
{
    READS({"9132", NULL, 0, NULL}, {"90", NULL, 0, NULL}, {"9139", A, 4},
          {"9100", A, 4}, {"923201", A, 4}, {"9132", "000400", 1},
          {"90", A, 4});
    OP_ROWS(aero_hll_apply, AERO_PARTICLE_BLOB, false, {"9132", "00", 12},
            {"9139", "00", 4}, {"9233c0", "00", 12});
}

TEST(a_whole_value_must_be_well_formed)
{
    static const struct {
        const char *bytes;
        int rc;
    } rows[] = {{A, 0},
                {M, 0},
                {"", 4},
                {"0004", 4},
                {"0104000000000000000000000040001040003000001000", 4},
                {A "00", 4},
                {"00040000000000000000000000400010400030000010", 4},
                {"0003000000000000000000000000000000", 4},
                {"0004010000000000000000000040001040003000001000", 4}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        CHECK_INT(aero_hll_check(test_hex(rows[i].bytes)), rows[i].rc);
    }
}

TEST(golden_vectors_of_sketches_are_answered_as_they_say)
{
    CHECK_INT(vector_check_group(aero_hll_apply, "hll", AERO_OP_HLL_READ,
                                 AERO_OP_HLL_MODIFY),
              44);
    CHECK_INT(vector_check_group(aero_hll_apply, "probe", AERO_OP_HLL_READ,
                                 AERO_OP_HLL_MODIFY),
              52);
}

static const char *const samples[] = {"94000400"
                                      "00",
                                      "950195000102a2036104ff00",
                                      "9302" ARG_B "08",
                                      "930292" ARG_A ARG_B "00",
                                      "9103",
                                      "920404",
                                      "9132",
                                      "9233" ARG_B,
                                      "923492" ARG_B ARG_M,
                                      "923592" ARG_B ARG_C,
                                      "923693" ARG_N ARG_M ARG_N,
                                      "9236" ARG_N,
                                      "9137",
                                      "9238920102"};

TEST(a_known_operation_on_another_type_is_told_of_the_type)
{
    static const struct {
        const char *payload;
        bool modify;
        int rc;
    } rows[] = {{"9132", false, 12}, {"9941", false, 4}, {"9932", false, 12},
                {"9480", true, 4},   {"9919", true, 4},  {"9903", true, 12},
                {"94cfb8", true, 4}, {"9103", false, 4}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        aero_made reply = {0};
        aero_made after = {0};

        CHECK_INT(aero_hll_apply(op_value(1, "0000000000000007"),
                                 rows[i].modify, test_hex(rows[i].payload),
                                 &reply, &after),
                  rows[i].rc);
        aero_made_fini(&reply);
        aero_made_fini(&after);
    }
}

TEST(payloads_cut_or_changed_do_no_harm)
{
    static const char *const bins[] = {A, M, H, NULL};

    for (size_t i = 0; i < sizeof bins / sizeof bins[0]; i++) {
        op_survive_all(aero_hll_apply, op_value(18, bins[i]), samples,
                       sizeof samples / sizeof samples[0], 50000);
    }
}

TEST(values_changed_at_random_do_no_harm)
{
    uint8_t work[64];
    uint64_t seed = 7;
    aero_span good = test_hex(M);
    aero_span payloads[sizeof samples / sizeof samples[0]];

    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
        payloads[i] = test_hex(samples[i]);
    }
    for (size_t i = 0; i < 20000; i++) {
        aero_span payload = payloads[i % (sizeof payloads / sizeof *payloads)];
        size_t len;

        memcpy(work, good.ptr, good.len);
        len = op_mutate(work, good.len, &seed);
        op_survive(aero_hll_apply,
                   aero_val_of(AERO_PARTICLE_HLL, aero_span_of(work, len)),
                   i % 2 != 0, payload.ptr, payload.len);
    }
}

TEST(memory_that_is_not_there_is_a_server_error)
{
    aero_val a = op_value(18, A);

    op_check_memory(aero_hll_apply, a, true, "9201950001020304", 0);
    op_check_memory(aero_hll_apply, a, true, "9202" ARG_B, 0);
    op_check_memory(aero_hll_apply, a, true, "9103", 0);
    op_check_memory(aero_hll_apply, a, false, "923592" ARG_B ARG_C, 0);
    op_check_memory(aero_hll_apply, op_value(18, M), false, "9236" ARG_N, 0);
    op_check_memory(aero_hll_apply, a, false, "9233" ARG_B, 0);
    op_check_memory(aero_hll_apply, a, false, "9137", 0);
}
