/* What the tests of single commands share.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_CLIENT_CMD_KIT_H
#define TESTS_CLIENT_CMD_KIT_H

#include <unistd.h>

#include "fakenet.h"
#include "rig.h"

enum {
    BUSY_MS = 1000
};

static inline aero_policy
policy_of(aero_policy_kind kind, uint32_t total_ms, uint32_t socket_ms,
          uint32_t retries)
{
    aero_policy policy;

    aero_policy_init(&policy, kind);
    policy.total_timeout = total_ms;
    policy.socket_timeout = socket_ms;
    policy.max_retries = retries;
    policy.timeout_delay = 0;
    return policy;
}

static inline aero_policy
reads(uint32_t total_ms, uint32_t socket_ms, uint32_t retries)
{
    return policy_of(AERO_POLICY_READ, total_ms, socket_ms, retries);
}

static inline aero_policy
writes(uint32_t total_ms, uint32_t socket_ms, uint32_t retries)
{
    return policy_of(AERO_POLICY_WRITE, total_ms, socket_ms, retries);
}

static inline void
check_pool(rig *r, unsigned in_use, unsigned idle)
{
    aero_pool_stats stats;

    aero_pool_get_stats(r->cluster->map->nodes[0]->pool, &stats);
    CHECK_INT(stats.in_use, in_use);
    CHECK_INT(stats.idle, idle);
}

static inline void
check_text(const rig *r, const char *part)
{
    if (strstr(r->st.text, part) == NULL) {
        test_failed(__FILE__, __LINE__, "\"%s\" lacks \"%s\"", r->st.text,
                    part);
    }
}

/* Took it between these, in milliseconds?  A busy machine needs longer. */
static inline void
check_took(uint64_t from, double least, double most)
{
    double took = rig_ms_since(from);

    if (took < least - 1 || took > most + BUSY_MS) { /* clocks round */
        test_failed(__FILE__, __LINE__, "took %.1f ms, not %.0f to %.0f", took,
                    least, most);
    }
}

#endif
