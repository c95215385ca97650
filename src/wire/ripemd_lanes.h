/* One block of RIPEMD-160 over a type WORD that is a uint32_t or a vector of
 * them: included twice by key.c, so that one text serves one key and several
 * at once.  Defines COMPRESS(state, block).
 *
 * SPDX-License-Identifier: Apache-2.0 */
#define ROL(x, n)   ((x) << (n) | (x) >> (32 - (n)))
#define F1(x, y, z) ((x) ^ (y) ^ (z))
#define F2(x, y, z) (((x) & (y)) | (~(x) & (z)))
#define F3(x, y, z) (((x) | ~(y)) ^ (z))
#define F4(x, y, z) (((x) & (z)) | ((y) & ~(z)))
#define F5(x, y, z) ((x) ^ ((y) | ~(z)))

#define STEP(f, word, shift, k)                                               \
    t = a + f(b, c, d) + block[word] + (k);                                   \
    t = ROL(t, shift) + e;                                                    \
    a = e;                                                                    \
    e = d;                                                                    \
    d = ROL(c, 10);                                                           \
    c = b;                                                                    \
    b = t;

static void
COMPRESS(WORD state[5], const WORD block[16])
{
    WORD a = state[0], b = state[1], c = state[2], d = state[3], e = state[4];
    WORD la, lb, lc, ld, le, t;

    LEFT_1(STEP) LEFT_2(STEP) LEFT_3(STEP) LEFT_4(STEP) LEFT_5(STEP) la = a;
    lb = b;
    lc = c;
    ld = d;
    le = e;
    a = state[0];
    b = state[1];
    c = state[2];
    d = state[3];
    e = state[4];
    RIGHT_1(STEP)
    RIGHT_2(STEP)
    RIGHT_3(STEP) RIGHT_4(STEP) RIGHT_5(STEP) t = state[1] + lc + d;
    state[1] = state[2] + ld + e;
    state[2] = state[3] + le + a;
    state[3] = state[4] + la + b;
    state[4] = state[0] + lb + c;
    state[0] = t;
}

#undef ROL
#undef F1
#undef F2
#undef F3
#undef F4
#undef F5
#undef STEP
#undef WORD
#undef COMPRESS
