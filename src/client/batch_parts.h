/* What the files of a batch share: batch.c (the rounds) and batch_route.c
 * (which node gets which rows of a round).
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_CLIENT_BATCH_PARTS_H
#define AERO_CLIENT_BATCH_PARTS_H

#include "aero/client/batch.h"

/* The rows of one node in one round. */
typedef struct aero_batch_group {
    aero_cmd cmd;
    aero_batch *batch;
    aero_node *node; /* counted */
    uint32_t first;  /* of its rows in `order` */
    uint32_t count;
    uint8_t result; /* of the request as a whole */
} aero_batch_group;

/* Make the groups of a round of the rows that are not done; those that no node
 * can serve fail.  AERO_ERROR: batch->st says why none was made. */
aero_rc aero_batch_route(aero_batch *batch);

void aero_batch_free_groups(aero_batch *batch);

#endif
