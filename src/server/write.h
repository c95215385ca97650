/* What writes are made of: steps that writes by operations and writes by
 * scripts share.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SRV_WRITE_H
#define SRV_WRITE_H

#include "command.h"

typedef struct srv_write {
    srv_cmd *cmd;
    bool must_exist;
    bool replaces;
    bool creates;
    uint32_t ttl; /* as it was asked for; then in seconds */
    aero_span key;
    uint32_t old_bins;
} srv_write;

/* Each a result code. */
int srv_write_find_record(srv_write *w);
int srv_write_find_set(srv_write *w);
int srv_write_check_filter(srv_write *w);
int srv_write_find_key(srv_write *w);
int srv_write_find_ttl(srv_write *w);

/* The generation, the time and the life that the record will have. */
void srv_write_advance(srv_write *w);
/* The bins of the command become the record.  A result code. */
int srv_write_store(srv_write *w);

#endif
