/* Rows of a batch that belong to a transaction.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "aero/base/alloc.h"
#include "batch_txn.h"

/* A row's body, taken apart: | head | counts | namespace, set | rest |. */
typedef struct body_parts {
    size_t counts_at;
    size_t n_fields;
    size_t rest_at; /* behind the first two fields */
    aero_span set;
} body_parts;

static bool
take_apart(aero_span body, body_parts *parts)
{
    uint8_t flags = body.len == 0 ? 0 : body.ptr[0];
    size_t at = 2; /* flags and info1 */
    aero_span fields;

    at += (flags & AERO_ROW_INFO) != 0 ? 2 : 0;
    at += (flags & AERO_ROW_INFO4) != 0 ? 1 : 0;
    at += (flags & AERO_ROW_GENERATION) != 0 ? 2 : 0;
    at += (flags & AERO_ROW_TTL) != 0 ? 4 : 0;
    if (body.len < at + 4) {
        return false;
    }
    parts->counts_at = at;
    parts->n_fields = aero_get_u16(body.ptr + at);
    parts->set = aero_span_of(NULL, 0);
    fields = aero_span_skip(body, at + 4);
    for (unsigned i = 0; i < 2 && i < parts->n_fields; i++) {
        aero_field field;
        aero_span before = fields;

        if (aero_field_take(&fields, &field, NULL) != AERO_OK) {
            return false;
        }
        if (field.type == AERO_FIELD_SET) {
            parts->set = field.data;
        }
        else if (field.type != AERO_FIELD_NAMESPACE) {
            fields = before;
            break;
        }
    }
    parts->rest_at = body.len - fields.len;
    return true;
}

void
aero_batch_txn_put(aero_batch_put *put, aero_txn *txn, const aero_row *row)
{
    aero_buf *out = put->out;
    size_t head_at = out->len;
    size_t unused;
    body_parts parts;
    uint16_t more;

    if (!take_apart(row->body, &parts)) {
        out->failed = true;
        return;
    }
    aero_buf_put(out, row->body.ptr, parts.rest_at);
    more = aero_txn_put_fields(txn, row->digest, row->is_write, out, &unused);
    aero_buf_put_span(out, aero_span_skip(row->body, parts.rest_at));
    if (!out->failed) {
        aero_set_u16(out->ptr + head_at + parts.counts_at,
                     (uint16_t)(parts.n_fields + more));
    }
    aero_batch_close_row(put, row->has_key);
}

aero_rc
aero_batch_txn_note(aero_txn *txn, const aero_row *row, aero_span fields,
                    aero_status *st)
{
    body_parts parts = {0};
    aero_txn_news news = {.digest = row->digest,
                          .is_write = row->is_write,
                          .answered = row->answered,
                          .in_doubt = row->in_doubt,
                          .result = row->result};

    if (row->answered) {
        news.version = aero_txn_version(fields, row->n_fields);
    }
    if (take_apart(row->body, &parts)) {
        news.set = parts.set;
    }
    return aero_txn_note(txn, &news, st);
}

/* ---- before the first round ---- */

static aero_rc
join(aero_txn *txn, const aero_batch *batch, aero_status *st)
{
    aero_rc rc = AERO_OK;

    for (size_t i = 0; rc == AERO_OK && i < batch->n_rows; i++) {
        rc = aero_txn_join(txn, batch->rows[i].ns, st);
    }
    return rc;
}

aero_rc
aero_batch_txn_begin(aero_batch *batch, aero_txn *txn, aero_cmd **monitor,
                     aero_status *st)
{
    aero_buf digests = AERO_BUF_INIT;
    aero_rc rc = join(txn, batch, st);

    for (size_t i = 0; rc == AERO_OK && i < batch->n_rows; i++) {
        const aero_row *row = &batch->rows[i];

        if (row->is_write && !aero_txn_has_written(txn, row->digest)) {
            aero_buf_put(&digests, row->digest, AERO_DIGEST_SIZE);
        }
    }
    if (rc == AERO_OK && digests.len != 0) {
        *monitor = aero_alloc(sizeof **monitor);
        if (*monitor == NULL || digests.failed) {
            aero_free(*monitor);
            *monitor = NULL;
            rc = aero_fail(st, AERO_ERR_CLIENT, "no memory for a batch");
        }
        else {
            aero_cmd_init(*monitor);
            aero_txn_announce(txn, *monitor, aero_buf_span(&digests),
                              &batch->policy);
            aero_cmd_begin(*monitor, batch->cluster, batch->source,
                           aero_clock_now());
            rc = AERO_MORE;
        }
    }
    aero_buf_fini(&digests);
    return rc;
}
