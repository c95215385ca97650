/* What the files of this room share among themselves.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_CLUSTER_INTERNAL_H
#define AERO_CLUSTER_INTERNAL_H

#include "aero/cluster/drain.h"
#include "aero/cluster/probe.h"

/* The commands that name addresses: clear or TLS, standard or alternate. */
typedef struct aero_names {
    const char *service;
    const char *peers;
} aero_names;

const aero_names *aero_cluster_names(const aero_cluster_config *config);

/* The address as it is reached (borrowed): config->ip_map applied. */
aero_span aero_cluster_map_host(const aero_cluster_config *config,
                                const char *host);

aero_rc aero_probe_step(aero_job *job);

#endif
