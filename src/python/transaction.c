/* Transaction, and the methods that end one.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "aero/base/alloc.h"
#include "aero/client/txn_end.h"
#include "build.h"

typedef struct Transaction {
    PyObject_HEAD
    ModState *state; /* borrowed: the type keeps its module alive */
    aero_txn *txn;   /* counted */
} Transaction;

/* ---- the type ---- */

/* A number of 32 bits, with the exceptions that Python's own conversions
 * raise. */
static int
take_u32(PyObject *value, const char *name, uint32_t *out)
{
    unsigned long long number;

    if (!PyLong_Check(value)) {
        PyErr_Format(PyExc_TypeError, "%s must be an integer, not %s", name,
                     Py_TYPE(value)->tp_name);
        return -1;
    }
    number = PyLong_AsUnsignedLongLong(value);
    if (PyErr_Occurred()) {
        return -1; /* OverflowError */
    }
    if (number > UINT32_MAX) {
        PyErr_Format(PyExc_ValueError, "%s does not fit 32 bits", name);
        return -1;
    }
    *out = (uint32_t)number;
    return 0;
}

static PyObject *
transaction_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    Transaction *self = (Transaction *)type->tp_alloc(type, 0);

    (void)args;
    (void)kwargs;
    if (self == NULL) {
        return NULL;
    }
    self->state = PyType_GetModuleState(type);
    self->txn = aero_txn_new(0);
    if (self->txn == NULL) {
        Py_DECREF(self);
        return PyErr_NoMemory();
    }
    return (PyObject *)self;
}

/* Called again it begins another transaction. */
static int
transaction_init(PyObject *op, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"reads_capacity", "writes_capacity", NULL};
    Transaction *self = (Transaction *)op;
    PyObject *given[2] = {NULL, NULL};
    uint32_t capacity[2] = {128, 128};
    aero_txn *txn;

    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|OO:Transaction", names,
                                     &given[0], &given[1])) {
        return -1;
    }
    for (int i = 0; i < 2; i++) {
        if (given[i] != NULL &&
            take_u32(given[i], names[i], &capacity[i]) < 0) {
            return -1;
        }
    }
    txn = aero_txn_new((size_t)capacity[0] + capacity[1]);
    if (txn == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    aero_txn_release(self->txn);
    self->txn = txn;
    return 0;
}

static void
transaction_dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);

    PyObject_GC_UnTrack(op);
    aero_txn_release(((Transaction *)op)->txn);
    type->tp_free(op);
    Py_DECREF(type);
}

static int
transaction_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(op));
    return 0;
}

static PyObject *
get_id(PyObject *op, void *unused)
{
    (void)unused;
    return PyLong_FromUnsignedLongLong(((Transaction *)op)->txn->id);
}

static PyObject *
get_in_doubt(PyObject *op, void *unused)
{
    aero_txn *txn = ((Transaction *)op)->txn;
    bool in_doubt;

    (void)unused;
    pthread_mutex_lock(&txn->lock);
    in_doubt = txn->in_doubt;
    pthread_mutex_unlock(&txn->lock);
    return PyBool_FromLong(in_doubt);
}

static PyObject *
get_state(PyObject *op, void *unused)
{
    aero_txn *txn = ((Transaction *)op)->txn;
    int state;

    (void)unused;
    pthread_mutex_lock(&txn->lock);
    state = txn->state;
    pthread_mutex_unlock(&txn->lock);
    return PyLong_FromLong(state);
}

static PyObject *
get_timeout(PyObject *op, void *unused)
{
    aero_txn *txn = ((Transaction *)op)->txn;
    uint32_t timeout;

    (void)unused;
    pthread_mutex_lock(&txn->lock);
    timeout = txn->timeout;
    pthread_mutex_unlock(&txn->lock);
    return PyLong_FromUnsignedLong(timeout);
}

static int
set_timeout(PyObject *op, PyObject *value, void *unused)
{
    aero_txn *txn = ((Transaction *)op)->txn;
    uint32_t seconds;

    (void)unused;
    if (value == NULL) {
        PyErr_SetString(PyExc_AttributeError, "timeout cannot be deleted");
        return -1;
    }
    if (take_u32(value, "timeout", &seconds) < 0) {
        return -1;
    }
    pthread_mutex_lock(&txn->lock);
    txn->timeout = seconds;
    pthread_mutex_unlock(&txn->lock);
    return 0;
}

static PyObject *
transaction_repr(PyObject *op)
{
    static const char *const states[] = {"open", "verified", "committed",
                                         "aborted", "commit failed"};
    aero_txn *txn = ((Transaction *)op)->txn;
    PyObject *text;

    pthread_mutex_lock(&txn->lock);
    text =
        PyUnicode_FromFormat("<Transaction %llu: %s>",
                             (unsigned long long)txn->id, states[txn->state]);
    pthread_mutex_unlock(&txn->lock);
    return text;
}

