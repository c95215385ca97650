/* Batches between Python and the core: rows and their bodies on the way in,
 * records and columns on the way out.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_PYTHON_BATCH_H
#define AERO_PYTHON_BATCH_H

#include "build.h"

#include "aero/base/arena.h"
#include "aero/client/batch.h"

typedef struct Columns Columns; /* lazy.h */

/* A batch while it is built, run and finished: a call's `more`. */
typedef struct BatchIn {
    aero_batch batch;
    aero_row *rows; /* owned */
    aero_key *keys; /* owned; of the rows */
    size_t n;
    PyObject *tuples;  /* owned; tuple of the rows' key tuples */
    PyObject *target;  /* owned; the BatchRecords to fill, or NULL */
    PyObject *targets; /* owned; tuple of its rows */
    aero_arena arena;  /* bodies and filters */
    aero_buf work;     /* a body while it is made */
    aero_buf ops;      /* operations while they are made */
    bool no_bins;      /* only existence was asked for */
    Columns *columns;  /* owned; where cells go, or NULL */
} BatchIn;

/* What a row's body says, beside its key. */
typedef struct RowIn {
    aero_msg msg;              /* its bits, generation and ttl */
    const aero_policy *policy; /* key sending and the row's own filter */
    aero_span ops;
    uint16_t n_ops;
    const aero_field *fields; /* further ones, at the end */
    uint16_t n_fields;
} RowIn;

/* ---- in ---- */

/* An empty batch of `count` rows for the call; its policy is taken from the
 * call's.  NULL with an exception. */
BatchIn *batch_in(Call *call, Py_ssize_t count);

/* Take row i's key; the tuple is kept. */
int batch_set_key(Call *call, BatchIn *in, Py_ssize_t i, PyObject *key);
/* All keys of a list, and their digests. */
int batch_take_keys(Call *call, PyObject *keys, BatchIn **in);
/* The digests of rows whose keys were set one by one. */
void batch_digest(BatchIn *in);

/* Make row i's body; one that equals the row before shares its bytes. */
int batch_put_row(Call *call, BatchIn *in, size_t i, const RowIn *row);
/* The same body for all rows, but for their keys. */
int batch_put_same(Call *call, BatchIn *in, const RowIn *row);

/* A row's policy: the defaults of `kind`, what the call's own dict says about
 * it (main face), and a dict of its own; its filter is packed.  `own` may be
 * NULL. */
int batch_row_policy(Call *call, BatchIn *in, PyObject *shared, PyObject *own,
                     aero_policy_kind kind, aero_policy *policy);
/* The parent's policy. */
int batch_parent_policy(Call *call, PyObject *dict, bool writes,
                        aero_policy_kind row_kind);

/* Pack the operations once, and what they mean for a row's message. */
int batch_put_ops(Call *call, BatchIn *in, PyObject *list,
                  const aero_policy *policy, uint32_t gen, uint32_t ttl,
                  RowIn *row);
/* The ttl of a row: that of its meta, of the policy, of the defaults. */
uint32_t batch_ttl(const Call *call, const MetaIn *meta,
                   const aero_policy *policy, aero_policy_kind kind);
/* Meta of one row over the shared policy. */
int batch_take_meta(Call *call, PyObject *obj, aero_policy *policy,
                    MetaIn *meta);
/* The message of a removal. */
void batch_put_remove(const aero_policy *policy, uint32_t gen, RowIn *row);
/* The whole body of a function's call; `args` a list, or NULL. */
int batch_put_function(Call *call, BatchIn *in, size_t i, PyObject *module,
                       PyObject *name, PyObject *args,
                       const aero_policy *policy, uint32_t ttl);

/* How often rows that failed for the moment are sent again. */
int batch_take_retry(Call *call, PyObject *retry, BatchIn *in);

/* ---- out ---- */

/* Rows that have come back, and what is needed to read them. */
typedef struct BatchOut {
    Decoder dec;
    const aero_row *rows;
    size_t n;
    const uint8_t *store;
    PyObject *tuples; /* the rows' keys as they were given */
    bool no_bins;     /* only existence was asked for */
} BatchOut;

/* What a call's batch came to (everything borrowed). */
BatchOut batch_out(const Call *call);

/* An exception when the cluster answered no row at all (main face): -1. */
int batch_check(Call *call, const BatchIn *in);

static inline bool
batch_found(const aero_row *row)
{
    return row->result == AERO_ERR_OK;
}

/* The user key of row i (borrowed), or None. */
PyObject *batch_user_key(const BatchOut *out, size_t i);
/* The operations of row i's reply. */
aero_span batch_ops(const BatchOut *out, size_t i);
/* Bins of row i, as a dict. */
PyObject *batch_bins(const BatchOut *out, size_t i);
/* Row i as a BatchRecord; all of them as a list. */
PyObject *batch_row(const BatchOut *out, size_t i);
PyObject *batch_rows(const BatchOut *out);

PyObject *batch_finish_lazy(Call *call);     /* LazyBatchRecords */
PyObject *batch_finish_result(Call *call);   /* BatchWriteResult */
PyObject *batch_finish_official(Call *call); /* BatchRecords, target or new */
PyObject *batch_finish_records(Call *call);  /* list of records */
PyObject *batch_finish_exists(Call *call);   /* list of (key, meta) */

/* helpers.batch.records, taken when first needed (borrowed). */
PyObject *batch_official(ModState *state, const char *name);

#endif
