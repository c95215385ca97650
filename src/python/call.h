/* One call of one method, from its arguments to its result.
 *
 * `build` turns arguments into a task of the core; a driver runs the task;
 * `finish` turns what came back into a result or an exception.  Build and
 * finish are the same for both clients; who waits between them differs.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_PYTHON_CALL_H
#define AERO_PYTHON_CALL_H

#include "args.h"
#include "errors.h"
#include "key.h"
#include "value.h"

#include "aero/client/txn.h"
#include "aero/drive/gate.h"

typedef struct Client Client;
typedef struct Call Call;

/* What a measured operation is about; borrowed from its arguments. */
typedef struct Label {
    aero_span ns;
    aero_span set;
} Label;

typedef PyObject *(*call_finish)(Call *call);

struct Call {
    aero_cmd cmd;         /* of calls that are one request */
    aero_task *task;      /* what is run; NULL: nothing, finish at once */
    Client *client;       /* borrowed: whoever runs the call holds it */
    const Signature *sig; /* the method; NULL: none of those that users call */
    PyObject *self; /* borrowed; a query, or NULL: the client's own method */
    struct Pump *pump; /* borrowed; of an asynchronous call that runs */
    ModState *state;
    const Face *face;
    aero_cluster *cluster;    /* counted; set when it begins */
    PyObject *argv[ARGS_MAX]; /* borrowed, or NULL where not given */
    call_finish finish;
    bool abandoned; /* nobody waits for its end any more */
    bool again; /* set by finish: there is no result yet, run the task again */
    /* Begin a composite task; NULL: begin `cmd`. */
    int (*begin)(Call *call, const aero_source *source, uint64_t now);
    aero_policy policy;
    aero_key key;
    KeyParts parts;
    bool echo_key;
    bool is_read;      /* get, select or exists: may travel with others */
    aero_span command; /* of info calls; borrowed from an argument */
    aero_span host;
    /* Cancel what a composite task runs; NULL: only `cmd`. */
    void (*cancel)(Call *call);
    /* Of composite tasks: may something have been written?  NULL: they only
     * read. */
    bool (*may_have_written)(const Call *call);
    void *more; /* of composite calls; freed by free_more */
    void (*free_more)(Call *call);
    PyObject *hold;    /* owned; kept until the end */
    uint64_t began_at; /* 0: it is not measured */
    uint64_t io_from;  /* of the stage; 0: likewise */
    Label label;
    aero_txn *txn;         /* counted; the policy's transaction, or NULL */
    aero_txn_run *txn_run; /* owned; of a single command in it */
    aero_buf filter;       /* the policy's filter, packed here */
    PyObject *filter_hold; /* owned; or the Expression that has it */
    Call *next;            /* in the client's list of spare ones */
};

typedef int (*call_build)(Call *call);

typedef struct Method {
    const char *name;
    const Signature *sigs; /* of each face */
    call_build build;
} Method;

struct Client {
    PyObject_HEAD
    PyObject *module; /* owned: the collector may end types before objects */
    ModState *state;  /* the module's */
    const Face *face;
    PyObject *dict; /* owned; attributes of subclasses */
    PyObject *weakrefs;
    PyObject *config; /* owned; normalized */
    PyObject *forced; /* lock; owned; policies that outrank calls; or NULL */
    PyObject *serializer;   /* owned or NULL */
    PyObject *deserializer; /* owned or NULL */
    bool is_async;
    bool validate_keys;
    bool strict_types;
    bool bool_as_int;
    aero_policy defaults[AERO_POLICY_KINDS];
    pthread_mutex_t lock;     /* of what follows; never held while waiting */
    pthread_mutex_t connect;  /* held by the one who connects */
    aero_cluster *cluster;    /* lock; counted; NULL unless connected */
    int life;                 /* lock; LIFE_... */
    bool explicit_connect;    /* lock */
    aero_cluster *connecting; /* counted; of an asynchronous connect */
    bool reopens;             /* forked while connected: at the next use */
    struct Pump *pumps;       /* lock; owned references; one for each loop */
    aero_gate *gate;          /* counted; NULL: any number runs at once */
    bool coalesce;            /* reads of one pass travel together */
    uint32_t max_rows;        /* of them in a request */
    uint32_t max_flights;     /* such requests to a node at a time */
    uint32_t warm_conns;      /* of a loop and node */
    uint32_t max_conns;
    uint32_t max_idle_ms;
    Call *spare; /* lock; owned */
    int n_spare; /* lock */
};

enum {
    LIFE_NEW,
    LIFE_CONNECTING,
    LIFE_CONNECTED,
    LIFE_CLOSED
};

/* A call of this client, all empty; NULL with an exception. */
Call *call_new(Client *client);
void call_free(Call *call); /* NULL is fine */

/* Start the clock and prepare the task; `source` as in cmd.h. */
int call_begin(Call *call, const aero_source *source);

/* Where the call has to pass before it runs; NULL: nowhere. */
aero_gate *call_gate(const Call *call);
/* The end of its total timeout. */
uint64_t call_total_by(const Call *call);
/* It waited there for too long; `code` as in aero_run. */
void *call_raise_refused(const Call *call, int32_t code);

/* Its task has ended: the result, counted. */
PyObject *call_finish_now(Call *call);

/* Run it here, without the interpreter's lock, and give the result.  Takes
 * `call`. */
PyObject *call_run(Call *call);

/* The encoder for values of this call. */
Encoder call_encoder(const Call *call, bool with_class_serializer);
Decoder call_decoder(const Call *call);

/* Read the policy and the key, in that order of the arguments' places. */
int call_take_key(Call *call, PyObject *key);
int call_take_policy(Call *call, PyObject *policy, aero_policy_kind kind);
/* The same over the defaults of `base`, for a dict that may have the keys of
 * several kinds. */
int call_take_policy_of(Call *call, PyObject *policy, aero_policy_kind base,
                        uint32_t kinds);

/* The transaction of an object (counted); NULL with ParamError. */
aero_txn *transaction_take(ModState *state, PyObject *obj);

/* A connected cluster (counted); NULL with NotConnected. */
aero_cluster *client_cluster(Client *client);
/* The same, but never connecting: NULL without an exception. */
aero_cluster *client_peek(Client *client);

/* Pieces of results. */
PyObject *result_meta(ModState *state, const Face *face, uint32_t gen,
                      uint32_t void_time);
/* The last value of a bin counts; an answer of nothing does not hide one. */
int result_set_bin(const Face *face, PyObject *bins, PyObject *name,
                   PyObject *value);
PyObject *result_record(Call *call, PyObject *meta, PyObject *bins);
/* Raises what the command's end means; 0 when it went well. */
int result_check(Call *call, PyObject *bin);
/* An instance of a tuple class with the items (taken; NULL fails). */
PyObject *result_tuple(PyTypeObject *type, Py_ssize_t count, ...);

#endif
