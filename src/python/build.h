/* The builders: one for each method, shared by both clients.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_PYTHON_BUILD_H
#define AERO_PYTHON_BUILD_H

#include "call.h"
#include "encode.h"

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
int build_take_bin(ModState *state, const Face *face, bool strict_types,
                   PyObject *obj, const char *what, aero_span *name);

/* The same for a bin that is put or removed: the strict face calls a name of
 * another type an error of the client, not of a parameter. */
int build_take_written_bin(ModState *state, const Face *face,
                           bool strict_types, PyObject *obj, const char *what,
                           aero_span *name);

/* Is the name, which `obj` gave, neither too long nor empty? */
int build_check_bin(ModState *state, const Face *face, bool strict_types,
                    PyObject *obj, aero_span name);

/* Append an operation that writes for each bin of a dict. */
int bins_put(const Encoder *enc, bool strict_types, PyObject *bins,
             aero_buf *out, uint16_t *count);

/* Operations of a list: bits and counts of all of them. */
typedef struct OpsIn {
    Encoder enc;
    aero_buf *out;
    Place place;          /* of the operation that is read */
    bool strict_types;    /* of the client */
    uint32_t default_ttl; /* what TTL_CLIENT_DEFAULT stands for */
    bool skip_odd;        /* entries that are no dicts are passed over */
    uint16_t count;
    bool reads;
    bool writes;
    bool read_all;
    bool respond_all; /* some operation wants every one to answer */
    bool official;    /* some operation is written as the official client's */
    bool has_ttl;     /* a touch gave one */
    uint32_t ttl;
} OpsIn;

/* Append all operations of `list` to `ops->out`. */
int ops_put(PyObject *list, OpsIn *ops);
/* What a call of this client needs for it; puts into `out`. */
OpsIn ops_begin(const Call *call, aero_buf *out);

#endif
