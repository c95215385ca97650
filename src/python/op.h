/* What the two files about the awaitable share: op.c, the life of an
 * operation, and op_type.c, the coroutine that it is to others.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_PYTHON_OP_H
#define AERO_PYTHON_OP_H

#include "client.h"

/* The first step.  0: it waits for something; 1: it is over and *result is
 * set; -1: an exception. */
int op_start(Op *op, PyObject **result);
/* Hand what was built to the pump of the running loop. */
int op_submit(Op *op);

/* A write of which something was sent, or may have been. */
bool op_may_have_written(const Op *op);
/* The exception that is set says so. */
void op_say_in_doubt(ModState *state);

/* The result is there, but whoever awaited it was told to stop first. */
void op_take_back(Op *op);

void op_release_call(Op *op);
/* It has ended, and holds nothing any more. */
void op_forget(Op *op);
/* It ends without having been handed to a pump; keeps an exception. */
void op_end_early(Op *op);

#endif
