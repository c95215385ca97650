/* What tending keeps: only the tender touches it.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_CLUSTER_TEND_PRIVATE_H
#define AERO_CLUSTER_TEND_PRIVATE_H

#include "aero/cluster/tend.h"
#include "internal.h"

enum {
    UNKNOWN_GENERATION = -1,
    FAILURES_MAX = 5, /* of a node, when nobody answers */
    LOOPS_MAX = 8,    /* newcomers who know newcomers */
    NAMESPACES_MAX = 64,
    WARM_MAX = 32, /* connections opened in one tend */
    DEFAULT_IDLE_MS = 55000
};

/* How long the answer of a seed without peers waits for other seeds. */
#define LONE_SEED_NS (250 * AERO_NS_PER_MS)

typedef enum tend_phase {
    TEND_SEEDS,
    TEND_LOGINS,
    TEND_REFRESH,
    TEND_PEERS,
    TEND_PROBES,
    TEND_TABLES,
    TEND_WARM,
    TEND_DONE
} tend_phase;

typedef struct aero_member {
    aero_node *node; /* counted */
    aero_ask ask;    /* its connection stays open between tends */
    int64_t peers_generation;
    int64_t listed_generation; /* of the list just read */
    int64_t partition_generation;
    int64_t rebalance_generation;
    uint32_t failures; /* in a row */
    uint32_t friends;  /* members who list it in this tend */
    uint64_t since;    /* the round in which it was adopted */
    uint32_t n_peers;
    char *racks; /* owned; "ns:id;ns:id" */
    bool is_new; /* its peers were not asked for yet */
    bool responded;
    bool asked_state;
    bool asked_peers;
    bool has_listed; /* its peers were read in this tend */
    bool asked_table;
    bool wants_table;
    bool wants_racks;
} aero_member;

/* A connection beside the member's own: to be kept in the pool, or only to log
 * in on. */
typedef struct aero_warm {
    aero_node *node; /* counted */
    aero_ask ask;
} aero_warm;

struct aero_tend {
    aero_task task;        /* first: a task of this is this */
    aero_cluster *cluster; /* borrowed */
    const aero_resolver *resolver;
    uint64_t by;
    uint64_t round;
    tend_phase phase;
    bool started;
    bool changed; /* since the last map was published */
    bool peers_changed;
    bool someone_is_lonely; /* the lists are to be read again */
    int loops;
    aero_member **members; /* owned */
    size_t n_members;
    size_t members_cap;
    size_t n_responded;
    aero_probe **probes; /* owned */
    size_t n_probes;
    size_t probes_cap;
    aero_job **jobs; /* owned array */
    size_t jobs_cap;
    aero_table *tables[NAMESPACES_MAX]; /* owned */
    size_t n_tables;
    aero_warm warm[WARM_MAX];
    size_t n_warm;
    aero_replicas claim; /* scratch: 1.5 KiB a namespace */
    char seeds_text[AERO_STATUS_TEXT];
    int seeds_code;
};

aero_member *aero_tend_member(aero_tend *tend, aero_span name);
void aero_tend_drop(aero_tend *tend, size_t at, const char *why);
void aero_tend_adopt(aero_tend *tend, aero_probe *probe);
/* The node did not do its part in this tend. */
void aero_tend_fail(aero_tend *tend, aero_member *member, const char *what);

/* Jobs of the round that is being made. */
bool aero_tend_add_job(aero_tend *tend, aero_job *job);
bool aero_tend_add_probe(aero_tend *tend, aero_probe *probe);
void aero_tend_free_probes(aero_tend *tend);
void aero_tend_ask(aero_tend *tend, aero_member *member,
                   const char *const *commands, size_t count);

/* What `command` was answered with, which is no error. */
aero_rc aero_tend_find(aero_span body, const char *command, aero_span *value,
                       aero_status *st);
aero_rc aero_tend_generation(aero_span body, const char *command, int64_t *out,
                             aero_status *st);

/* tend_nodes.c */
void aero_tend_begin_seeds(aero_tend *tend);
bool aero_tend_seed_is_enough(aero_task *task, aero_job *ended);
void aero_tend_end_seeds(aero_tend *tend);
void aero_tend_begin_logins(aero_tend *tend);
void aero_tend_end_logins(aero_tend *tend);
void aero_tend_begin_refresh(aero_tend *tend);
void aero_tend_end_refresh(aero_tend *tend);
void aero_tend_begin_peers(aero_tend *tend);
void aero_tend_end_peers(aero_tend *tend);
void aero_tend_end_probes(aero_tend *tend);
bool aero_tend_has_new_members(const aero_tend *tend);

/* tend_tables.c */
void aero_tend_begin_tables(aero_tend *tend);
void aero_tend_end_tables(aero_tend *tend);
void aero_tend_remove_members(aero_tend *tend);
void aero_tend_publish(aero_tend *tend);
void aero_tend_keep_house(aero_tend *tend);
void aero_tend_begin_warm(aero_tend *tend);
void aero_tend_end_warm(aero_tend *tend);

#endif
