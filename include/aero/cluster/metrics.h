/* What a node has been asked for each namespace, while somebody wants to know:
 * bytes, failures, and histograms of latencies.
 *
 *   column 0: up to 1 ms; column n: up to 2 ** (shift * n) ms; the last: more
 *
 * Counters are atomic: every thread that runs commands counts.  A row is never
 * moved nor freed before its node: whoever counts holds no lock.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_CLUSTER_METRICS_H
#define AERO_CLUSTER_METRICS_H

#include <pthread.h>
#include <stdatomic.h>

#include "aero/base/span.h"
#include "aero/wire/codes.h"

typedef enum aero_latency {
    AERO_LATENCY_CONN,
    AERO_LATENCY_WRITE,
    AERO_LATENCY_READ,
    AERO_LATENCY_BATCH,
    AERO_LATENCY_QUERY,
    AERO_LATENCIES
} aero_latency;

enum {
    AERO_METRICS_COLUMNS_MAX = 255
};

/* How it is counted, since it was enabled. */
typedef struct aero_metrics_wish {
    atomic_bool on;
    atomic_uint round; /* grows with each enabling: rows begin anew */
    atomic_uint columns;
    atomic_uint shift;
} aero_metrics_wish;

typedef struct aero_ns_metrics {
    struct aero_ns_metrics *next;
    uint32_t round;
    uint8_t ns_len;
    uint8_t columns;
    uint8_t shift;
    char ns[AERO_NAMESPACE_MAX];
    atomic_ullong bytes_in;
    atomic_ullong bytes_out;
    atomic_ullong errors;
    atomic_ullong timeouts;
    atomic_ullong busy;
    atomic_ullong counts[]; /* latency * columns + column */
} aero_ns_metrics;

/* Of a node: a list that only grows. */
typedef struct aero_metrics {
    _Atomic(aero_ns_metrics *) first; /* owned */
} aero_metrics;

void aero_metrics_fini(aero_metrics *metrics);

void aero_metrics_enable(aero_metrics_wish *wish, uint32_t columns,
                         uint32_t shift);

/* The row of a namespace in the present round, made if there is none.  NULL:
 * nothing is counted, or no memory. */
aero_ns_metrics *aero_metrics_row(aero_metrics *metrics,
                                  const aero_metrics_wish *wish, aero_span ns);

void aero_metrics_time(aero_ns_metrics *row, aero_latency kind, uint64_t ns);

#endif
