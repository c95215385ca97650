/* What loop.c and gather.c share.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_DRIVE_LOOP_PARTS_H
#define AERO_DRIVE_LOOP_PARTS_H

#include "aero/drive/loop.h"

/* Step a job whose time has come, and see to what follows. */
void aero_slot_step(aero_slot *slot);
/* Something else has stepped it: `rc` is what came of it. */
void aero_slot_stepped(aero_slot *slot, aero_rc rc);
/* Enter it among the deadlines without stepping it. */
void aero_slot_wait(aero_slot *slot);

typedef struct aero_gather aero_gather;

/* The reads of one loop pass, on their way to be rows of batches. */
aero_gather *aero_gather_new(aero_loop *loop);
void aero_gather_free(aero_gather *gather);
/* Take a read; it has been begun.  The run's slot waits. */
void aero_gather_add(aero_gather *gather, aero_cmd *cmd);
/* Send what was gathered. */
void aero_gather_flush(aero_gather *gather);
/* It does not wait here any more. */
void aero_gather_leave(aero_gather *gather, aero_cmd *cmd);

#endif
