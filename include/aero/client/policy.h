/* Policies: how a command behaves.  One struct holds the keys of all kinds;
 * each command looks at those that mean something to it.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_CLIENT_POLICY_H
#define AERO_CLIENT_POLICY_H

#include "aero/base/span.h"
#include "aero/cluster/partition.h"
#include "aero/wire/msg.h"

typedef enum aero_policy_kind {
    AERO_POLICY_READ,
    AERO_POLICY_WRITE,
    AERO_POLICY_OPERATE,
    AERO_POLICY_REMOVE,
    AERO_POLICY_APPLY,
    AERO_POLICY_QUERY,
    AERO_POLICY_SCAN,
    AERO_POLICY_BATCH, /* the parent of a batch that reads */
    AERO_POLICY_BATCH_PARENT_WRITE,
    AERO_POLICY_BATCH_READ, /* rows */
    AERO_POLICY_BATCH_WRITE,
    AERO_POLICY_BATCH_APPLY,
    AERO_POLICY_BATCH_REMOVE,
    AERO_POLICY_TXN_VERIFY,
    AERO_POLICY_TXN_ROLL,
    AERO_POLICY_INFO,
    AERO_POLICY_ADMIN,
    AERO_POLICY_KINDS
} aero_policy_kind;

/* The meaning of the numbers inside aero_policy; what users write differs by
 * face and is translated where it is read. */
typedef enum aero_gen_mode {
    AERO_GEN_IGNORE,
    AERO_GEN_EQ,
    AERO_GEN_GT
} aero_gen_mode;

typedef enum aero_exists_mode {
    AERO_EXISTS_UPDATE, /* create or update */
    AERO_EXISTS_UPDATE_ONLY,
    AERO_EXISTS_CREATE_OR_REPLACE,
    AERO_EXISTS_REPLACE_ONLY,
    AERO_EXISTS_CREATE_ONLY
} aero_exists_mode;

typedef enum aero_read_sc {
    AERO_READ_SC_SESSION,
    AERO_READ_SC_LINEARIZE,
    AERO_READ_SC_ALLOW_REPLICA,
    AERO_READ_SC_ALLOW_UNAVAILABLE
} aero_read_sc;

typedef enum aero_duration {
    AERO_DURATION_LONG,
    AERO_DURATION_SHORT,
    AERO_DURATION_LONG_RELAX_AP
} aero_duration;

/* Times to live with a meaning, as they travel. */
#define AERO_TTL_DEFAULT   UINT32_C(0)
#define AERO_TTL_NEVER     UINT32_C(0xffffffff)
#define AERO_TTL_KEEP      UINT32_C(0xfffffffe)
#define AERO_TTL_OF_CLIENT UINT32_C(0xfffffffd) /* never on the wire */

/* C types of the table's types. */
#define AERO_POLICY_TYPE_MS          uint32_t
#define AERO_POLICY_TYPE_COUNT       uint32_t
#define AERO_POLICY_TYPE_COUNT64     uint64_t
#define AERO_POLICY_TYPE_GENERATION  uint32_t
#define AERO_POLICY_TYPE_FLAG        bool
#define AERO_POLICY_TYPE_TTL         uint32_t
#define AERO_POLICY_TYPE_PERCENT     int32_t
#define AERO_POLICY_TYPE_REPLICA     uint8_t
#define AERO_POLICY_TYPE_KEY         uint8_t
#define AERO_POLICY_TYPE_GEN         uint8_t
#define AERO_POLICY_TYPE_EXISTS      uint8_t
#define AERO_POLICY_TYPE_COMMIT      uint8_t
#define AERO_POLICY_TYPE_MODE_AP     uint8_t
#define AERO_POLICY_TYPE_MODE_SC     uint8_t
#define AERO_POLICY_TYPE_DURATION    uint8_t
#define AERO_POLICY_TYPE_DETAIL      uint8_t
#define AERO_POLICY_TYPE_CONCURRENCY uint8_t
#define AERO_POLICY_TYPE_OBJECT      void * /* borrowed; the binding's */

typedef struct aero_policy {
#define POLICY(key, type, kinds, initial, text) AERO_POLICY_TYPE_##type key;
#define POLICY_INITIAL(kind, key, value)
#include "aero/wire/tables/policy.def"
#undef POLICY
#undef POLICY_INITIAL
    uint64_t given;          /* a bit for each key that this call named */
    aero_span filter;        /* borrowed; packed expression, or empty */
    struct aero_txn *in_txn; /* borrowed; NULL: none */
} aero_policy;

/* AERO_POLICY_BIT_total_timeout and so on, for `given`. */
enum {
#define POLICY(key, type, kinds, initial, text) AERO_POLICY_BIT_##key,
#define POLICY_INITIAL(kind, key, value)
#include "aero/wire/tables/policy.def"
#undef POLICY
#undef POLICY_INITIAL
    AERO_POLICY_KEYS
};

static inline bool
aero_policy_has(const aero_policy *policy, unsigned bit)
{
    return (policy->given >> bit & 1) != 0;
}

/* The built-in values of a kind. */
void aero_policy_init(aero_policy *policy, aero_policy_kind kind);

/* The bits that a policy sets in a message that writes, or reads. */
void aero_policy_put_write(const aero_policy *policy, uint32_t generation,
                           uint32_t ttl, aero_msg *msg);
void aero_policy_put_read(const aero_policy *policy, aero_msg *msg);

#endif
