/* Metrics of nodes.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "aero/cluster/metrics.h"

#include "aero/base/alloc.h"
#include "aero/base/clock.h"

void
aero_metrics_fini(aero_metrics *metrics)
{
    aero_ns_metrics *row = atomic_load(&metrics->first);

    while (row != NULL) {
        aero_ns_metrics *next = row->next;

        aero_free(row);
        row = next;
    }
    atomic_store(&metrics->first, NULL);
}

void
aero_metrics_enable(aero_metrics_wish *wish, uint32_t columns, uint32_t shift)
{
    atomic_store(&wish->columns, columns);
    atomic_store(&wish->shift, shift);
    atomic_fetch_add(&wish->round, 1);
    atomic_store(&wish->on, true);
}

static aero_ns_metrics *
find(aero_ns_metrics *row, uint32_t round, aero_span ns)
{
    while (row != NULL &&
           !(row->round == round &&
             aero_span_equal(aero_span_of(row->ns, row->ns_len), ns))) {
        row = row->next;
    }
    return row;
}

static aero_ns_metrics *
make(const aero_metrics_wish *wish, uint32_t round, aero_span ns)
{
    uint32_t columns = atomic_load(&wish->columns);
    aero_ns_metrics *row = aero_zalloc(
        sizeof *row + columns * AERO_LATENCIES * sizeof row->counts[0]);

    if (row != NULL) {
        row->round = round;
        row->columns = (uint8_t)columns;
        row->shift = (uint8_t)atomic_load(&wish->shift);
        row->ns_len = (uint8_t)ns.len;
        memcpy(row->ns, ns.ptr, ns.len);
    }
    return row;
}

aero_ns_metrics *
aero_metrics_row(aero_metrics *metrics, const aero_metrics_wish *wish,
                 aero_span ns)
{
    uint32_t round = atomic_load(&wish->round);
    aero_ns_metrics *first = atomic_load(&metrics->first);
    aero_ns_metrics *row;
    aero_ns_metrics *made = NULL;

    if (!atomic_load_explicit(&wish->on, memory_order_relaxed) ||
        ns.len == 0 || ns.len > AERO_NAMESPACE_MAX) {
        return NULL;
    }
    while ((row = find(first, round, ns)) == NULL) {
        if (made == NULL && (made = make(wish, round, ns)) == NULL) {
            return NULL;
        }
        made->next = first;
        if (atomic_compare_exchange_strong(&metrics->first, &first, made)) {
            return made;
        }
    }
    aero_free(made); /* somebody else was faster */
    return row;
}

void
aero_metrics_time(aero_ns_metrics *row, aero_latency kind, uint64_t ns)
{
    uint64_t limit = AERO_NS_PER_MS;
    unsigned column = 0;

    while (column + 1 < row->columns && ns > limit) {
        column++;
        limit = limit > UINT64_MAX >> row->shift ? UINT64_MAX
                                                 : limit << row->shift;
    }
    atomic_fetch_add_explicit(&row->counts[kind * row->columns + column], 1,
                              memory_order_relaxed);
}
