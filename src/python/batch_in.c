/* Rows of batches: keys, policies, bodies.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "aero/base/alloc.h"
#include "expr.h"
#include "lazy.h"

enum {
    DIGESTS = 64 /* keys that are hashed in one go */
};

/* ---- the batch ---- */

static void
batch_in_free(Call *call)
{
    BatchIn *in = call->more;

    aero_batch_fini(&in->batch);
    aero_free(in->rows);
    aero_free(in->keys);
    Py_CLEAR(in->tuples);
    Py_CLEAR(in->target);
    Py_CLEAR(in->targets);
    columns_free(in->columns);
    aero_arena_fini(&in->arena);
    aero_buf_fini(&in->work);
    aero_buf_fini(&in->ops);
    aero_free(in);
}

static int
begin(Call *call, const aero_source *source, uint64_t now)
{
    BatchIn *in = call->more;

    /* the keys have become digests and bodies */
    aero_free(in->keys);
    in->keys = NULL;
    aero_batch_begin(&in->batch, call->cluster, source, now);
    return 0;
}

static void
cancel(Call *call)
{
    BatchIn *in = call->more;

    aero_batch_cancel(&in->batch);
}

/* One that has nothing to send is finished at once. */
static void
set_task(Call *call, BatchIn *in)
{
    call->task = in->n == 0 ? NULL : &in->batch.task;
    call->begin = begin;
    call->cancel = cancel;
}

