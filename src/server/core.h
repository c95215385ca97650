/* What the commands of all nodes share: the clock, the namespaces, the
 * configuration, the scratch memory of the one command that runs.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SRV_CORE_H
#define SRV_CORE_H

#include "aero/server/exp.h"
#include "aero/server/server.h"
#include "clock.h"
#include "cluster.h"
#include "job.h"
#include "modules.h"
#include "store.h"

struct srv_security;

typedef struct srv_core {
    srv_clock clock;
    srv_ns *ns[AERO_SERVER_NAMESPACES_MAX]; /* owned */
    unsigned n_ns;
    srv_cluster cluster;
    srv_jobs jobs;
    struct srv_background *background; /* owned; background.h */
    srv_modules modules;
    /* Where scripts speak: level 1 (warning) to 4 (detail).  May be NULL. */
    void (*log)(void *data, int level, const char *text);
    void *log_data;
    struct srv_security *security; /* owned; NULL: nobody logs in */
    bool enterprise;
    bool control;
    char cluster_name[64];
    int64_t service[SRV_SERVICE_CONFIGS];
    int64_t network[SRV_NETWORK_CONFIGS];
    uint64_t started_ms;
    aero_arena arena; /* of the command that runs */
    aero_made bin;    /* what an operation leaves in its bin */
    aero_made answer; /* and what it answers */
    aero_exp *filter; /* owned; the last one, for the next row or record */
    aero_buf filter_bytes;
} srv_core;

/* Give the configured core its namespaces and nodes. */
bool srv_core_init(srv_core *core, const aero_server_config *config,
                   aero_status *st);
void srv_core_fini(srv_core *core);

/* The filter of these bytes (borrowed until the next call); a result code. */
int srv_core_filter(srv_core *core, aero_span packed, const aero_exp **out);

srv_ns *srv_core_ns(const srv_core *core, aero_span name);
/* Once a second: what has expired goes. */
void srv_core_tick(srv_core *core);
/* Go on with what runs behind the requests, for a while. */
void srv_core_work(srv_core *core);
/* Milliseconds until there is something to do; UINT32_MAX: there is not. */
uint32_t srv_core_rest_ms(const srv_core *core);

#endif
