/* The server's clock: the machine's, and what a test has put it ahead.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SRV_CLOCK_H
#define SRV_CLOCK_H

#include "aero/base/clock.h"

typedef struct srv_clock {
    uint64_t ahead_ms;
} srv_clock;

/* Unix nanoseconds. */
static inline uint64_t
srv_clock_ns(const srv_clock *clock)
{
    return aero_clock_unix_ns() + clock->ahead_ms * AERO_NS_PER_MS;
}

/* Milliseconds since 2010, as last-update times are kept. */
static inline uint64_t
srv_clock_ms(const srv_clock *clock)
{
    return srv_clock_ns(clock) / AERO_NS_PER_MS -
           (uint64_t)AERO_EPOCH_2010 * 1000;
}

/* Seconds since 2010, as void times are kept. */
static inline uint32_t
srv_clock_s(const srv_clock *clock)
{
    return (uint32_t)(srv_clock_ms(clock) / 1000);
}

/* A void time as clients are told it, whose own clocks stay behind. */
static inline uint32_t
srv_clock_told(const srv_clock *clock, uint32_t void_time)
{
    uint32_t ahead = (uint32_t)(clock->ahead_ms / 1000);

    return void_time > ahead ? void_time - ahead : void_time != 0;
}

#endif
