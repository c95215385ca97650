/* What the files of list operations share.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SERVER_CDT_LIST_H
#define SERVER_CDT_LIST_H

#include "cdt_internal.h"

/* Whether all of `bits` are set. */
static inline bool
cdt_has(unsigned flags, unsigned bits)
{
    return (flags & bits) == bits;
}

/* A rule was broken: `rc`, or under NO_FAIL nothing is done and the count is
 * the answer. */
int cdt_list_refuse(cdt_op *op, unsigned flags, int rc);

bool cdt_list_contains(const cdt_op *op, aero_span value);

/* An index to put something at: behind the end is allowed, in front of the
 * begin is not. */
bool cdt_list_place(const cdt_op *op, int64_t index, uint32_t *at);

/* Items of the list as it was. */
void cdt_put_items(cdt_op *op, uint32_t from, uint32_t to);

/* The new list: `bytes`, which are `count` items, in front of `at`; nils fill
 * the gap to a place behind the end. */
void cdt_put_inserted(cdt_op *op, uint32_t at, aero_span bytes,
                      uint32_t count);
/* The same at the end of a list that need not be indexed, with the answer. */
int cdt_append_bytes(cdt_op *op, aero_span bytes, uint32_t count);

/* Leave out items that equal the one before them in `order`; how many
 * remain. */
uint32_t cdt_drop_repeated(const cdt_box *items, uint32_t *order);

#endif
