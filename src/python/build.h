/* The builders: one for each method, shared by both clients.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_PYTHON_BUILD_H
#define AERO_PYTHON_BUILD_H

#include "call.h"

#include "methods.h"

/* What meta and policy together say about a write. */
typedef struct WriteWish {
    uint32_t gen;
    uint32_t ttl;
} WriteWish;

/* Read meta over the policy of the call. */
int build_take_meta(Call *call, PyObject *meta, aero_policy_kind kind,
                    WriteWish *wish);

/* A bin's name, checked; borrowed from `obj`. */
int build_take_bin(Call *call, PyObject *obj, const char *what,
                   aero_span *name);

/* Operations of a list: bits and counts of all of them. */
typedef struct OpsIn {
    Encoder enc;
    bool skip_odd; /* entries that are no dicts are passed over */
    uint16_t count;
    bool reads;
    bool writes;
    bool read_all;
    bool respond_all; /* some operation wants every one to answer */
    bool has_ttl;     /* a touch gave one */
    uint32_t ttl;
} OpsIn;

/* Append a filter or index expression: whatever users may write for one.
 * -1 with ParamError. */
int expr_pack(ModState *state, PyObject *obj, aero_buf *out);
/* Append a list of cdt_ctx objects. */
int ctx_pack(ModState *state, PyObject *obj, aero_buf *out);

/* Append all operations of `list` to the call's request. */
int ops_put(Call *call, PyObject *list, OpsIn *ops);

#endif
