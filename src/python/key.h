/* Keys, meta and policies of a call: Python tuples and dicts to what the core
 * wants, and keys back.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_PYTHON_KEY_H
#define AERO_PYTHON_KEY_H

#include "state.h"

#include "aero/wire/key.h"

/* The parts of a key tuple as the caller wrote them (borrowed from it). */
typedef struct KeyParts {
    PyObject *ns;
    PyObject *set;
    PyObject *user; /* None when only the digest was given */
} KeyParts;

/* Read a key; its spans are borrowed from the parts, so `key` must not move.
 * The digest is set only if it was given.  -1 with an exception. */
int key_read(ModState *state, const Face *face, PyObject *obj, aero_key *key,
             KeyParts *parts);

/* The same, with its digest. */
int key_take(ModState *state, const Face *face, PyObject *obj, aero_key *key,
             KeyParts *parts);

/* Only namespace, set and user key, from three arguments. */
int key_take_parts(ModState *state, const Face *face, PyObject *ns,
                   PyObject *set, PyObject *user, aero_key *key);

/* A tuple that is complete, and of which no part can refer to others, is of no
 * interest to the collector. */
void tuple_untrack(PyObject *tuple);

/* The key of a result: AerospikeKey, or the strict face's tuple. */
PyObject *key_make(ModState *state, const Face *face, const KeyParts *parts,
                   bool echo, const uint8_t digest[AERO_DIGEST_SIZE]);

/* What a meta dict says; `given` tells which. */
typedef struct MetaIn {
    bool has_gen;
    bool has_ttl;
    uint32_t gen;
    uint32_t ttl; /* as it travels */
} MetaIn;

/* `policy` is changed by the further keys that the main face allows in meta.
 */
int meta_take(ModState *state, const Face *face, PyObject *obj, MetaIn *meta,
              aero_policy *policy, bool validate);

/* A ttl in any of its spellings, as it travels. */
int ttl_take(ModState *state, const Face *face, PyObject *value,
             const char *what, uint32_t *out);

/* Lay a policy dict over `policy`.  Keys that none of the kinds (bits by
 * aero_policy_kind) has are refused only when `validate` says so.  Objects are
 * borrowed from the dict. */
/* How users call the kind. */
const char *policy_kind_name(aero_policy_kind kind);
int policy_take(ModState *state, const Face *face, PyObject *obj,
                uint32_t kinds, bool validate, aero_policy *policy);

/* A dict of the policy's documented keys. */
PyObject *policy_show(ModState *state, const Face *face, aero_policy_kind kind,
                      const aero_policy *policy);

#endif
