/* What query.c and query_node.c share.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_CLIENT_QUERY_NODE_H
#define AERO_CLIENT_QUERY_NODE_H

#include "aero/client/query.h"

/* Put its request, and start the clock.  False when it does not fit. */
bool aero_query_node_begin(aero_query_node *node, uint64_t id, uint64_t now);

/* How its part went: 0, or a code of the server or the client. */
int32_t aero_query_node_code(const aero_query_node *node);

/* May another node, or the same one later, succeed where one failed so? */
bool aero_query_is_temporary(const aero_query *q, int32_t code);

/* As many records were taken as were asked for. */
static inline bool
aero_query_is_full(const aero_query *q)
{
    return q->max_records != 0 && q->given >= q->max_records;
}

#endif
