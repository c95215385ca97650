/* The 160 steps of RIPEMD-160 (Dobbertin, Bosselaers, Preneel 1996): for each
 * line and round the function, the message word, the rotation and the
 * constant.  Included by ripemd_lanes.h only.
 *
 * SPDX-License-Identifier: Apache-2.0 */
/* clang-format off */
#define LEFT_1(S) \
    S(F1, 0, 11, 0x00000000U) S(F1, 1, 14, 0x00000000U) S(F1, 2, 15, 0x00000000U) S(F1, 3, 12, 0x00000000U) \
    S(F1, 4, 5, 0x00000000U) S(F1, 5, 8, 0x00000000U) S(F1, 6, 7, 0x00000000U) S(F1, 7, 9, 0x00000000U) \
    S(F1, 8, 11, 0x00000000U) S(F1, 9, 13, 0x00000000U) S(F1, 10, 14, 0x00000000U) S(F1, 11, 15, 0x00000000U) \
    S(F1, 12, 6, 0x00000000U) S(F1, 13, 7, 0x00000000U) S(F1, 14, 9, 0x00000000U) S(F1, 15, 8, 0x00000000U)
#define LEFT_2(S) \
    S(F2, 7, 7, 0x5a827999U) S(F2, 4, 6, 0x5a827999U) S(F2, 13, 8, 0x5a827999U) S(F2, 1, 13, 0x5a827999U) \
    S(F2, 10, 11, 0x5a827999U) S(F2, 6, 9, 0x5a827999U) S(F2, 15, 7, 0x5a827999U) S(F2, 3, 15, 0x5a827999U) \
    S(F2, 12, 7, 0x5a827999U) S(F2, 0, 12, 0x5a827999U) S(F2, 9, 15, 0x5a827999U) S(F2, 5, 9, 0x5a827999U) \
    S(F2, 2, 11, 0x5a827999U) S(F2, 14, 7, 0x5a827999U) S(F2, 11, 13, 0x5a827999U) S(F2, 8, 12, 0x5a827999U)
#define LEFT_3(S) \
    S(F3, 3, 11, 0x6ed9eba1U) S(F3, 10, 13, 0x6ed9eba1U) S(F3, 14, 6, 0x6ed9eba1U) S(F3, 4, 7, 0x6ed9eba1U) \
    S(F3, 9, 14, 0x6ed9eba1U) S(F3, 15, 9, 0x6ed9eba1U) S(F3, 8, 13, 0x6ed9eba1U) S(F3, 1, 15, 0x6ed9eba1U) \
    S(F3, 2, 14, 0x6ed9eba1U) S(F3, 7, 8, 0x6ed9eba1U) S(F3, 0, 13, 0x6ed9eba1U) S(F3, 6, 6, 0x6ed9eba1U) \
    S(F3, 13, 5, 0x6ed9eba1U) S(F3, 11, 12, 0x6ed9eba1U) S(F3, 5, 7, 0x6ed9eba1U) S(F3, 12, 5, 0x6ed9eba1U)
#define LEFT_4(S) \
    S(F4, 1, 11, 0x8f1bbcdcU) S(F4, 9, 12, 0x8f1bbcdcU) S(F4, 11, 14, 0x8f1bbcdcU) S(F4, 10, 15, 0x8f1bbcdcU) \
    S(F4, 0, 14, 0x8f1bbcdcU) S(F4, 8, 15, 0x8f1bbcdcU) S(F4, 12, 9, 0x8f1bbcdcU) S(F4, 4, 8, 0x8f1bbcdcU) \
    S(F4, 13, 9, 0x8f1bbcdcU) S(F4, 3, 14, 0x8f1bbcdcU) S(F4, 7, 5, 0x8f1bbcdcU) S(F4, 15, 6, 0x8f1bbcdcU) \
    S(F4, 14, 8, 0x8f1bbcdcU) S(F4, 5, 6, 0x8f1bbcdcU) S(F4, 6, 5, 0x8f1bbcdcU) S(F4, 2, 12, 0x8f1bbcdcU)
#define LEFT_5(S) \
    S(F5, 4, 9, 0xa953fd4eU) S(F5, 0, 15, 0xa953fd4eU) S(F5, 5, 5, 0xa953fd4eU) S(F5, 9, 11, 0xa953fd4eU) \
    S(F5, 7, 6, 0xa953fd4eU) S(F5, 12, 8, 0xa953fd4eU) S(F5, 2, 13, 0xa953fd4eU) S(F5, 10, 12, 0xa953fd4eU) \
    S(F5, 14, 5, 0xa953fd4eU) S(F5, 1, 12, 0xa953fd4eU) S(F5, 3, 13, 0xa953fd4eU) S(F5, 8, 14, 0xa953fd4eU) \
    S(F5, 11, 11, 0xa953fd4eU) S(F5, 6, 8, 0xa953fd4eU) S(F5, 15, 5, 0xa953fd4eU) S(F5, 13, 6, 0xa953fd4eU)
