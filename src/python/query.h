/* Query and Scan objects, and the streams of records that they start.
 *
 * A query object only collects what is asked; each results(), foreach() or
 * loop over it starts a stream, which owns the core's query.  For both
 * clients: the asynchronous ones differ in who runs the task.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_PYTHON_QUERY_H
#define AERO_PYTHON_QUERY_H

#include "client.h"
#include "record.h"

#include "aero/client/query.h"

typedef struct Query {
    PyObject_HEAD
    ModState *state;
    const Face *face;
    Client *client; /* owned */
    bool is_scan;
    PyObject *ns;       /* owned str */
    PyObject *set;      /* owned str or None */
    PyObject *bins;     /* owned list of str, or NULL: all */
    PyObject *ops;      /* owned list, or NULL */
    PyObject *module;   /* owned str of a UDF, or NULL */
    PyObject *function; /* owned str */
    aero_buf args;      /* owned; packed */
    /* The index and its range, as fields of the request. */
    bool has_where;
    aero_buf range;     /* owned */
    aero_buf context;   /* owned; empty: none */
    aero_buf index_exp; /* owned; empty: none */
    PyObject *index;    /* owned str, or NULL: the one that fits */
    uint8_t index_type; /* aero_index_type */
    uint64_t max_records;
    uint32_t records_per_second;
    uint32_t ttl;
    bool paginates;
    aero_parts *parts; /* counted; NULL until it is tracked */
    PyObject *weakrefs;
} Query;

/* What a run of a query is for. */
typedef struct QueryWish {
    PyObject *policy;   /* borrowed, or NULL */
    PyObject *options;  /* borrowed, or NULL */
    PyObject *nodename; /* borrowed, or NULL */
    bool with_ids;      /* partition ids go with records if the filter asks */
    aero_parts *parts;  /* borrowed: a page's; NULL: the query's own */
    uint64_t page_size; /* 0: no page */
} QueryWish;

/* Records on their way.  The query is not touched while a call runs it. */
typedef struct Stream {
    PyObject_HEAD
    ModState *state;
    Query *owner;          /* owned; holds the client */
    aero_query query;      /* touched by one call at a time */
    aero_cluster *cluster; /* counted, once it runs */
    RecordMaker maker;
    Guest guest;
    Pump *pump;          /* owned; where an asynchronous one runs */
    PyObject *ready;     /* owned; an awaitable for reuse */
    PyObject *returned;  /* owned; a record that nobody got, or NULL */
    PyObject *list;      /* owned; what results() has so far */
    struct Table *table; /* owned; where `sink` puts records, or NULL */
    int (*sink)(struct Stream *stream, const aero_query_item *item);
    PyObject *error; /* owned; raised when the query has closed */
    bool is_async;
    bool is_raw;      /* of a stream UDF: bytes, not records */
    bool with_ids;    /* records come as (partition id, record) */
    bool evicted;     /* its client was closed */
    bool over;        /* nothing more comes */
    atomic_bool busy; /* somebody is inside */
    Call *running;    /* borrowed; the newest asynchronous call of it */
    long pid;
    PyObject *weakrefs;
} Stream;

/* ---- query_type.c ---- */

/* A query of the client; NULL with an exception.  Arguments as users give
 * them. */
Query *query_new(Client *client, PyObject *ns, PyObject *set, bool is_scan);
/* The same from a method's arguments. */
PyObject *query_make(Client *client, const Signature *sig, bool is_scan,
                     PyObject *const *args, Py_ssize_t nargs,
                     PyObject *kwnames);
/* Apply a UDF: module, function, arguments (may be NULL). */
int query_set_udf(Query *q, PyObject *module, PyObject *function,
                  PyObject *args);

/* ---- query_where.c ---- */

typedef struct WhereBy {
    PyObject *predicate;
    PyObject *context; /* or NULL */
    PyObject *index;   /* or NULL */
    PyObject *exp;     /* or NULL */
} WhereBy;

int query_where(Query *q, const WhereBy *by);

/* How an index is named by where it looks, and by its expression: what is
 * packed stands behind what `out` has. */
int index_put_context(const Encoder *enc, PyObject *ctx, aero_buf *out);
int index_put_expression(const Encoder *enc, PyObject *obj, aero_buf *out);

/* ---- query_parts.c ---- */

/* The partitions that a filter chooses (new reference): an official dict, a
 * handle with begin and count, or a cursor; NULL with an exception. */
aero_parts *parts_of_filter(ModState *state, PyObject *filter);
PyObject *parts_show(const aero_parts *parts);
PyObject *parts_cursor(const aero_parts *parts);

/* ---- query_request.c ---- */

/* The request of a foreground query, into stream->query.  `call` lends its
 * buffer and gets the policy. */
int query_put(Query *q, Call *call, const QueryWish *wish, Stream *stream);
/* The frame of a background one, into call->cmd.out; gives where its id
 * stands. */
int query_put_background(Query *q, Call *call, aero_policy_kind kind,
                         PyObject *policy, size_t *id_at);

/* Read {"nobins": ...} into the policy. */
int query_take_options(ModState *state, PyObject *options,
                       aero_policy *policy);

/* ---- build_job.c ---- */

/* Let the servers do the query's work by themselves; with `wait` until they
 * are done with it. */
int job_build(Call *call, Query *q, aero_policy_kind kind, PyObject *policy,
              bool wait);

/* ---- stream.c ---- */

Stream *stream_new(Query *q, Call *call, const QueryWish *wish);
/* Let `call` run the stream for all its records, as a list.  Takes the
 * reference to `stream`. */
int stream_collect(Call *call, Stream *stream);
PyObject *stream_finish_collect(Call *call);
/* The next record or value.  NULL: an exception; or, with *wait, the task has
 * to run first; or the end. */
PyObject *stream_take(Stream *stream, bool *wait);
/* The same, waiting for it here. */
PyObject *stream_wait(Stream *stream);
/* One thread at a time is inside.  False: an exception. */
bool stream_enter(Stream *stream);
void stream_leave(Stream *stream);
/* For awaitables: the next one, and the end. */
int stream_build_next(Call *call);
int stream_build_close(Call *call);

/* ---- stream_type.c ---- */

extern PyType_Spec stream_spec;
extern PyType_Spec async_stream_spec;
extern PyType_Spec ready_spec;

#endif
