/* Builders of operate: several operations on one record.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "build_single.h"

static PyObject *
take_ordered(Call *call, aero_span body, unsigned count, bool skip_nil)
{
    Decoder dec = call_decoder(call);
    PyTypeObject *type =
        call->face->strict ? &PyTuple_Type : call->state->BinTuple;
    PyObject *list = PyList_New(0);

    for (unsigned i = 0; list != NULL && i < count; i++) {
        aero_op op;
        PyObject *pair = NULL;

        if (aero_op_take(&body, &op, &call->cmd.st) != AERO_OK) {
            raise_status(call->state, &call->cmd.st);
        }
        else if (skip_nil && op.particle == AERO_PARTICLE_NIL) {
            continue;
        }
        else {
            pair = result_tuple(type, 2, value_name(call->state, op.name),
                                value_take(&dec, op.particle, op.value));
        }
        if (pair == NULL || PyList_Append(list, pair) < 0) {
            Py_CLEAR(list);
        }
        Py_XDECREF(pair);
    }
    return list;
}

static PyObject *
finish_pairs(Call *call, bool skip_nil)
{
    aero_span body;
    aero_msg msg;
    PyObject *list;
    PyTypeObject *type =
        call->face->strict ? &PyTuple_Type : call->state->OperateOrderedResult;

    if (result_check(call, NULL) < 0 ||
        single_take_head(call, &body, &msg) < 0) {
        return NULL;
    }
    list = take_ordered(call, body, msg.n_ops, skip_nil);
    if (list == NULL) {
        errors_record(call->state, call->cmd.st.node, call->argv[0]);
        return NULL;
    }
    return result_tuple(
        type, 3,
        key_make(call->state, call->face, &call->parts, call->echo_key,
                 call->key.digest),
        result_meta(call->state, call->face, msg.generation, msg.ttl), list);
}

static PyObject *
finish_ordered(Call *call)
{
    return finish_pairs(call, false);
}

static PyObject *
finish_ordered_answers(Call *call)
{
    return finish_pairs(call, true);
}

static int
build_operations(Call *call, bool skip_odd, bool *official)
{
    PyObject *list = call->argv[1];
    OpsIn ops = ops_begin(call, &call->cmd.out);
    WriteWish wish;
    aero_msg msg = {0};
    aero_single s;

    if (call_take_key(call, call->argv[0]) < 0) {
        return -1;
    }
    if (!PyList_Check(list)) {
        raise_argument(call->state, EXC_ParamTypeError,
                       "Operations should be of type list",
                       "ops must be a list of dicts, not %s",
                       Py_TYPE(list)->tp_name);
        return -1;
    }
    if (single_take_write(call, call->argv[2], call->argv[3],
                          AERO_POLICY_OPERATE, &wish) < 0) {
        return -1;
    }
    ops.skip_odd = skip_odd;
    aero_single_open(&s, &call->cmd, &call->key, &call->policy, &msg);
    if (ops_put(list, &ops) < 0) {
        return -1;
    }
    *official = ops.official || call->face != &main_face;
    if (ops.writes) {
        aero_policy_put_write(&call->policy, wish.gen,
                              ops.has_ttl ? ops.ttl : wish.ttl, &msg);
    }
    if (ops.reads) {
        aero_policy_put_read(&call->policy, &msg);
    }
    if (ops.read_all) {
        msg.info1 |= AERO_INFO1_GET_ALL;
    }
    else if (ops.respond_all) {
        msg.info2 |= AERO_INFO2_RESPOND_ALL_OPS;
    }
    msg.n_fields = s.msg.n_fields;
    s.msg = msg;
    aero_single_close(&s, ops.count);
    return 0;
}

/* An operation that answers nothing sends nil: None where its words are the
 * official client's, left out where they are the Rust package's. */
int
build_operate(Call *call)
{
    bool official;

    if (build_operations(call, call->face->strict, &official) < 0) {
        return -1;
    }
    call->finish = official ? single_finish_record : single_finish_answers;
    return 0;
}

int
build_operate_ordered(Call *call)
{
    bool official;

    if (build_operations(call, false, &official) < 0) {
        return -1;
    }
    call->finish = official ? finish_ordered : finish_ordered_answers;
    return 0;
}
