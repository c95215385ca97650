/* Durations of operations, and of their stages, as histograms.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_PYTHON_METRICS_H
#define AERO_PYTHON_METRICS_H

#include "call.h"

typedef enum Stage {
    STAGE_KEY_PARSE,    /* arguments become a request */
    STAGE_LIMITER_WAIT, /* for one of max_concurrent_operations */
    STAGE_IO,
    STAGE_INTO_PYOBJECT, /* the reply becomes objects */
    STAGES
} Stage;

int metrics_setup(PyObject *module, ModState *state);
void metrics_teardown(ModState *state);

/* The operation begins: the clock is read only where somebody wants it. */
void metrics_begin(Call *call, uint64_t now);
/* It has ended with this result, or with the exception that is set. */
void metrics_end(Call *call, PyObject *result);

/* A moment, if stages are measured, else 0; and a stage since that moment. */
uint64_t metrics_stage_begin(const ModState *state);
void metrics_stage_end(const Call *call, Stage stage, uint64_t from);

#endif
