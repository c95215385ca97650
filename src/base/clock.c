/* The clocks.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <limits.h>
#include <time.h>

#include "aero/base/clock.h"

static uint64_t
read_clock(clockid_t id)
{
    struct timespec ts;

    clock_gettime(id, &ts);
    return (uint64_t)ts.tv_sec * AERO_NS_PER_S + (uint64_t)ts.tv_nsec;
}

uint64_t
aero_clock_now(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

uint64_t
aero_clock_unix_ns(void)
{
    return read_clock(CLOCK_REALTIME);
}

uint32_t
aero_clock_void_now(void)
{
    /* time() may lag by a tick, and a life would seem a second longer. */
    return (uint32_t)(aero_clock_unix_ns() / AERO_NS_PER_S - AERO_EPOCH_2010);
}

int
aero_clock_poll_ms(uint64_t now, uint64_t by)
{
    uint64_t ms;

    if (by == AERO_NEVER) {
        return -1;
    }
    if (by <= now) {
        return 0;
    }
    ms = (by - now + AERO_NS_PER_MS - 1) / AERO_NS_PER_MS;
    return ms > INT_MAX ? INT_MAX : (int)ms;
}
