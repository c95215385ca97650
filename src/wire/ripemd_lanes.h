/* One block of RIPEMD-160 over a type WORD that is a uint32_t or a vector of
 * them: included twice by key.c, so that one text serves one key and several
 * at once.  Defines COMPRESS(state, block), which is INLINED if that is
 * defined.
 *
 * The two lines depend only on the block: their steps alternate, so that a
 * processor works on both at the same time.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#define ROL(x, n)   ((x) << (n) | (x) >> (32 - (n)))
#define F1(x, y, z) ((x) ^ (y) ^ (z))
#define F2(x, y, z) (((x) & (y)) | (~(x) & (z)))
#define F3(x, y, z) (((x) | ~(y)) ^ (z))
#define F4(x, y, z) (((x) & (z)) | ((y) & ~(z)))
#define F5(x, y, z) ((x) ^ ((y) | ~(z)))

#define STEP(line, f, word, shift, k)                                         \
    t = line##a + f(line##b, line##c, line##d) + block[word] + (k);           \
    t = ROL(t, shift) + line##e;                                              \
    line##a = line##e;                                                        \
    line##e = line##d;                                                        \
    line##d = ROL(line##c, 10);                                               \
    line##c = line##b;                                                        \
    line##b = t;

#define STEP_1(lw, ls, rw, rs)                                                \
    STEP(l, F1, lw, ls, 0U) STEP(r, F5, rw, rs, 0x50a28be6U)
#define STEP_2(lw, ls, rw, rs)                                                \
    STEP(l, F2, lw, ls, 0x5a827999U) STEP(r, F4, rw, rs, 0x5c4dd124U)
#define STEP_3(lw, ls, rw, rs)                                                \
    STEP(l, F3, lw, ls, 0x6ed9eba1U) STEP(r, F3, rw, rs, 0x6d703ef3U)
#define STEP_4(lw, ls, rw, rs)                                                \
    STEP(l, F4, lw, ls, 0x8f1bbcdcU) STEP(r, F2, rw, rs, 0x7a6d76e9U)
#define STEP_5(lw, ls, rw, rs)                                                \
    STEP(l, F5, lw, ls, 0xa953fd4eU) STEP(r, F1, rw, rs, 0U)

#ifndef INLINED
#define INLINED
#endif

static INLINED void
COMPRESS(WORD state[5], const WORD block[16])
{
    WORD la = state[0], lb = state[1], lc = state[2], ld = state[3];
    WORD le = state[4], ra = la, rb = lb, rc = lc, rd = ld, re = le, t;

    ROUND_1(STEP_1)
    ROUND_2(STEP_2)
    ROUND_3(STEP_3)
    ROUND_4(STEP_4)
    ROUND_5(STEP_5)
    t = state[1] + lc + rd;
    state[1] = state[2] + ld + re;
    state[2] = state[3] + le + ra;
    state[3] = state[4] + la + rb;
    state[4] = state[0] + lb + rc;
    state[0] = t;
}

#undef ROL
#undef F1
#undef F2
#undef F3
#undef F4
#undef F5
#undef STEP
#undef STEP_1
#undef STEP_2
#undef STEP_3
#undef STEP_4
#undef STEP_5
#undef WORD
#undef COMPRESS
#undef INLINED
