/* The monitor of a transaction.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "aero/client/txn.h"
#include "aero/wire/value.h"

/* List operations of the monitor's bin: | 0x94 | code | items | ordered |
 * unique, no failure, partial |. */
enum {
    LIST_APPEND = 1,
    LIST_APPEND_ITEMS = 2,
    LIST_ORDERED = 1,
    LIST_QUIETLY_UNIQUE = 1 | 4 | 8
};

static const char monitor_set[] = "<ERO~MRT";

/* The monitor's key; its namespace is the transaction's own text, which does
 * not change any more. */
static void
make_key(aero_txn *txn, aero_key *key)
{
    memset(key, 0, sizeof *key);
    key->ns = aero_span_of(txn->ns, txn->ns_len);
    key->set = aero_span_str(monitor_set);
    key->particle = AERO_PARTICLE_INTEGER;
    aero_key_set_int(key, (int64_t)txn->id);
    aero_digest(key->set, key->particle, key->value, key->digest);
}

static void
open(aero_txn *txn, aero_single *s, aero_cmd *cmd, const aero_policy *policy,
     const aero_msg *msg)
{
    aero_policy plain = *policy;
    aero_key key;

    plain.in_txn = NULL;
    plain.key = 0;
    plain.filter = aero_span_of(NULL, 0);
    make_key(txn, &key);
    aero_single_open(s, cmd, &key, &plain, msg);
}

static void
put_digest(aero_buf *out, const uint8_t *digest)
{
    aero_buf_put_u8(out, 0xa0 | (AERO_DIGEST_SIZE + 1));
    aero_buf_put_u8(out, AERO_PARTICLE_BLOB);
    aero_buf_put(out, digest, AERO_DIGEST_SIZE);
}

static void
put_array(aero_buf *out, size_t count)
{
    if (count < 16) {
        aero_buf_put_u8(out, (uint8_t)(0x90 | count));
    }
    else if (count <= UINT16_MAX) {
        aero_buf_put_u8(out, 0xdc);
        aero_buf_put_u16(out, (uint16_t)count);
    }
    else {
        aero_buf_put_u8(out, 0xdd);
        aero_buf_put_u32(out, (uint32_t)count);
    }
}

static void
put_digests(aero_buf *out, aero_span digests)
{
    size_t count = digests.len / AERO_DIGEST_SIZE;
    size_t mark = aero_op_open(out, AERO_OP_CDT_MODIFY, AERO_PARTICLE_BLOB,
                               aero_span_str("keyds"));

    put_array(out, 4);
    aero_buf_put_u8(out, count == 1 ? LIST_APPEND : LIST_APPEND_ITEMS);
    if (count != 1) {
        put_array(out, count);
    }
    for (size_t i = 0; i < count; i++) {
        put_digest(out, digests.ptr + i * AERO_DIGEST_SIZE);
    }
    aero_buf_put_u8(out, LIST_ORDERED);
    aero_buf_put_u8(out, LIST_QUIETLY_UNIQUE);
    aero_op_close(out, mark);
}

void
aero_txn_announce(aero_txn *txn, aero_cmd *cmd, aero_span digests,
                  const aero_policy *policy)
{
    aero_msg msg = {.info2 = AERO_INFO2_WRITE | AERO_INFO2_RESPOND_ALL_OPS};
    bool is_new = aero_txn_deadline(txn) == 0;
    aero_single s;

    pthread_mutex_lock(&txn->lock);
    msg.ttl = txn->timeout;
    pthread_mutex_unlock(&txn->lock);
    open(txn, &s, cmd, policy, &msg);
    if (is_new) {
        uint8_t number[8];

        aero_set_u64(number, txn->id);
        aero_op_put(&cmd->out, AERO_OP_WRITE, AERO_PARTICLE_INTEGER,
                    aero_span_str("id"), aero_span_of(number, 8));
    }
    put_digests(&cmd->out, digests);
    aero_single_close(&s, is_new ? 2 : 1);
}

aero_rc
aero_txn_announced(aero_txn *txn, const aero_cmd *cmd, aero_status *st)
{
    aero_span body;
    aero_msg msg;

    if (cmd->rc != AERO_OK) {
        *st = cmd->st;
        st->in_doubt = false; /* the write itself was not sent */
        return AERO_ERROR;
    }
    memcpy(st->node, cmd->st.node, sizeof st->node);
    if (cmd->result != AERO_ERR_OK) {
        st->from_server = true;
        return aero_fail(st, cmd->result, "%s", aero_result_text(cmd->result));
    }
    body = aero_cmd_body(cmd);
    if (aero_msg_take(&body, &msg, st) != AERO_OK) {
        return AERO_ERROR;
    }
    for (unsigned i = 0; i < msg.n_fields; i++) {
        aero_field field;

        if (aero_field_take(&body, &field, st) != AERO_OK) {
            return AERO_ERROR;
        }
        if (field.type == AERO_FIELD_TXN_DEADLINE && field.data.len == 4) {
            pthread_mutex_lock(&txn->lock);
            txn->deadline = aero_get_u32le(field.data.ptr);
            pthread_mutex_unlock(&txn->lock);
        }
    }
    /* A server without transactions takes it for any record. */
    return aero_txn_deadline(txn) != 0
               ? AERO_OK
               : aero_fail(st, AERO_ERR_ENTERPRISE_ONLY,
                           "the server gave the transaction no deadline");
}

void
aero_txn_mark(aero_txn *txn, aero_cmd *cmd, const aero_policy *policy)
{
    static const uint8_t yes = 1;
    aero_msg msg = {.info2 = AERO_INFO2_WRITE};
    aero_single s;

    open(txn, &s, cmd, policy, &msg);
    aero_op_put(&cmd->out, AERO_OP_WRITE, AERO_PARTICLE_BOOL,
                aero_span_str("fwd"), aero_span_of(&yes, 1));
    aero_single_close(&s, 1);
}

void
aero_txn_close(aero_txn *txn, aero_cmd *cmd, const aero_policy *policy)
{
    aero_msg msg = {.info2 = AERO_INFO2_WRITE | AERO_INFO2_DELETE |
                             AERO_INFO2_DURABLE_DELETE};
    aero_single s;

    open(txn, &s, cmd, policy, &msg);
    aero_single_close(&s, 0);
}
