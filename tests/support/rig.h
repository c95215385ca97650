/* A local server and a cluster that knows it, in one process.
 *
 *     rig r;
 *     REQUIRE(rig_open(&r, &(rig_options){.nodes = 3}));
 *     rig_control(&r, "fault kind=drop class=write times=1");
 *     rig_close(&r);
 *
 * Tending is done by the test, with rig_tend, or by a tender's thread.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_RIG_H
#define TESTS_RIG_H

#include "aero/client/single.h"
#include "aero/cluster/tend.h"
#include "aero/drive/sync.h"
#include "aero/server/server.h"
#include "test.h"

typedef struct rig_options {
    unsigned nodes; /* 0: one */
    bool tender;    /* a thread tends; else the test does */
    bool rack_aware;
    const int *racks;   /* of the nodes */
    uint32_t max_conns; /* 0: 100 */
    uint32_t min_conns;
    uint32_t max_error_rate; /* 0: no limit */
    uint32_t tend_ms;        /* 0: 1000 */
    const char *user;        /* log in, with the same password */
} rig_options;

typedef struct rig {
    aero_server *server;
    aero_cluster *cluster;
    aero_tend *tend; /* without a tender */
    aero_status st;  /* of what failed last */
} rig;

/* Server, cluster and a first tend.  False, and the test has failed. */
bool rig_open(rig *r, const rig_options *options);
void rig_close(rig *r);

/* A line of the server's control language; gives the answer, valid until the
 * next; the test fails when it cannot be done. */
const char *rig_control(rig *r, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* Requests of a class that the server has seen ("read"), all nodes. */
long rig_count(rig *r, const char *what);

/* A configuration with one seed, 127.0.0.1 at this port. */
void rig_config(aero_cluster_config *config, uint16_t port);
void rig_add_seed(aero_cluster_config *config, const char *host,
                  uint16_t port);

/* One tend. */
aero_rc rig_tend(rig *r);
/* Tend until there are so many nodes; false after 5 s. */
bool rig_tend_until(rig *r, size_t nodes);

/* ---- single commands: set "rig", key `number`, bin "n" ---- */

void rig_key(aero_key *key, int64_t number);
/* Encode; the command is then begun and run by the caller. */
void rig_put_get(aero_cmd *cmd, int64_t number, const aero_policy *policy);
void rig_put_write(aero_cmd *cmd, int64_t number, int64_t value,
                   const aero_policy *policy);
/* Begin and run; the command's rc. */
aero_rc rig_run(rig *r, aero_cmd *cmd);

/* The whole of it: the server's result code, or the client's own error.  The
 * status is in r->st. */
int rig_get(rig *r, int64_t number, const aero_policy *policy);
int rig_write(rig *r, int64_t number, int64_t value,
              const aero_policy *policy);

/* Milliseconds since then. */
double rig_ms_since(uint64_t from);

#endif
