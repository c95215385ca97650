/* What goes wrong on purpose, for tests of clients.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SRV_FAULT_H
#define SRV_FAULT_H

#include "cluster.h"

/* Classes of requests. */
typedef enum srv_class {
    SRV_CLASS_READ,
    SRV_CLASS_WRITE,
    SRV_CLASS_BATCH,
    SRV_CLASS_QUERY,
    SRV_CLASS_INFO,
    SRV_CLASS_ADMIN,
    SRV_CLASSES
} srv_class;

/* "read" and so on. */
const char *srv_class_name(srv_class which);

typedef enum srv_fault_kind {
    SRV_FAULT_DROP,       /* close before the request is run */
    SRV_FAULT_DROP_AFTER, /* close when it has run, before the answer */
    SRV_FAULT_DELAY,      /* wait, then run it */
    SRV_FAULT_CODE,       /* do not run it, answer with a result code */
    SRV_FAULT_CUT,        /* send so many bytes of the answer and close */
    SRV_FAULT_STALL,      /* the same and keep silent */
    SRV_FAULT_GARBAGE,    /* answer with bytes that mean nothing */
    SRV_FAULT_REFUSE,     /* close each new connection at once */
    SRV_FAULT_MAP_STALE,  /* the partition map as it is now, for ever */
    SRV_FAULT_MAP_WRONG,  /* everything belongs to the next node */
    SRV_FAULT_MAP_EMPTY,  /* nothing belongs to anybody */
    SRV_FAULTS
} srv_fault_kind;

typedef struct srv_fault {
    struct srv_fault *next;
    unsigned id;
    srv_fault_kind kind;
    int node;                        /* -1: every node */
    unsigned classes;                /* bits of srv_class */
    char ns[AERO_NAMESPACE_MAX + 1]; /* empty: every namespace */
    int64_t times;                   /* left; -1: for ever */
    uint64_t hits;
    uint32_t ms;    /* of a delay */
    uint32_t bytes; /* of a cut or of garbage */
    uint8_t code;
    srv_view view; /* of a stale map */
} srv_fault;

typedef struct srv_faults {
    srv_fault *first; /* owned; in the order in which they were set */
    unsigned last_id;
} srv_faults;

/* Which fault of these kinds (bits) strikes: the first that fits; it is used
 * up by one.  `ns` may be empty: only faults that name none fit then. */
const srv_fault *srv_faults_strike(srv_faults *faults, unsigned kinds,
                                   unsigned node, srv_class which,
                                   aero_span ns);
/* The map that the node tells instead of the true one; true if it does. */
bool srv_faults_view(const srv_faults *faults, const srv_cluster *cluster,
                     const srv_node *node, srv_view *view, unsigned *who);

/* Set a fault: the text is "kind=... key=value ...".  Gives its number, 0
 * with the reason. */
unsigned srv_faults_add(srv_faults *faults, const srv_cluster *cluster,
                        aero_span text, aero_status *st);
/* Forget one, those of one node (`id` 0), or all (also `node` -1). */
unsigned srv_faults_clear(srv_faults *faults, unsigned id, int node);
void srv_faults_put(const srv_faults *faults, aero_buf *out);
void srv_faults_fini(srv_faults *faults);

/* The next "key=value" of a line, separated by blanks or semicolons. */
bool srv_words_take(aero_span *line, aero_span *key, aero_span *value);

#endif
