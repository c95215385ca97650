/* Keys: what a record is found by.
 *
 *   digest = RIPEMD-160( set | particle type | key value )
 *
 * The namespace takes no part in it.  RIPEMD-160 is our own small routine:
 * 140 ns a key against 250 to 510 through a library, and no question which
 * provider has it (DESIGN of the core, docs/decisions/0002).
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_WIRE_KEY_H
#define AERO_WIRE_KEY_H

#include "aero/base/span.h"
#include "aero/wire/codes.h"

typedef struct aero_key {
    aero_span ns;      /* borrowed */
    aero_span set;     /* borrowed; empty: no set */
    uint8_t particle;  /* of the value; NIL: only the digest is known */
    aero_span value;   /* borrowed; integers in wire order */
    uint8_t number[8]; /* where `value` of an integer or float points */
    uint8_t digest[AERO_DIGEST_SIZE];
} aero_key;

/* Set the value to an integer or a float, in wire order.  The key must not be
 * moved afterwards: its value points into it. */
void aero_key_set_int(aero_key *key, int64_t value);
void aero_key_set_float(aero_key *key, double value);

void aero_digest(aero_span set, uint8_t particle, aero_span value,
                 uint8_t digest[AERO_DIGEST_SIZE]);

/* The digests of many keys, several at a time; fills key->digest of those
 * whose particle is not NIL. */
void aero_digest_many(aero_key *const *keys, size_t count);

/* RIPEMD-160 of any bytes. */
void aero_ripemd160(aero_span bytes, uint8_t digest[AERO_DIGEST_SIZE]);

static inline uint32_t
aero_partition_of(const uint8_t digest[AERO_DIGEST_SIZE])
{
    return (digest[0] | (uint32_t)digest[1] << 8) & (AERO_PARTITIONS - 1);
}

#endif
