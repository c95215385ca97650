/* Calls.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "aero/base/alloc.h"
#include "aero/drive/sync.h"
#include "call.h"
#include "expr.h"
#include "gil.h"
#include "metrics.h"

enum {
    SPARE_MAX = 64,    /* calls kept for reuse by one client */
    FILTER_KEEP = 4096 /* bytes of a filter kept for the next */
};

Call *
call_new(Client *client)
{
    Call *call;

    OWN_LOCK(&client->lock);
    call = client->spare;
    if (call != NULL) {
        client->spare = call->next;
        client->n_spare--;
    }
    OWN_UNLOCK(&client->lock);
    if (call == NULL) {
        call = aero_zalloc(sizeof *call);
        if (call == NULL) {
            PyErr_NoMemory();
            return NULL;
        }
        aero_cmd_init(&call->cmd);
    }
    call->task = &call->cmd.task;
    call->client = client;
    call->sig = NULL;
    call->state = client->state;
    call->face = client->face;
    call->begin = NULL;
    call->cancel = NULL;
    call->may_have_written = NULL;
    call->self = NULL;
    call->pump = NULL;
    call->again = false;
    call->abandoned = false;
    call->echo_key = true;
    call->is_read = false;
    return call;
}

/* ---- in a transaction ---- */

static void
end_txn(Call *call)
{
    if (call->txn_run != NULL) {
        aero_txn_run_fini(call->txn_run);
        aero_free(call->txn_run);
        call->txn_run = NULL;
    }
    aero_txn_release(call->txn);
    call->txn = NULL;
    call->policy.in_txn = NULL;
}

static void
cancel_txn(Call *call)
{
    aero_txn_run_cancel(call->txn_run);
}

/* A single command with what has to go before it and what is to be
 * remembered behind it. */
