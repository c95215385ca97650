/* Builders of the methods that read one record.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "build_single.h"
#include "record.h"

/* ---- results ---- */

/* The message's head, with the fields behind it skipped. */
int
single_take_head(Call *call, aero_span *body, aero_msg *msg)
{
    aero_status *st = &call->cmd.st;

    *body = aero_cmd_body(&call->cmd);
    if (aero_msg_take(body, msg, st) != AERO_OK) {
        raise_status(call->state, st);
        return -1;
    }
    for (unsigned i = 0; i < msg->n_fields; i++) {
        aero_field field;

        if (aero_field_take(body, &field, st) != AERO_OK) {
            raise_status(call->state, st);
            return -1;
        }
    }
    return 0;
}

static PyObject *
finish_bins(Call *call, bool skip_nil)
{
    Decoder dec;
    aero_span body;
    aero_msg msg;
    PyObject *bins;

    if (result_check(call, NULL) < 0 ||
        single_take_head(call, &body, &msg) < 0) {
        return NULL;
    }
    dec = call_decoder(call);
    dec.skip_nil = skip_nil;
    bins = record_bins(&dec, body, msg.n_ops);
    if (bins == NULL) {
        errors_record(call->state, call->cmd.st.node, call->argv[0]);
        return NULL;
    }
    return result_record(
        call, result_meta(call->state, call->face, msg.generation, msg.ttl),
        bins);
}

PyObject *
single_finish_record(Call *call)
{
    return finish_bins(call, false);
}

PyObject *
single_finish_answers(Call *call)
{
    return finish_bins(call, true);
}

static PyObject *
finish_exists(Call *call)
{
    aero_span body;
    aero_msg msg;
    PyObject *meta;
    PyTypeObject *type =
        call->face->strict ? &PyTuple_Type : call->state->ExistsResult;

    if (call->cmd.rc == AERO_OK &&
        call->cmd.result == AERO_ERR_RECORD_NOT_FOUND) {
        meta = Py_NewRef(Py_None);
    }
    else if (result_check(call, NULL) < 0 ||
             single_take_head(call, &body, &msg) < 0) {
        return NULL;
    }
    else {
        meta = result_meta(call->state, call->face, msg.generation, msg.ttl);
    }
    return result_tuple(type, 2,
                        key_make(call->state, call->face, &call->parts,
                                 call->echo_key, call->key.digest),
                        meta);
}

/* ---- reads ---- */

/* Does the result repeat the caller's user key? */
static void
choose_echo(Call *call)
{
    if (call->face->strict) {
        call->echo_key = call->policy.key != 0;
    }
    else {
        call->echo_key = call->policy.key != 0 ||
                         !aero_policy_has(&call->policy, AERO_POLICY_BIT_key);
    }
}

static int
build_read(Call *call, PyObject *policy, uint8_t info1, aero_single *s)
{
    aero_msg msg = {.info1 = info1};

    if (call_take_key(call, call->argv[0]) < 0 ||
        call_take_policy(call, policy, AERO_POLICY_READ) < 0) {
        return -1;
    }
    aero_policy_put_read(&call->policy, &msg);
    aero_single_open(s, &call->cmd, &call->key, &call->policy, &msg);
    call->is_read = call->txn == NULL;
    return 0;
}

int
build_get(Call *call)
{
    aero_single s;

    if (build_read(call, call->argv[1], AERO_INFO1_GET_ALL, &s) < 0) {
        return -1;
    }
    choose_echo(call);
    aero_single_close(&s, 0);
    call->finish = single_finish_record;
    return 0;
}

int
build_exists(Call *call)
{
    aero_single s;

    if (build_read(call, call->argv[1], AERO_INFO1_GET_NO_BINS, &s) < 0) {
        return -1;
    }
    aero_single_close(&s, 0);
    call->finish = finish_exists;
    return 0;
}

/* A name of select: the strict face cuts what is too long. */
static int
take_select_name(Call *call, PyObject *obj, aero_span *name)
{
    if (call->face->strict && PyUnicode_Check(obj)) {
        if (value_as_text(call->state, obj, name) < 0) {
            return -1;
        }
        if (name->len > AERO_BIN_NAME_MAX) {
            name->len = AERO_BIN_NAME_MAX;
        }
        return 0;
    }
    return build_take_bin(call->state, call->face, call->client->strict_types,
                          obj, "Bin name must be a string", name);
}

int
build_select(Call *call)
{
    PyObject *bins = call->argv[1];
    aero_single s;
    Py_ssize_t count;

    if (!PyList_Check(bins) && !PyTuple_Check(bins)) {
        raise_argument(call->state, EXC_ParamTypeError, "not a list or tuple",
                       "bins must be a list or tuple of str, not %s",
                       Py_TYPE(bins)->tp_name);
        return -1;
    }
    if (build_read(call, call->argv[2], 0, &s) < 0) {
        return -1;
    }
    count = PySequence_Fast_GET_SIZE(bins);
    if (count > AERO_OPS_MAX) {
        raise_param_value(call->state, "more than %d bins", AERO_OPS_MAX);
        return -1;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        aero_span name;

        if (take_select_name(call, PySequence_Fast_GET_ITEM(bins, i), &name) <
            0) {
            return -1;
        }
        aero_single_put_names(&s, &name, 1);
    }
    aero_single_close(&s, (uint16_t)count);
    call->finish = single_finish_record;
    return 0;
}
