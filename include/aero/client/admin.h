/* Requests about users and roles.
 *
 * One goes to some node, which tells the others.  The answer to a question is
 * a row of records, in one frame or several; its last has a result.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_CLIENT_ADMIN_H
#define AERO_CLIENT_ADMIN_H

#include "aero/client/cmd.h"
#include "aero/wire/admin.h"

/* A request that is being put into cmd->out. */
typedef struct aero_admin_ask {
    aero_cmd *cmd;
    size_t frame_at;
    size_t head_at;
    uint8_t n_fields;
} aero_admin_ask;

void aero_admin_open(aero_admin_ask *ask, aero_cmd *cmd,
                     aero_admin_code command, uint32_t timeout_ms);
void aero_admin_put_text(aero_admin_ask *ask, aero_admin_code id,
                         aero_span text);
void aero_admin_put_number(aero_admin_ask *ask, aero_admin_code id,
                           uint32_t number);
/* A field that the caller fills; gives its place, for the end. */
size_t aero_admin_open_field(aero_admin_ask *ask, aero_admin_code id);
void aero_admin_close_field(aero_admin_ask *ask, size_t at);
/* Room for a password's hash; gives its place in cmd->out. */
size_t aero_admin_put_hash(aero_admin_ask *ask, aero_admin_code id);
void aero_admin_close(aero_admin_ask *ask);

/* What a question was answered. */
typedef struct aero_admin_records {
    aero_buf buf;   /* owned; heads and fields, without the last head */
    uint8_t result; /* of that one */
} aero_admin_records;

/* Let the command gather its answer here (borrowed until its end). */
void aero_admin_gather(aero_admin_ask *ask, aero_admin_records *records);
void aero_admin_records_fini(aero_admin_records *records);

#endif
