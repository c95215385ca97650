/* Builder of `apply`: a Lua function on one record.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "build.h"

#include "aero/wire/info.h"

/* ---- the answer ---- */

/* An error's text may end with ":<number>": that is then the code. */
static int
code_in(aero_span text)
{
    size_t at = text.len;
    int64_t number;

    while (at > 0 && text.ptr[at - 1] >= '0' && text.ptr[at - 1] <= '9') {
        at--;
    }
    if (at == 0 || at == text.len || text.ptr[at - 1] != ':' ||
        !aero_info_number(aero_span_skip(text, at), &number) || number <= 0 ||
        number > UINT8_MAX) {
        return AERO_ERR_UDF;
    }
    return (int)number;
}

/* What failed knows its module and function. */
static PyObject *
add_names(const Call *call)
{
    PyObject *type;
    PyObject *exc;
    PyObject *trace;

    PyErr_Fetch(&type, &exc, &trace);
    PyErr_NormalizeException(&type, &exc, &trace);
    if (exc != NULL &&
        (PyObject_SetAttr(exc, call->state->str_module, call->argv[1]) < 0 ||
         PyObject_SetAttr(exc, call->state->str_func, call->argv[2]) < 0)) {
        PyErr_Clear();
    }
    PyErr_Restore(type, exc, trace);
    return NULL;
}

static PyObject *
raise_failure(Call *call, aero_span text)
{
    aero_status *st = &call->cmd.st;

    st->from_server = true;
    aero_fail(st, code_in(text), "%.*s", (int)text.len, text.ptr);
    raise_record(call->state, st, call->argv[0], NULL);
    return add_names(call);
}

/* Fields are skipped; the one operation is SUCCESS or FAILURE. */
static bool
take_answer(Call *call, aero_op *op)
{
    aero_status *st = &call->cmd.st;
    aero_span body = aero_cmd_body(&call->cmd);
    aero_msg msg;
    aero_field field;

    if (aero_msg_take(&body, &msg, st) != AERO_OK) {
        return false;
    }
    for (unsigned i = 0; i < msg.n_fields; i++) {
        if (aero_field_take(&body, &field, st) != AERO_OK) {
            return false;
        }
    }
    return msg.n_ops != 0 && aero_op_take(&body, op, st) == AERO_OK;
}

static PyObject *
finish_apply(Call *call)
{
    aero_cmd *cmd = &call->cmd;
    Decoder dec = call_decoder(call);
    aero_op op;
    bool answered;

    if (cmd->rc != AERO_OK) {
        result_check(call, NULL);
        return NULL;
    }
    answered = take_answer(call, &op);
    if (answered && aero_span_is(op.name, "FAILURE")) {
        return raise_failure(call, op.value);
    }
    if (cmd->result != AERO_ERR_OK) {
        result_check(call, NULL);
        return cmd->result == AERO_ERR_UDF ? add_names(call) : NULL;
    }
    if (!answered || !aero_span_is(op.name, "SUCCESS")) {
        return raise_error(call->state, EXC_ClientError,
                           "the answer to a UDF has no result");
    }
    return value_take(&dec, op.particle, op.value);
}

/* ---- the request ---- */

static int
check_arguments(Call *call)
{
    PyObject *args = call->argv[3];
    bool none = args == NULL || (args == Py_None && !call->face->strict);

    if (!none && !PyList_Check(args)) {
        PyErr_SetString(PyExc_TypeError,
                        "expected UDF method arguments in a 'list'");
        return -1;
    }
    if (!PyUnicode_Check(call->argv[1])) {
        raise_error(call->state, EXC_ClientTypeError,
                    "udf module argument must be a string or unicode string");
        return -1;
    }
    if (!PyUnicode_Check(call->argv[2])) {
        raise_error(call->state, EXC_ClientTypeError,
                    "function name must be a string or unicode string");
        return -1;
    }
    return 0;
}

static int
put_text(Call *call, aero_single *s, aero_field_type type, PyObject *obj)
{
    aero_span text;

    if (value_as_text(call->state, obj, &text) < 0) {
        return -1;
    }
    aero_single_put_field(s, type, text);
    return 0;
}

static int
put_args(Call *call, aero_single *s, PyObject *args)
{
    aero_buf *out = &call->cmd.out;
    Encoder enc = call_encoder(call, true);
    size_t mark = aero_field_open(out, AERO_FIELD_UDF_ARGS);

    if (args == NULL || args == Py_None) {
        aero_buf_put_u8(out, 0x90); /* no items */
    }
    else if (value_pack(&enc, args, out) < 0) {
        return -1;
    }
    aero_field_close(out, mark);
    s->msg.n_fields++;
    return 0;
}

int
build_apply(Call *call)
{
    aero_policy *policy = &call->policy;
    aero_single s;
    aero_msg msg = {0};
    uint32_t ttl;

    if (call_take_key(call, call->argv[0]) < 0 || check_arguments(call) < 0 ||
        call_take_policy(call, call->argv[4], AERO_POLICY_APPLY) < 0) {
        return -1;
    }
    ttl = policy->ttl == AERO_TTL_OF_CLIENT
              ? call->client->defaults[AERO_POLICY_APPLY].ttl
              : policy->ttl;
    /* A function decides itself what it does to a record that is there. */
    policy->gen = AERO_GEN_IGNORE;
    policy->exists = AERO_EXISTS_UPDATE;
    aero_policy_put_write(
        policy, 0, ttl == AERO_TTL_OF_CLIENT ? AERO_TTL_DEFAULT : ttl, &msg);
    aero_single_open(&s, &call->cmd, &call->key, policy, &msg);
    if (put_text(call, &s, AERO_FIELD_UDF_PACKAGE, call->argv[1]) < 0 ||
        put_text(call, &s, AERO_FIELD_UDF_FUNCTION, call->argv[2]) < 0 ||
        put_args(call, &s, call->argv[3]) < 0) {
        return -1;
    }
    aero_single_close(&s, 0);
    call->finish = finish_apply;
    return 0;
}
