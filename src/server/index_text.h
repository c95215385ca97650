/* Contexts and expressions as texts for people, as the list of indexes shows
 * them.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SRV_INDEX_TEXT_H
#define SRV_INDEX_TEXT_H

#include "aero/base/buf.h"

typedef enum srv_context_fault {
    SRV_CONTEXT_GOOD,
    SRV_CONTEXT_BAD,
    SRV_CONTEXT_LONG /* not every value takes as few bytes as it can */
} srv_context_fault;

/* Whether it can be the context of an index. */
srv_context_fault srv_context_check(aero_span packed);

/* [map_key(<string#2>), list_index(-1)] */
void srv_put_context_text(aero_buf *out, aero_span packed);

/* add(bin_int("a"), 1) */
void srv_put_expression_text(aero_buf *out, aero_span packed);

#endif
