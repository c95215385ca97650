/* Calls that ask something of the cluster and wait until it is so.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "settled.h"

#include "aero/base/alloc.h"

static void
put_ask(void *ctx, const aero_node *node, aero_buf *out)
{
    (void)node;
    aero_buf_put_span(out, aero_buf_span(&((Settled *)ctx)->ask));
}

static void
put_look(void *ctx, const aero_node *node, aero_buf *out)
{
    (void)node;
    aero_buf_put_span(out, aero_buf_span(&((Settled *)ctx)->look));
}

static void
free_settled(Call *call)
{
    Settled *s = call->more;

    aero_settle_fini(&s->settle);
    aero_buf_fini(&s->ask);
    aero_buf_fini(&s->ask_old);
    aero_buf_fini(&s->look);
    aero_buf_fini(&s->expected);
    aero_free(s);
}

int
settled_begin(Call *call, const aero_source *source, uint64_t now)
{
    Settled *s = call->more;

    (void)now;
    if (s->ask.failed || s->ask_old.failed || s->look.failed ||
        s->expected.failed) {
        PyErr_NoMemory();
        return -1;
    }
    s->settle.ask.timeout_ms = call->policy.timeout;
    s->settle.look.timeout_ms = call->policy.timeout;
    aero_settle_begin(&s->settle, call->cluster, source);
    return 0;
}

static void
cancel(Call *call)
{
    aero_settle_cancel(&((Settled *)call->more)->settle);
}

Settled *
settled_new(Call *call)
{
    Settled *s = aero_zalloc(sizeof *s);

    if (s == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    aero_settle_init(&s->settle);
    s->settle.ctx = s;
    s->settle.ask = (aero_fan_how){
        .put = put_ask, .ctx = s, .one_node = true, .policy = &call->policy};
    s->settle.look = (aero_fan_how){.put = put_look, .ctx = s};
    call->more = s;
    call->free_more = free_settled;
    call->task = &s->settle.task;
    call->begin = settled_begin;
    call->cancel = cancel;
    call->finish = settled_finish_zero;
    return s;
}

int
settled_check(Call *call)
{
    Settled *s = call->more;

    if (PyErr_Occurred()) {
        return -1; /* interrupted */
    }
    if (s->settle.rc == AERO_OK) {
        return 0;
    }
    raise_status(call->state, &s->settle.st);
    return -1;
}

PyObject *
settled_finish_zero(Call *call)
{
    return settled_check(call) < 0 ? NULL : PyLong_FromLong(0);
}

/* ---- parts of commands ---- */

int
info_put_text(ModState *state, aero_buf *out, const char *key, aero_span text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == ';' || text.ptr[i] == '\n' || text.ptr[i] == '\t') {
            raise_param_value(
                state, "%s must not contain ';', tabs or newlines", key);
            return -1;
        }
    }
    aero_buf_put_u8(out, ';');
    aero_buf_put_str(out, key);
    aero_buf_put_u8(out, '=');
    aero_buf_put_span(out, text);
    return 0;
}

int
info_put_name(ModState *state, aero_buf *out, const char *key, PyObject *value,
              const char *what)
{
    aero_span text;

    if (value == NULL || !PyUnicode_Check(value)) {
        raise_param_type(state, "%s", what);
        return -1;
    }
    if (value_as_text(state, value, &text) < 0) {
        return -1;
    }
    return info_put_text(state, out, key, text);
}
