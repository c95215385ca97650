/* The deadlines of running jobs: a heap, the nearest on top.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_DRIVE_DEADLINES_H
#define AERO_DRIVE_DEADLINES_H

#include "aero/drive/loop.h"

/* What is kept beside a slot, so that sifting touches no other memory. */
typedef struct deadline {
    uint64_t by;
    aero_slot *slot;
} deadline;

typedef struct deadlines {
    deadline *heap; /* owned; from 1 */
    size_t count;
    size_t cap;
} deadlines;

/* Enter a slot, or move it to what its job says now.  False when there is no
 * memory to enter it. */
bool deadlines_set(deadlines *d, aero_slot *slot);
void deadlines_drop(deadlines *d, aero_slot *slot);
aero_slot *deadlines_first(const deadlines *d);
void deadlines_fini(deadlines *d);

#endif
