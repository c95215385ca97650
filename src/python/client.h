/* What the files about clients share.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_PYTHON_CLIENT_H
#define AERO_PYTHON_CLIENT_H

#include "call.h"

#include <structmember.h>

#include "aero/drive/pump.h"

/* An object of the type, configured by its first argument. */
PyObject *client_alloc(PyTypeObject *type, PyObject *args, PyObject *kwargs,
                       const Face *face, bool is_async);

/* A cluster by the client's configuration, not yet tended; user and password
 * (borrowed, or NULL) take the place of the configured ones. */
aero_cluster *client_new_cluster(Client *client, PyObject *user,
                                 PyObject *password);

/* The steps of a life.  enter: 0 the caller connects, 1 it is connected
 * already, -1 an exception; leave: how it ended (takes `cluster`). */
int client_enter(Client *client, bool explicit_call);
void client_leave(Client *client, aero_cluster *cluster, bool explicit_call);
/* Both with a result as of the method; NULL with an exception. */
PyObject *client_connect_as(Client *client, PyObject *user,
                            PyObject *password);
PyObject *client_close_now(Client *client);
void client_stop(aero_cluster *cluster);
void *client_raise_not_connected(Client *client);

/* Common slots of all client types. */
int client_traverse(PyObject *op, visitproc visit, void *arg);
int client_clear(PyObject *op);
void client_dealloc(PyObject *op);
extern PyMemberDef client_members[];
PyObject *client_plain(PyObject *op, const Signature *sigs,
                       PyObject *(*run)(Client *, PyObject *const *),
                       PyObject *const *args, Py_ssize_t nargs,
                       PyObject *kwnames);
PyObject *client_after_fork(PyObject *op, PyObject *unused);
/* For aerospike_py._metrics and _dynamic. */
PyObject *client_snapshot_metrics(PyObject *op, PyObject *unused);
PyObject *client_switch_metrics(PyObject *op, PyObject *args);
PyObject *client_setting(PyObject *op, PyObject *name);
PyObject *client_force_policies(PyObject *op, PyObject *policies);
#define CLIENT_WATCHED                                                        \
    {"_after_fork", client_after_fork, METH_NOARGS, NULL},                    \
        {"_snapshot_metrics", client_snapshot_metrics, METH_NOARGS, NULL},    \
        {"_switch_metrics", client_switch_metrics, METH_VARARGS, NULL},       \
        {"_setting", client_setting, METH_O, NULL},                           \
    {                                                                         \
        "_force_policies", client_force_policies, METH_O, NULL                \
    }
int client_add_type(PyObject *module, PyType_Spec *spec, const char *name,
                    PyTypeObject **to);

/* ---- asynchronous ---- */

typedef struct Op Op;
typedef struct Pump Pump;
typedef struct Reply Reply;

/* Something that keeps connections of a pump while nothing of it runs. */
typedef struct Guest Guest;
struct Guest {
    /* The pump ends: let go of everything. */
    void (*evict)(Guest *guest);
    Guest *before; /* in the pump's list */
    Guest *behind;
};

/* One client's side of one event loop: the core's pump, asyncio's callbacks,
 * and the operations that run. */
struct Pump {
    PyObject_HEAD
    ModState *state;
    aero_pump *pump;       /* owned; NULL once closed */
    aero_cluster *cluster; /* counted */
    PyObject *loop;        /* owned */
    PyObject *entry;       /* owned; of asyncio, by which the loop runs */
    PyObject *on_ready;    /* owned; bound methods given to asyncio */
    PyObject *on_late;
    PyObject *on_pass;
    bool gathered;   /* reads wait for a flush */
    bool pass_asked; /* on_pass is among the callbacks of this pass */
    bool polite;     /* tasks are called back by the loop, one by one */
    bool waking;     /* a task is being woken, and may call */
    Reply *line;     /* owned references; whose tasks are to be woken */
    Reply *line_last;
    PyObject *stopper; /* owned; what one of them stopped the loop with */
    PyObject *timer;   /* owned; TimerHandle, or NULL */
    uint64_t timer_at;
    bool is_parents; /* made before a fork: nothing of it is ours */
    Op *running;     /* owned references, a ring of those that run */
    Guest *guests;
    Pump *next; /* of the client */
};

/* Gives the pump of the running loop; NULL with an exception. */
Pump *pump_of(Client *client, aero_cluster *cluster);
/* Start what the operation has built.  Takes a reference until it ends. */
void pump_start(Pump *pump, Op *op);
/* The operation was cancelled: true when it has ended by that. */
void pump_cancel(Pump *pump, Op *op);
/* Be told before the pump ends. */
void pump_enter(Pump *pump, Guest *guest);
void pump_leave(Pump *pump, Guest *guest);
/* Its loop may be closed: then end it, and evict its guests. */
void pump_end_if_closed(Pump *pump);
/* Is this the thread, and the moment, in which it may be used? */
bool pump_is_here(Pump *pump);
/* End all pumps of the client: what runs fails with NotConnected. */
void pump_close_all(Client *client);
/* After fork, in the child. */
void pump_abandon_all(Client *client);
/* Everything that runs fails; then the core's pump goes.  On the loop's own
 * thread, or anywhere once the loop is closed. */
void pump_shut(Pump *pump, bool loop_is_closed);
bool pump_loop_is_closed(const Pump *pump);

/* An awaitable for a call of the method. */
PyObject *op_new(Client *client, const Signature *sig, call_build build,
                 PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames);
/* The same for a method of another object than the client. */
PyObject *op_new_of(Client *client, PyObject *self, const Signature *sig,
                    call_build build, PyObject *const *args, Py_ssize_t nargs,
                    PyObject *kwnames);
/* Run it for nobody; errors are written to stderr. */
void op_run_alone(PyObject *op);

struct Op {
    PyObject_HEAD
    Client *client; /* owned */
    PyObject *self; /* owned, or NULL: the client itself */
    const Signature *sig;
    call_build build;
    PyObject *argv[ARGS_MAX]; /* owned */
    Call *call;               /* owned while it runs */
    aero_run run;
    Pump *pump;        /* owned while it runs */
    Reply *reply;      /* owned; what it waits for */
    PyObject *opening; /* owned; the same while the client connects again */
    int stage;         /* OP_... */
    bool yielded;      /* its task waits */
    bool abandoned;    /* nobody wants the result */
    /* Keep a result (borrowed) that did not reach anybody; or NULL. */
    void (*give_back)(PyObject *self, PyObject *result);
    bool wrote; /* it has ended, and may have written something */
    Op *before; /* in the pump's ring */
    Op *behind;
    PyObject *weakrefs;
};

enum {
    OP_NEW,
    OP_OPENING, /* the client connects again, after a fork */
    OP_RUNNING,
    OP_ENDED
};

/* The run has ended: make the result and hand it to the task.  False when
 * it runs again first. */
bool op_complete(Op *op);
/* The same without a run: `type` and text of the exception. */
void op_fail(Op *op, exc_id type, const char *text);

void client_forget_params(ModState *state);

#endif
