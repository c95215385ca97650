/* Nodes.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "aero/base/alloc.h"
#include "aero/cluster/node.h"

aero_node *
aero_node_new(aero_span name, const aero_addr *addr, const char *tls_name,
              uint32_t slot, uint32_t max_conns)
{
    aero_node *node;

    if (name.len == 0 || name.len >= AERO_NODE_NAME_MAX) {
        return NULL;
    }
    node = aero_zalloc(sizeof *node);
    if (node == NULL || (node->pool = aero_pool_new(max_conns)) == NULL) {
        aero_free(node);
        return NULL;
    }
    atomic_init(&node->refs, 1);
    memcpy(node->name, name.ptr, name.len);
    strncpy(node->tls_name, tls_name, sizeof node->tls_name - 1);
    node->addr = *addr;
    node->slot = slot;
    atomic_init(&node->active, true);
    return node;
}

aero_node *
aero_node_acquire(aero_node *node)
{
    atomic_fetch_add_explicit(&node->refs, 1, memory_order_relaxed);
    return node;
}

void
aero_node_release(aero_node *node)
{
    if (node != NULL &&
        atomic_fetch_sub_explicit(&node->refs, 1, memory_order_acq_rel) == 1) {
        aero_pool_close(node->pool);
        aero_pool_release(node->pool);
        aero_login_release(node->login);
        aero_metrics_fini(&node->metrics);
        aero_free(node);
    }
}

void
aero_node_count_error(aero_node *node)
{
    atomic_fetch_add_explicit(&node->errors, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&node->n_errors, 1, memory_order_relaxed);
}

void
aero_node_end_window(aero_node *node, uint32_t max)
{
    unsigned limit = atomic_load(&node->max_errors);
    unsigned errors = atomic_exchange(&node->errors, 0);

    if (max == 0) {
        atomic_store(&node->max_errors, 0);
    }
    else if (limit != 0 && errors >= limit) {
        atomic_store(&node->max_errors, limit > 1 ? limit / 2 : 1);
    }
    else {
        limit = limit == 0 || limit > max / 2 ? max : limit * 2;
        atomic_store(&node->max_errors, limit);
    }
}

bool
aero_node_is_build(const aero_node *node, uint32_t major, uint32_t minor,
                   uint32_t patch)
{
    const uint32_t want[3] = {major, minor, patch};

    for (int i = 0; i < 3; i++) {
        if (node->build[i] != want[i]) {
            return node->build[i] > want[i];
        }
    }
    return true;
}