static const char transaction_doc[] =
    "Transaction(reads_capacity=128, writes_capacity=128)\n--\n\n"
    "Commands that take effect together, or not at all.\n"
    "\n"
    "It is named by the ``txn`` of a policy and ended by ``commit`` or "
    "``abort`` of the client.\n"
    "\n"
    "Parameters\n"
    "----------\n"
    "reads_capacity, writes_capacity : int, default 128\n"
    "    How many records there is room for at once; it grows.\n"
    "\n"
    "Notes\n"
    "-----\n"
    "Needs a strongly consistent namespace of the Enterprise edition.\n";

static PyGetSetDef transaction_members[] = {
    {"id", get_id, NULL, "What the server knows it by.", NULL},
    {"in_doubt", get_in_doubt, NULL,
     "Whether its end is not known: commit may be called again.", NULL},
    {"state", get_state, NULL, "One of TXN_STATE_*.", NULL},
    {"timeout", get_timeout, set_timeout,
     "Seconds from the first write to the end; 0: the server's.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot transaction_slots[] = {
    {Py_tp_doc, (void *)transaction_doc},
    {Py_tp_new, transaction_new},
    {Py_tp_init, transaction_init},
    {Py_tp_dealloc, transaction_dealloc},
    {Py_tp_traverse, transaction_traverse},
    {Py_tp_getset, transaction_members},
    {Py_tp_repr, transaction_repr},
    {0, NULL},
};

static PyType_Spec transaction_spec = {
    .name = "aerospike_py._aerospike.Transaction",
    .basicsize = sizeof(Transaction),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .slots = transaction_slots,
};

int
transaction_setup_type(PyObject *module)
{
    ModState *state = PyModule_GetState(module);
    PyObject *type = PyType_FromModuleAndSpec(module, &transaction_spec, NULL);

    if (type == NULL) {
        return -1;
    }
    state->TransactionType = (PyTypeObject *)type; /* owned by the state */
    return PyModule_AddType(module, state->TransactionType);
}

aero_txn *
transaction_take(ModState *state, PyObject *obj)
{
    if (!Py_IS_TYPE(obj, state->TransactionType)) {
        return raise_param_type(state,
                                "txn is not of type aerospike.Transaction");
    }
    return aero_txn_acquire(((Transaction *)obj)->txn);
}

/* ---- commit and abort ---- */

typedef struct EndCall {
    aero_txn_end end; /* first: the task of this is this */
    aero_policy verify;
    aero_policy roll;
    bool commit;
} EndCall;

static void
free_end(Call *call)
{
    aero_txn_end_fini(&((EndCall *)call->more)->end);
    aero_free(call->more);
}

static void
cancel_end(Call *call)
{
    aero_txn_end_cancel(&((EndCall *)call->more)->end);
}

static int
begin_end(Call *call, const aero_source *source, uint64_t now)
{
    EndCall *e = call->more;

    (void)now;
    aero_txn_end_begin(&e->end, call->txn, e->commit, &e->verify, &e->roll,
                       call->cluster, source);
    return 0;
}

static PyObject *
finish_end(Call *call)
{
    aero_txn_end *end = &((EndCall *)call->more)->end;

    if (PyErr_Occurred()) {
        aero_txn_end_cancel(end); /* interrupted */
        return NULL;
    }
    return end->st.code != 0 ? raise_status(call->state, &end->st)
                             : PyLong_FromLong(end->outcome);
}

static int
build_end(Call *call, bool commit)
{
    PyObject *obj = call->argv[0];
    EndCall *e;

    if (!Py_IS_TYPE(obj, call->state->TransactionType)) {
        PyErr_Format(PyExc_TypeError,
                     "transaction must be an aerospike.Transaction, not %s",
                     Py_TYPE(obj)->tp_name);
        return -1;
    }
    e = aero_zalloc(sizeof *e);
    if (e == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    call->more = e;
    call->free_more = free_end;
    e->commit = commit;
    if (call_take_policy(call, NULL, AERO_POLICY_TXN_VERIFY) < 0) {
        return -1;
    }
    e->verify = call->policy;
    if (call_take_policy(call, NULL, AERO_POLICY_TXN_ROLL) < 0) {
        return -1;
    }
    e->roll = call->policy;
    call->txn = transaction_take(call->state, obj);
    call->cancel = cancel_end;
    call->begin = begin_end;
    call->finish = finish_end;
    call->task = &e->end.task;
    return 0;
}

int
build_commit(Call *call)
{
    return build_end(call, true);
}

int
build_abort(Call *call)
{
    return build_end(call, false);
}
