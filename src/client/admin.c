/* Requests about users and roles.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "aero/client/admin.h"

void
aero_admin_open(aero_admin_ask *ask, aero_cmd *cmd, aero_admin_code command,
                uint32_t timeout_ms)
{
    aero_admin head = {.command = (uint8_t)command};

    ask->cmd = cmd;
    ask->n_fields = 0;
    cmd->frame_type = AERO_FRAME_ADMIN;
    cmd->is_write =
        command != AERO_ADMIN_QUERY_USERS && command != AERO_ADMIN_QUERY_ROLES;
    cmd->total_ms = timeout_ms;
    cmd->socket_ms = timeout_ms;
    cmd->delay_ms = 0;
    cmd->max_retries = 0;
    ask->frame_at = aero_frame_open(&cmd->out, AERO_FRAME_ADMIN);
    ask->head_at = aero_admin_put(&cmd->out, &head);
}

void
aero_admin_put_text(aero_admin_ask *ask, aero_admin_code id, aero_span text)
{
    aero_admin_put_field(&ask->cmd->out, id, text);
    ask->n_fields++;
}

void
aero_admin_put_number(aero_admin_ask *ask, aero_admin_code id, uint32_t number)
{
    aero_field_put_u32(&ask->cmd->out, (aero_field_type)id, number);
    ask->n_fields++;
}

size_t
aero_admin_open_field(aero_admin_ask *ask, aero_admin_code id)
{
    ask->n_fields++;
    return aero_field_open(&ask->cmd->out, (aero_field_type)id);
}

void
aero_admin_close_field(aero_admin_ask *ask, size_t at)
{
    aero_field_close(&ask->cmd->out, at);
}

size_t
aero_admin_put_hash(aero_admin_ask *ask, aero_admin_code id)
{
    size_t field = aero_admin_open_field(ask, id);
    size_t at = ask->cmd->out.len;

    aero_buf_put_zero(&ask->cmd->out, AERO_HASH_SIZE);
    aero_admin_close_field(ask, field);
    return at;
}

void
aero_admin_close(aero_admin_ask *ask)
{
    aero_admin_patch_count(&ask->cmd->out, ask->head_at, ask->n_fields);
    aero_frame_close(&ask->cmd->out, ask->frame_at);
}

/* ---- answers ---- */

/* Pass over a record; its head is in `head`. */
static aero_rc
pass_record(aero_span *in, aero_admin *head, aero_status *st)
{
    aero_rc rc = aero_admin_take(in, head, st);

    for (unsigned i = 0; rc == AERO_OK && i < head->n_fields; i++) {
        aero_field field;

        rc = aero_admin_take_field(in, &field, st);
    }
    return rc;
}

static aero_rc
gather(void *ctx, aero_span body, aero_status *st)
{
    aero_admin_records *records = ctx;
    aero_span rest = body;

    while (rest.len != 0) {
        aero_span before = rest;
        aero_admin head;

        if (pass_record(&rest, &head, st) != AERO_OK) {
            return AERO_ERROR;
        }
        if (head.result != AERO_ERR_OK) {
            records->result = head.result;
            return AERO_OK;
        }
        aero_buf_put(&records->buf, before.ptr, before.len - rest.len);
    }
    return records->buf.failed
               ? aero_fail(st, AERO_ERR_CLIENT, "no memory for the answer")
               : AERO_MORE;
}

void
aero_admin_gather(aero_admin_ask *ask, aero_admin_records *records)
{
    ask->cmd->on_frame = gather;
    ask->cmd->ctx = records;
}

void
aero_admin_records_fini(aero_admin_records *records)
{
    aero_buf_fini(&records->buf);
}
