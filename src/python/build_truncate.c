/* Builders of what is asked of the cluster by info commands besides: truncate
 * and filters; and what only packs its argument.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "build.h"
#include "query.h"
#include "settled.h"

#include "aero/base/b64.h"

/* ---- truncate ---- */

static int
take_nanos(const Call *call, PyObject *obj, unsigned long long *nanos)
{
    ModState *state = call->state;
    PyObject *zero;
    int negative;

    *nanos = 0;
    if (obj == NULL) {
        return 0;
    }
    if (!PyLong_Check(obj)) {
        raise_param_type(state, "Nanoseconds must be a long type");
        return -1;
    }
    zero = PyLong_FromLong(0);
    if (zero == NULL) {
        return -1;
    }
    negative = PyObject_RichCompareBool(obj, zero, Py_LT);
    Py_DECREF(zero);
    if (negative != 0) {
        if (negative > 0) {
            raise_param_value(state, "Nanoseconds must be a positive value");
        }
        return -1;
    }
    *nanos = PyLong_AsUnsignedLongLong(obj);
    if (PyErr_Occurred()) {
        raise_error(state, EXC_ParamOverflowError,
                    "Nanoseconds value too large");
        return -1;
    }
    return 0;
}

/* The strict face says it in another way. */
static int
take_policy(Call *call, PyObject *policy)
{
    if (call_take_policy(call, policy, AERO_POLICY_INFO) == 0) {
        return 0;
    }
    if (call->face->strict) {
        errors_reword(call->state, EXC_ClientError, "Incorrect Policy -> ");
    }
    return -1;
}

int
build_truncate(Call *call)
{
    ModState *state = call->state;
    PyObject *set = call->argv[1];
    aero_buf names = AERO_BUF_INIT;
    unsigned long long nanos;
    Settled *s;
    int rc;

    if (set != Py_None && !PyUnicode_Check(set)) {
        raise_param_type(state, "Set must be None, or unicode or string type");
        return -1;
    }
    rc = info_put_name(state, &names, "namespace", call->argv[0],
                       "Namespace must be unicode or string type");
    if (rc == 0 && set != Py_None) {
        rc = info_put_name(state, &names, "set", set,
                           "Set must be None, or unicode or string type");
    }
    rc = rc < 0 ? rc : take_nanos(call, call->argv[2], &nanos);
    rc = rc < 0 ? rc : take_policy(call, call->argv[3]);
    s = rc < 0 ? NULL : settled_new(call);
    if (s != NULL) {
        aero_buf_put_str(&s->ask,
                         set == Py_None ? "truncate-namespace:" : "truncate:");
        aero_buf_put_span(&s->ask, aero_span_skip(aero_buf_span(&names), 1));
        if (nanos != 0) {
            aero_buf_printf(&s->ask, ";lut=%llu", nanos);
        }
        s->settle.look.put = NULL;
    }
    aero_buf_fini(&names);
    return s == NULL ? -1 : 0;
}

/* ---- filters of data centers ---- */

static PyObject *
finish_xdr(Call *call)
{
    Settled *s = call->more;
    aero_span body;

    if (settled_check(call) < 0) {
        return NULL;
    }
    body = aero_cmd_body(&s->settle.fan.cmds[0]);
    return PyUnicode_DecodeUTF8((const char *)body.ptr, (Py_ssize_t)body.len,
                                "replace");
}

static int
put_filter(Call *call, PyObject *expr, aero_buf *out)
{
    Encoder enc = call_encoder(call, false);
    aero_buf packed = AERO_BUF_INIT;
    int rc;

    if (expr == Py_None) {
        aero_buf_put_str(out, ";exp=null");
        return 0;
    }
    rc = expr_pack(&enc, expr, &packed);
    aero_buf_put_str(out, ";exp=");
    aero_b64_put(out, aero_buf_span(&packed));
    out->failed = out->failed || packed.failed;
    aero_buf_fini(&packed);
    return rc;
}

int
build_set_xdr_filter(Call *call)
{
    ModState *state = call->state;
    aero_buf names = AERO_BUF_INIT;
    Settled *s = NULL;
    int rc = info_put_name(state, &names, "dc", call->argv[0],
                           "Data_center should be a string.");

    rc = rc < 0 ? rc
                : info_put_name(state, &names, "namespace", call->argv[1],
                                "Namespace should be a string.");
    rc = rc < 0 ? rc : put_filter(call, call->argv[2], &names);
    rc = rc < 0 ? rc : call_take_policy(call, call->argv[3], AERO_POLICY_INFO);
    if (rc == 0) {
        s = settled_new(call);
    }
    if (s != NULL) {
        aero_buf_put_str(&s->ask, "xdr-set-filter:");
        aero_buf_put_span(&s->ask, aero_span_skip(aero_buf_span(&names), 1));
        s->ask.failed = s->ask.failed || names.failed;
        s->settle.look.put = NULL;
        call->finish = finish_xdr;
    }
    aero_buf_fini(&names);
    return s == NULL ? -1 : 0;
}

/* ---- base64 ---- */

static PyObject *
packed_base64(Client *client, PyObject *obj,
              int (*pack)(const Encoder *, PyObject *, aero_buf *))
{
    Encoder enc = {.state = client->state,
                   .face = client->face,
                   .serializer = client->serializer,
                   .bool_as_int = client->bool_as_int};
    aero_buf packed = AERO_BUF_INIT;
    aero_buf text = AERO_BUF_INIT;
    PyObject *made = NULL;

    if (pack(&enc, obj, &packed) == 0) {
        aero_b64_put(&text, aero_buf_span(&packed));
        made = packed.failed || text.failed
                   ? PyErr_NoMemory()
                   : PyUnicode_FromStringAndSize((const char *)text.ptr,
                                                 (Py_ssize_t)text.len);
    }
    aero_buf_fini(&packed);
    aero_buf_fini(&text);
    return made;
}

PyObject *
plain_get_expression_base64(Client *client, PyObject *const *argv)
{
    return packed_base64(client, argv[0], expr_pack);
}

PyObject *
plain_get_cdtctx_base64(Client *client, PyObject *const *argv)
{
    if (!PyList_Check(argv[0])) {
        return raise_param_type(client->state, "parameter is not list type");
    }
    return packed_base64(client, argv[0], index_put_context);
}
