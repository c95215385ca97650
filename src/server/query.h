/* What a query asks for, as its fields say it.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SRV_QUERY_H
#define SRV_QUERY_H

#include "serve.h"

/* Partitions that are asked for; `resume` is one more than the place of the
 * last digest the client has among those it sent, 0: from the beginning. */
typedef struct srv_pids {
    bool asked[AERO_PARTITIONS];
    uint16_t resume[AERO_PARTITIONS];
    aero_span digests; /* borrowed */
    aero_span numbers; /* the same: in a secondary index, one for each */
    uint32_t count;
    uint32_t n_digests;
} srv_pids;

/* The range of a secondary index, field 22. */
typedef struct srv_range {
    aero_span bin; /* empty: the index is named in another way */
    uint8_t particle;
    aero_span begin; /* of an integer: eight bytes; else the value itself */
    aero_span end;   /* of an integer only */
} srv_range;

/* Each reads one field; OK also when it is not there.  Result codes. */
int srv_query_take_pids(const srv_req *req, srv_pids *pids);
int srv_query_take_range(const srv_req *req, srv_range *range);
/* An integer field of exactly four or eight bytes. */
int srv_query_take_number(const srv_req *req, aero_field_type type,
                          size_t size, uint64_t *out);

#endif
