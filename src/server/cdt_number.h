/* Numbers that INCREMENT adds up.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SERVER_CDT_NUMBER_H
#define SERVER_CDT_NUMBER_H

#include "cdt_internal.h"

typedef struct cdt_number {
    bool is_real;
    int64_t whole;
    double real;
} cdt_number;

/* The delta in argument `arg`: a number; nil and nothing are 1. */
bool cdt_number_delta(const cdt_op *op, uint32_t arg, bool negative,
                      cdt_number *out);
/* Add the delta in `sum` to a stored value, whose type wins.  An empty span:
 * there is none yet. */
bool cdt_number_add(cdt_number *sum, aero_span stored);
void cdt_number_pack(const cdt_number *sum, aero_buf *out);
void cdt_number_answer(cdt_op *op, const cdt_number *sum);

#endif