static int
begin_txn(Call *call, const aero_source *source)
{
    aero_status st;

    aero_status_clear(&st);
    if (aero_txn_join(call->txn, call->key.ns, &st) != AERO_OK) {
        raise_status(call->state, &st);
        return -1;
    }
    call->txn_run = aero_zalloc(sizeof *call->txn_run);
    if (call->txn_run == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    aero_txn_run_begin(call->txn_run, call->txn, &call->cmd, &call->key,
                       &call->policy, call->cluster, source);
    call->task = &call->txn_run->task;
    call->cancel = cancel_txn;
    return 0;
}

static int
take_txn(Call *call)
{
    PyObject *obj = call->policy.txn;

    if (obj == NULL) {
        return 0;
    }
    aero_txn_release(call->txn);
    call->txn = transaction_take(call->state, obj);
    call->policy.in_txn = call->txn;
    return call->txn == NULL ? -1 : 0;
}

/* ---- life ---- */

void
call_free(Call *call)
{
    Client *client;
    bool keep;

    if (call == NULL) {
        return;
    }
    client = call->client;
    if (call->free_more != NULL) {
        call->free_more(call);
        call->free_more = NULL;
        call->more = NULL;
    }
    end_txn(call);
    Py_CLEAR(call->hold);
    Py_CLEAR(call->filter_hold);
    aero_cluster_release(call->cluster);
    call->cluster = NULL;
    if (call->cmd.node_is_given) {
        aero_node_release(call->cmd.node);
        call->cmd.node = NULL;
        call->cmd.node_is_given = false;
    }
    aero_cmd_reset(&call->cmd);
    OWN_LOCK(&client->lock);
    keep = client->n_spare < SPARE_MAX;
    if (keep) {
        call->next = client->spare;
        client->spare = call;
        client->n_spare++;
    }
    OWN_UNLOCK(&client->lock);
    if (!keep) {
        aero_cmd_fini(&call->cmd);
        aero_buf_fini(&call->filter);
        aero_free(call);
    }
}

Encoder
call_encoder(const Call *call, bool with_class_serializer)
{
    const Client *client = call->client;
    Encoder enc = {
        .state = call->state,
        .face = call->face,
        .serializer = client->serializer,
        .bool_as_int = client->bool_as_int,
    };

    if (with_class_serializer && enc.serializer == NULL) {
        enc.serializer = call->state->serializer;
    }
    return enc;
}

Decoder
call_decoder(const Call *call)
{
    const Client *client = call->client;
    Decoder dec = {.state = call->state,
                   .face = call->face,
                   .packed = !call->policy.deserialize};

    if (call->policy.deserialize) {
        dec.deserializer = client->deserializer != NULL
                               ? client->deserializer
                               : call->state->deserializer;
    }
    return dec;
}

int
call_take_key(Call *call, PyObject *key)
{
    return key_take(call->state, call->face, key, &call->key, &call->parts);
}

/* Pack the filter that the policy names; its bytes stay until the end. */
static int
take_filter(Call *call)
{
    aero_policy *policy = &call->policy;
    PyObject *expr = policy->filter_expression != NULL
                         ? policy->filter_expression
                         : policy->expressions;
    Encoder enc;

    if (expr == NULL) {
        return 0;
    }
    if (expression_packed(call->state, expr, &policy->filter)) {
        Py_XSETREF(call->filter_hold, Py_NewRef(expr));
        return 0;
    }
    enc = call_encoder(call, false);
    aero_buf_reset(&call->filter, FILTER_KEEP);
    if (expr_pack(&enc, expr, &call->filter) < 0) {
        errors_place(call->state, policy->filter_expression != NULL
                                      ? "filter_expression"
                                      : "expressions");
        return -1;
    }
    policy->filter = aero_buf_span(&call->filter);
    return 0;
}

int
call_take_policy(Call *call, PyObject *policy, aero_policy_kind kind)
{
    return call_take_policy_of(call, policy, kind, 1u << kind);
}

/* What a configuration file says outranks the call. */
static int
take_forced(Call *call, aero_policy_kind base)
{
    Client *client = call->client;
    PyObject *forced;
    PyObject *policy;
    int rc = 0;

    OWN_LOCK(&client->lock);
    forced = Py_XNewRef(client->forced);
    OWN_UNLOCK(&client->lock);
    if (forced != NULL) {
        policy = PyDict_GetItemString(forced, policy_kind_name(base));
        if (policy != NULL) {
            rc = policy_take(call->state, call->face, policy, 1u << base,
                             false, &call->policy);
        }
        Py_DECREF(forced);
    }
    return rc;
}

int
call_take_policy_of(Call *call, PyObject *policy, aero_policy_kind base,
                    uint32_t kinds)
{
    call->policy = call->client->defaults[base];
    if (policy_take(call->state, call->face, policy, kinds,
                    call->client->validate_keys, &call->policy) < 0) {
        return -1;
    }
    if (call->client->forced != NULL && take_forced(call, base) < 0) {
        return -1;
    }
    return take_txn(call) < 0 ? -1 : take_filter(call);
}

/* ---- running ---- */

typedef struct Unlocked {
    PyThreadState *thread;
} Unlocked;

/* A signal has come while we waited: let Python's handlers run. */
static bool
check_signals(void *ctx)
{
    Unlocked *unlocked = ctx;
    bool stop;

    GIL_RESTORE(unlocked->thread);
    stop = PyErr_CheckSignals() < 0;
    unlocked->thread = GIL_SAVE();
    return stop;
}

static aero_rc
wait_for(Call *call)
{
    Unlocked unlocked;
    aero_wait wait = {check_signals, &unlocked, -1};
    aero_rc rc;

    unlocked.thread = GIL_SAVE();
    if (call->task == &call->cmd.task) {
        rc = aero_sync_job(&call->cmd.job, &wait);
    }
    else {
        rc = aero_sync_task(call->task, &wait);
    }
    GIL_RESTORE(unlocked.thread);
    return rc;
}

/* It has its result, unless it wants to go on. */
static void
call_end(Call *call, PyObject *result, uint64_t from)
{
    metrics_stage_end(call, STAGE_INTO_PYOBJECT, from);
    if (!call->again) {
        metrics_end(call, result);
    }
}

int
call_begin(Call *call, const aero_source *source)
{
    uint64_t now = aero_clock_now();

    metrics_begin(call, now);
    call->io_from = metrics_stage_begin(call->state);

    if (call->begin != NULL) {
        return call->begin(call, source, now);
    }
    if (call->cmd.out.failed) {
        raise_error(call->state, EXC_ParamValueError,
                    "the request does not fit a message of 128 MiB");
        return -1;
    }
    if (call->txn != NULL) {
        return begin_txn(call, source);
    }
    aero_cmd_begin(&call->cmd, call->cluster, source, now);
    return 0;
}

aero_gate *
call_gate(const Call *call)
{
    return call->sig != NULL && call->sig->is_data ? call->client->gate : NULL;
}

uint64_t
call_total_by(const Call *call)
{
    return aero_clock_after(aero_clock_now(), call->policy.total_timeout);
}

void *
call_raise_refused(const Call *call, int32_t code)
{
    const aero_gate *gate = call->client->gate;
    unsigned limit = aero_gate_limit(gate);
    aero_status st;

    aero_status_clear(&st);
    if (code == AERO_ERR_ASYNC_QUEUE_FULL) {
        aero_fail(&st, code,
                  "%s: none of %u operations (max_concurrent_operations) has "
                  "ended within %u ms (operation_queue_timeout_ms)",
                  call->sig->method, limit, aero_gate_wait_ms(gate));
    }
    else {
        aero_fail(&st, code,
                  "timeout: total_timeout of %u ms has passed, waiting for "
                  "one of %u operations (max_concurrent_operations) to end",
                  call->policy.total_timeout, limit);
    }
    return raise_record(call->state, &st, call->argv[0], NULL);
}

/* Wait for a place, without the interpreter's lock. */
static int
pass_gate(const Call *call, aero_gate *gate, aero_pass *pass)
{
    uint64_t total_by = call_total_by(call);
    uint64_t by = aero_gate_patience(gate, aero_clock_now(), total_by);
    Unlocked unlocked;
    aero_wait wait = {check_signals, &unlocked, -1};
    uint64_t from = metrics_stage_begin(call->state);
    aero_rc rc;

    if (aero_gate_join(gate, pass, NULL)) {
        return 0;
    }
    unlocked.thread = GIL_SAVE();
    rc = aero_gate_wait(gate, pass, by, &wait);
    GIL_RESTORE(unlocked.thread);
    metrics_stage_end(call, STAGE_LIMITER_WAIT, from);
    if (rc == AERO_OK) {
        return 0;
    }
    if (!PyErr_Occurred()) {
        call_raise_refused(call, by < total_by ? AERO_ERR_ASYNC_QUEUE_FULL
                                               : AERO_ERR_TIMEOUT);
    }
    return -1;
}

/* The reply is there: gives the moment, if stages are measured. */
static uint64_t
end_io(Call *call)
{
    metrics_stage_end(call, STAGE_IO, call->io_from);
    call->io_from = 0;
    return metrics_stage_begin(call->state);
}

PyObject *
call_finish_now(Call *call)
{
    uint64_t from = end_io(call);
    PyObject *result = call->finish(call);

    call_end(call, result, from);
    return result;
}

/* Begin, wait and finish. */
static PyObject *
run_begun(Call *call)
{
    PyObject *result;
    uint64_t from;
    aero_rc rc;

    if (call_begin(call, NULL) < 0) {
        return NULL;
    }
    do {
        rc = wait_for(call);
        from = end_io(call);
        if (rc == AERO_MORE && call->task == &call->cmd.task) {
            aero_cmd_cancel(&call->cmd, AERO_ERR_CLIENT_ABORT, "interrupted");
        }
        else if (rc == AERO_MORE && call->txn_run != NULL) {
            cancel_txn(call);
        }
        call->again = false;
        result = call->finish(call);
        call_end(call, result, from);
    } while (call->again);
    return result;
}

PyObject *
call_run(Call *call)
{
    PyObject *result = NULL;
    aero_gate *gate = call_gate(call);
    aero_pass pass = {AERO_PASS_NONE, NULL, NULL, NULL};

    if (call->task == NULL) {
        result = call->finish(call);
        call_free(call);
        return result;
    }
    if (call->cluster == NULL) {
        call->cluster = client_cluster(call->client);
    }
    if (call->cluster != NULL &&
        (gate == NULL || pass_gate(call, gate, &pass) == 0)) {
        result = run_begun(call);
        if (gate != NULL) {
            aero_gate_leave(gate, &pass, NULL);
        }
    }
    call_free(call);
    return result;
}
