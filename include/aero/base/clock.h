/* Time.  Deadlines are absolute, monotonic nanoseconds; the database counts
 * seconds from 2010-01-01T00:00:00Z.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_BASE_CLOCK_H
#define AERO_BASE_CLOCK_H

#include <stdint.h>

#define AERO_NEVER     UINT64_MAX
#define AERO_NS_PER_MS UINT64_C(1000000)
#define AERO_NS_PER_S  UINT64_C(1000000000)

enum {
    AERO_EPOCH_2010 = 1262304000 /* Unix seconds of the database's zero */
};

/* Monotonic nanoseconds. */
uint64_t aero_clock_now(void);
/* Seconds since 2010-01-01T00:00:00Z. */
uint32_t aero_clock_void_now(void);
/* Unix nanoseconds. */
uint64_t aero_clock_unix_ns(void);

/* `ms` after `from`; 0 ms means never. */
static inline uint64_t
aero_clock_after(uint64_t from, uint32_t ms)
{
    return ms == 0 ? AERO_NEVER : from + ms * AERO_NS_PER_MS;
}

/* Whole milliseconds until `by`, rounded up, for poll(); -1 for never. */
int aero_clock_poll_ms(uint64_t now, uint64_t by);

/* What is left of a record's life: void time 0 is 0xFFFFFFFF (never), a time
 * that has passed is 1, as the vendor's clients say. */
static inline uint32_t
aero_clock_ttl(uint32_t void_time, uint32_t void_now)
{
    if (void_time == 0) {
        return UINT32_MAX;
    }
    return void_time > void_now ? void_time - void_now : 1;
}

#endif
