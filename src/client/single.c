/* Requests about one record.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "aero/client/txn.h"

void
aero_single_put_field(aero_single *s, aero_field_type type, aero_span data)
{
    aero_field_put(&s->cmd->out, type, data);
    s->msg.n_fields++;
}

static void
put_user_key(aero_single *s, const aero_key *key)
{
    aero_buf *out = &s->cmd->out;
    size_t mark = aero_field_open(out, AERO_FIELD_KEY);

    aero_buf_put_u8(out, key->particle);
    aero_buf_put_span(out, key->value);
    aero_field_close(out, mark);
    s->msg.n_fields++;
}

void
aero_single_open(aero_single *s, aero_cmd *cmd, const aero_key *key,
                 const aero_policy *policy, const aero_msg *msg)
{
    s->cmd = cmd;
    s->msg = *msg;
    s->msg.n_fields = 0;
    s->msg.n_ops = 0;
    aero_cmd_set_policy(cmd, policy);
    cmd->is_write = (msg->info2 & AERO_INFO2_WRITE) != 0;
    cmd->partition = aero_partition_of(key->digest);
    s->frame_at = aero_frame_open(&cmd->out, AERO_FRAME_MESSAGE);
    s->msg_at = aero_msg_put(&cmd->out, &s->msg);
    cmd->head_at = (ptrdiff_t)s->msg_at;
    cmd->ns_len =
        (uint8_t)(key->ns.len < sizeof cmd->ns ? key->ns.len : sizeof cmd->ns);
    memcpy(cmd->ns, key->ns.ptr, cmd->ns_len);
    aero_single_put_field(s, AERO_FIELD_NAMESPACE, key->ns);
    aero_single_put_field(s, AERO_FIELD_SET, key->set);
    aero_single_put_field(s, AERO_FIELD_DIGEST,
                          aero_span_of(key->digest, AERO_DIGEST_SIZE));
    if (policy->in_txn != NULL) {
        s->msg.n_fields +=
            aero_txn_put_fields(policy->in_txn, key->digest, cmd->is_write,
                                &cmd->out, &cmd->deadline_at);
    }
    if (policy->key != 0 && key->particle != AERO_PARTICLE_NIL) {
        put_user_key(s, key);
    }
    if (policy->filter.len != 0) {
        aero_single_put_field(s, AERO_FIELD_FILTER, policy->filter);
    }
}

void
aero_single_put_names(aero_single *s, const aero_span *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        aero_op_put(&s->cmd->out, AERO_OP_READ, AERO_PARTICLE_NIL, names[i],
                    aero_span_of(NULL, 0));
    }
}

void
aero_single_close(aero_single *s, uint16_t n_ops)
{
    aero_buf *out = &s->cmd->out;

    if (out->failed) {
        return;
    }
    s->cmd->is_write = (s->msg.info2 & AERO_INFO2_WRITE) != 0;
    out->ptr[s->msg_at + 1] = s->msg.info1;
    out->ptr[s->msg_at + 2] = s->msg.info2;
    out->ptr[s->msg_at + 3] = s->msg.info3;
    out->ptr[s->msg_at + 4] = s->msg.info4;
    aero_set_u32(out->ptr + s->msg_at + 6, s->msg.generation);
    aero_set_u32(out->ptr + s->msg_at + 10, s->msg.ttl);
    aero_msg_patch_counts(out, s->msg_at, s->msg.n_fields, n_ops);
    aero_frame_close(out, s->frame_at);
}

void
aero_info_open(aero_cmd *cmd, aero_node *node, aero_span command,
               uint32_t timeout_ms)
{
    cmd->node = aero_node_acquire(node);
    cmd->node_is_given = true;
    cmd->frame_type = AERO_FRAME_INFO;
    cmd->total_ms = timeout_ms;
    cmd->socket_ms = timeout_ms;
    cmd->delay_ms = 0;
    cmd->max_retries = 0;
    aero_info_put_request(&cmd->out, &command, 1);
}