BatchIn *
batch_in(Call *call, Py_ssize_t count)
{
    BatchIn *in = aero_zalloc(sizeof *in);

    if (in == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    call->more = in;
    call->free_more = batch_in_free;
    aero_batch_init(&in->batch);
    in->n = (size_t)count;
    in->rows = aero_zalloc((in->n + 1) * sizeof *in->rows);
    in->keys = aero_zalloc((in->n + 1) * sizeof *in->keys);
    in->tuples = PyTuple_New(count);
    if (in->rows == NULL || in->keys == NULL || in->tuples == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    in->batch.rows = in->rows;
    in->batch.n_rows = in->n;
    in->batch.policy = call->policy;
    in->batch.filter = call->policy.filter;
    in->batch.flags = aero_batch_flags(&call->policy);
    in->batch.info1 = call->policy.compress ? AERO_INFO1_COMPRESS_RESPONSE : 0;
    in->batch.one_by_one =
        (aero_policy_has(&call->policy, AERO_POLICY_BIT_concurrency) &&
         call->policy.concurrency == 0) ||
        (aero_policy_has(&call->policy, AERO_POLICY_BIT_concurrent) &&
         !call->policy.concurrent);
    set_task(call, in);
    return in;
}

/* ---- keys ---- */

int
batch_set_key(Call *call, BatchIn *in, Py_ssize_t i, PyObject *key)
{
    KeyParts parts;
    int rc;

    if (!PyTuple_Check(key)) {
        raise_argument(call->state, EXC_ParamTypeError,
                       "key should be an aerospike key tuple",
                       "key must be a tuple");
        rc = -1;
    }
    else {
        rc = key_read(call->state, call->face, key, &in->keys[i], &parts);
    }
    if (rc < 0) {
        raise_about(call->state,
                    call->face->strict
                        ? "failed to convert key at index: %zd -> "
                        : "key %zd: ",
                    i);
        return -1;
    }
    PyTuple_SET_ITEM(in->tuples, i, Py_NewRef(key));
    in->rows[i].ns = in->keys[i].ns;
    return 0;
}

void
batch_digest(BatchIn *in)
{
    aero_key *few[DIGESTS];
    size_t from = 0;

    while (from < in->n) {
        size_t count = 0;

        for (; count < DIGESTS && from + count < in->n; count++) {
            few[count] = &in->keys[from + count];
        }
        aero_digest_many(few, count);
        for (size_t i = 0; i < count; i++) {
            memcpy(in->rows[from + i].digest, few[i]->digest,
                   AERO_DIGEST_SIZE);
        }
        from += count;
    }
}

int
batch_take_keys(Call *call, PyObject *keys, BatchIn **made)
{
    BatchIn *in;

    if (!PyList_Check(keys)) {
        raise_param_type(call->state,
                         "keys should be a list of aerospike key tuples");
        return -1;
    }
    in = batch_in(call, PyList_GET_SIZE(keys));
    if (in == NULL) {
        return -1;
    }
    *made = in;
    for (size_t i = 0; i < in->n; i++) {
        if ((size_t)PyList_GET_SIZE(keys) != in->n) {
            raise_error(call->state, EXC_ClientError,
                        "keys changed while they were read");
            return -1;
        }
        if (batch_set_key(call, in, (Py_ssize_t)i,
                          PyList_GET_ITEM(keys, (Py_ssize_t)i)) < 0) {
            return -1;
        }
    }
    batch_digest(in);
    return 0;
}

/* ---- policies ---- */

int
batch_parent_policy(Call *call, PyObject *dict, bool writes,
                    aero_policy_kind row_kind)
{
    aero_policy_kind base =
        writes ? AERO_POLICY_BATCH_PARENT_WRITE : AERO_POLICY_BATCH;
    uint32_t kinds = 1u << AERO_POLICY_BATCH;

    if (!call->face->strict) {
        kinds |= 1u << row_kind; /* one dict says both */
    }
    else if (dict != NULL && dict != Py_None) {
        base = AERO_POLICY_BATCH; /* so the official client does it */
    }
    return call_take_policy_of(call, dict, base, kinds);
}

/* Pack the filter that the row's own dict names. */
static int
pack_row_filter(Call *call, BatchIn *in, aero_policy *policy)
{
    PyObject *expr = policy->filter_expression != NULL
                         ? policy->filter_expression
                         : policy->expressions;
    Encoder enc = call_encoder(call, false);

    if (expr == NULL) {
        return 0;
    }
    in->work.len = 0;
    if (expr_pack(&enc, expr, &in->work) < 0) {
        return -1;
    }
    policy->filter = aero_arena_copy(&in->arena, aero_buf_span(&in->work));
    if (policy->filter.ptr == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    return 0;
}

int
batch_row_policy(Call *call, BatchIn *in, PyObject *shared, PyObject *own,
                 aero_policy_kind kind, aero_policy *policy)
{
    ModState *state = call->state;
    bool validate = call->client->validate_keys;

    *policy = call->client->defaults[kind];
    if (!call->face->strict) {
        if (policy_take(state, call->face, shared,
                        1u << kind | 1u << AERO_POLICY_BATCH, validate,
                        policy) < 0) {
            return -1;
        }
        /* the parent message has this filter */
        policy->filter_expression = NULL;
        policy->expressions = NULL;
    }
    if (policy_take(state, call->face, own, 1u << kind, validate, policy) <
        0) {
        return -1;
    }
    return pack_row_filter(call, in, policy);
}

/* ---- bodies ---- */

static bool
same_place(const aero_key *a, const aero_key *b)
{
    return (a->ns.ptr == b->ns.ptr || aero_span_equal(a->ns, b->ns)) &&
           (a->set.ptr == b->set.ptr || aero_span_equal(a->set, b->set));
}

static bool
sends_key(const aero_key *key, const aero_policy *policy)
{
    return policy->key != 0 && key->particle != AERO_PARTICLE_NIL;
}

static void
put_key_field(aero_buf *out, const aero_key *key)
{
    size_t mark = aero_field_open(out, AERO_FIELD_KEY);

    aero_buf_put_u8(out, key->particle);
    aero_buf_put_span(out, key->value);
    aero_field_close(out, mark);
}

static void
make_body(aero_buf *out, const aero_key *key, const RowIn *row)
{
    bool send = sends_key(key, row->policy);
    aero_span filter = row->policy->filter;
    aero_msg msg = row->msg;

    msg.n_fields = (uint16_t)(1 + (key->set.len != 0) + (filter.len != 0) +
                              send + row->n_fields);
    msg.n_ops = row->n_ops;
    aero_batch_put_head(out, &msg);
    aero_field_put(out, AERO_FIELD_NAMESPACE, key->ns);
    if (key->set.len != 0) {
        aero_field_put(out, AERO_FIELD_SET, key->set);
    }
    if (filter.len != 0) {
        aero_field_put(out, AERO_FIELD_FILTER, filter);
    }
    if (send) {
        put_key_field(out, key);
    }
    for (unsigned i = 0; i < row->n_fields; i++) {
        aero_field_put(out, (aero_field_type)row->fields[i].type,
                       row->fields[i].data);
    }
    aero_buf_put_span(out, row->ops);
}

int
batch_put_row(Call *call, BatchIn *in, size_t i, const RowIn *row)
{
    const aero_key *key = &in->keys[i];
    aero_row *to = &in->rows[i];

    to->has_key = sends_key(key, row->policy);
    to->is_write = (row->msg.info2 & AERO_INFO2_WRITE) != 0;
    in->work.len = 0;
    make_body(&in->work, key, row);
    if (i > 0 && !to->has_key && !in->rows[i - 1].has_key &&
        aero_span_equal(in->rows[i - 1].body, aero_buf_span(&in->work))) {
        to->body = in->rows[i - 1].body;
        return 0;
    }
    to->body = aero_arena_copy(&in->arena, aero_buf_span(&in->work));
    if (in->work.failed || to->body.ptr == NULL) {
        raise_error(call->state, EXC_ParamValueError,
                    "the batch does not fit the memory");
        return -1;
    }
    return 0;
}

int
batch_put_same(Call *call, BatchIn *in, const RowIn *row)
{
    for (size_t i = 0; i < in->n; i++) {
        if (i > 0 && same_place(&in->keys[i], &in->keys[i - 1]) &&
            !in->rows[i - 1].has_key &&
            !sends_key(&in->keys[i], row->policy)) {
            in->rows[i].body = in->rows[i - 1].body;
            in->rows[i].is_write = in->rows[i - 1].is_write;
        }
        else if (batch_put_row(call, in, i, row) < 0) {
            return -1;
        }
    }
    return 0;
}