#define RIGHT_1(S) \
    S(F5, 5, 8, 0x50a28be6U) S(F5, 14, 9, 0x50a28be6U) S(F5, 7, 9, 0x50a28be6U) S(F5, 0, 11, 0x50a28be6U) \
    S(F5, 9, 13, 0x50a28be6U) S(F5, 2, 15, 0x50a28be6U) S(F5, 11, 15, 0x50a28be6U) S(F5, 4, 5, 0x50a28be6U) \
    S(F5, 13, 7, 0x50a28be6U) S(F5, 6, 7, 0x50a28be6U) S(F5, 15, 8, 0x50a28be6U) S(F5, 8, 11, 0x50a28be6U) \
    S(F5, 1, 14, 0x50a28be6U) S(F5, 10, 14, 0x50a28be6U) S(F5, 3, 12, 0x50a28be6U) S(F5, 12, 6, 0x50a28be6U)
#define RIGHT_2(S) \
    S(F4, 6, 9, 0x5c4dd124U) S(F4, 11, 13, 0x5c4dd124U) S(F4, 3, 15, 0x5c4dd124U) S(F4, 7, 7, 0x5c4dd124U) \
    S(F4, 0, 12, 0x5c4dd124U) S(F4, 13, 8, 0x5c4dd124U) S(F4, 5, 9, 0x5c4dd124U) S(F4, 10, 11, 0x5c4dd124U) \
    S(F4, 14, 7, 0x5c4dd124U) S(F4, 15, 7, 0x5c4dd124U) S(F4, 8, 12, 0x5c4dd124U) S(F4, 12, 7, 0x5c4dd124U) \
    S(F4, 4, 6, 0x5c4dd124U) S(F4, 9, 15, 0x5c4dd124U) S(F4, 1, 13, 0x5c4dd124U) S(F4, 2, 11, 0x5c4dd124U)
#define RIGHT_3(S) \
    S(F3, 15, 9, 0x6d703ef3U) S(F3, 5, 7, 0x6d703ef3U) S(F3, 1, 15, 0x6d703ef3U) S(F3, 3, 11, 0x6d703ef3U) \
    S(F3, 7, 8, 0x6d703ef3U) S(F3, 14, 6, 0x6d703ef3U) S(F3, 6, 6, 0x6d703ef3U) S(F3, 9, 14, 0x6d703ef3U) \
    S(F3, 11, 12, 0x6d703ef3U) S(F3, 8, 13, 0x6d703ef3U) S(F3, 12, 5, 0x6d703ef3U) S(F3, 2, 14, 0x6d703ef3U) \
    S(F3, 10, 13, 0x6d703ef3U) S(F3, 0, 13, 0x6d703ef3U) S(F3, 4, 7, 0x6d703ef3U) S(F3, 13, 5, 0x6d703ef3U)
#define RIGHT_4(S) \
    S(F2, 8, 15, 0x7a6d76e9U) S(F2, 6, 5, 0x7a6d76e9U) S(F2, 4, 8, 0x7a6d76e9U) S(F2, 1, 11, 0x7a6d76e9U) \
    S(F2, 3, 14, 0x7a6d76e9U) S(F2, 11, 14, 0x7a6d76e9U) S(F2, 15, 6, 0x7a6d76e9U) S(F2, 0, 14, 0x7a6d76e9U) \
    S(F2, 5, 6, 0x7a6d76e9U) S(F2, 12, 9, 0x7a6d76e9U) S(F2, 2, 12, 0x7a6d76e9U) S(F2, 13, 9, 0x7a6d76e9U) \
    S(F2, 9, 12, 0x7a6d76e9U) S(F2, 7, 5, 0x7a6d76e9U) S(F2, 10, 15, 0x7a6d76e9U) S(F2, 14, 8, 0x7a6d76e9U)
#define RIGHT_5(S) \
    S(F1, 12, 8, 0x00000000U) S(F1, 15, 5, 0x00000000U) S(F1, 10, 12, 0x00000000U) S(F1, 4, 9, 0x00000000U) \
    S(F1, 1, 12, 0x00000000U) S(F1, 5, 5, 0x00000000U) S(F1, 8, 14, 0x00000000U) S(F1, 7, 6, 0x00000000U) \
    S(F1, 6, 8, 0x00000000U) S(F1, 2, 13, 0x00000000U) S(F1, 13, 6, 0x00000000U) S(F1, 14, 5, 0x00000000U) \
    S(F1, 0, 15, 0x00000000U) S(F1, 3, 13, 0x00000000U) S(F1, 9, 11, 0x00000000U) S(F1, 11, 11, 0x00000000U)
/* clang-format on */
