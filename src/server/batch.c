/* Batches: many commands in one message, answered in blocks of rows and a
 * trailer.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "aero/base/alloc.h"
#include "command.h"
#include "security.h"
#include "serve.h"
#include "aero/wire/batch.h"
#include "aero/wire/frame.h"

enum {
    FIELD_HEAD = 4 + 1,
    ROWS_PER_STEP = 4096,
    ABANDON_MS = 30000
};

typedef struct batch {
    srv_stream stream;
    srv_core *core;
    srv_node *node;
    const struct srv_login *who;
    aero_span rows; /* not yet run */
    uint32_t left;
    uint8_t flags;
    bool compress;
    uint8_t sc_bits; /* of the batch, for rows of the oldest form */
    uint32_t budget;
    aero_span filter;
    srv_req req; /* of the last row that was written out */
    bool has_req;
    int code;       /* of the whole; once it is set no block is sent */
    int block_code; /* of the block that is being filled */
    aero_buf block; /* rows that are answered and not yet put */
    aero_buf row;   /* the row that runs */
} batch;

/* ---- reading rows ---- */

/* What only some rows say. */
static bool
take_row_bits(batch *b, uint8_t flags, aero_msg *msg)
{
    memset(msg, 0, sizeof *msg);
    msg->info3 = b->sc_bits;
    msg->budget = b->budget;
    if (!aero_batch_take_head(&b->rows, flags, msg)) {
        return false;
    }
    msg->info1 &= (uint8_t) ~(AERO_INFO1_COMPRESS_RESPONSE | AERO_INFO1_XDR);
    return true;
}

/* The first field names the namespace, whatever type it claims. */
static bool
names_namespace(const batch *b, aero_span fields)
{
    aero_field first;

    return aero_field_take(&fields, &first, NULL) == AERO_OK &&
           srv_core_ns(b->core, first.data) != NULL;
}

static bool
take_full_row(batch *b, uint8_t flags)
{
    srv_req *req = &b->req;

    if (!take_row_bits(b, flags, &req->msg)) {
        return false;
    }
    if (req->msg.n_fields == 0) {
        req->msg.n_fields = 1; /* old clients forgot to count it */
    }
    b->has_req = names_namespace(b, b->rows) &&
                 srv_req_take_fields(req, &b->rows) &&
                 srv_req_take_ops(req, &b->rows);
    return b->has_req;
}

static bool
take_row(batch *b, uint32_t *index, const uint8_t **digest)
{
    aero_batch_row row;

    if (!aero_batch_take_row(&b->rows, &row)) {
        return false;
    }
    *index = row.index;
    *digest = row.digest;
    if ((row.flags & AERO_ROW_REPEAT) == 0) {
        return take_full_row(b, row.flags);
    }
    return b->has_req && !srv_req_has(&b->req, AERO_FIELD_KEY);
}

/* ---- answering ---- */

static bool
is_failure(int code)
{
    return code != AERO_ERR_OK && code != AERO_ERR_RECORD_NOT_FOUND &&
           code != AERO_ERR_FILTERED_OUT;
}

/* A block is sent unless the batch has failed already; the first that holds a
 * failure is the last. */
static void
close_block(batch *b, aero_buf *out)
{
    size_t mark;

    if (b->block.failed) {
        out->failed = true;
    }
    if (b->block.len == 0) {
        return;
    }
    if (b->code == AERO_ERR_OK) {
        mark = aero_frame_open(out, AERO_FRAME_MESSAGE);
        aero_buf_put_span(out, aero_buf_span(&b->block));
        srv_close_data(out, mark, b->compress);
        b->code = b->block_code;
    }
    b->block.len = 0;
    b->block_code = AERO_ERR_OK;
}

static void
note_code(batch *b, int code)
{
    if ((b->flags & AERO_BATCH_RESPOND_ALL) != 0 || !is_failure(code)) {
        return;
    }
    if ((b->flags & AERO_BATCH_SHOW_FAILED) != 0) {
        b->block_code = code;
    }
    else {
        b->code = code;
    }
}

static void
run_row(batch *b, uint32_t index, const uint8_t *digest, aero_buf *out)
{
    srv_cmd cmd = {0};
    int code;

    cmd.core = b->core;
    cmd.node = b->node;
    cmd.who = b->who;
    cmd.req = &b->req;
    cmd.digest = digest;
    cmd.filter = b->filter;
    cmd.in_batch = true;
    cmd.row = index;
    cmd.out = &b->row;
    b->row.len = 0;
    code = srv_cmd_run(&cmd);
    if (cmd.lost_ttl) {
        b->req.msg.ttl = 0; /* and rows that repeat this one lose it too */
    }
    aero_arena_reset(&b->core->arena);
    if (b->block.len + b->row.len > SRV_BATCH_BLOCK) {
        close_block(b, out);
    }
    aero_buf_put_span(&b->block, aero_buf_span(&b->row));
    b->block.failed = b->block.failed || b->row.failed;
    note_code(b, code);
}

static void
put_trailer(batch *b, aero_buf *out)
{
    close_block(b, out);
    srv_put_head(out, AERO_INFO3_LAST, b->code, 0);
    if (b->code == AERO_ERR_OK) {
        b->node->batches_done++;
    }
    else {
        b->node->batches_failed++;
    }
}

static aero_rc
batch_step(srv_stream *stream, aero_buf *out, uint32_t *wait_ms)
{
    batch *b = (batch *)stream;
    size_t before = out->len;

    *wait_ms = 0;
    for (unsigned i = 0; b->left != 0 && i < ROWS_PER_STEP; i++) {
        uint32_t index;
        const uint8_t *digest;

        if (!take_row(b, &index, &digest)) {
            b->code = AERO_ERR_REQUEST_INVALID;
            b->left = 0;
            break;
        }
        b->left--;
        run_row(b, index, digest, out);
        if (out->len != before || out->failed) {
            return AERO_MORE;
        }
    }
    if (b->left != 0) {
        return AERO_MORE;
    }
    put_trailer(b, out);
    return AERO_OK;
}

static void
batch_close(srv_stream *stream)
{
    batch *b = (batch *)stream;

    aero_buf_fini(&b->block);
    aero_buf_fini(&b->row);
    aero_free(b);
}

/* ---- opening ---- */

/* The batch's own fields: rows and filter.  The rows reach to the end of the
 * message, and their field may claim even more, as the real server has it. */
static int
read_fields(batch *b, aero_span body, const aero_msg *msg)
{
    bool found = false;

    for (unsigned i = 0; i < msg->n_fields; i++) {
        aero_field field;
        aero_span rest;

        if (body.len < FIELD_HEAD) {
            return AERO_ERR_REQUEST_INVALID;
        }
        rest = aero_span_skip(body, FIELD_HEAD);
        if (body.ptr[FIELD_HEAD - 1] == AERO_FIELD_BATCH ||
            body.ptr[FIELD_HEAD - 1] == AERO_FIELD_BATCH_SET) {
            b->rows = rest;
            found = true;
        }
        if (aero_field_take(&body, &field, NULL) != AERO_OK) {
            return found && i + 1 == msg->n_fields ? AERO_ERR_OK
                                                   : AERO_ERR_REQUEST_INVALID;
        }
        if (field.type == AERO_FIELD_FILTER) {
            b->filter = field.data; /* never NULL, even if empty */
        }
    }
    return found ? AERO_ERR_OK : AERO_ERR_REQUEST_INVALID;
}

static int
read_head(batch *b)
{
    int64_t most = b->core->service[SRV_SERVICE_batch_max_requests];

    if (!aero_batch_take(&b->rows, &b->left, &b->flags) || b->left == 0) {
        return AERO_ERR_REQUEST_INVALID;
    }
    return most != 0 && b->left > most ? AERO_ERR_BATCH_MAX_REQUESTS_EXCEEDED
                                       : AERO_ERR_OK;
}

static int
open_batch(batch *b, const srv_call *call, aero_span body)
{
    aero_msg msg;
    int code;

    b->core = call->core;
    b->node = call->node;
    b->who = call->who;
    if (call->core->service[SRV_SERVICE_batch_index_threads] == 0) {
        return AERO_ERR_BATCH_DISABLED;
    }
    code = srv_security_check_login(call->core, call->who);
    if (code != AERO_ERR_OK) {
        return code;
    }
    if (aero_msg_take(&body, &msg, NULL) != AERO_OK) {
        return AERO_ERR_REQUEST_INVALID;
    }
    b->compress = srv_may_compress(call->core, &msg);
    b->sc_bits =
        msg.info3 & (AERO_INFO3_SC_READ_TYPE | AERO_INFO3_SC_READ_RELAX);
    b->budget = msg.budget;
    code = read_fields(b, body, &msg);
    if (code == AERO_ERR_OK && b->filter.ptr != NULL) {
        const aero_exp *filter;

        code = srv_core_filter(b->core, b->filter, &filter);
    }
    return code == AERO_ERR_OK ? read_head(b) : code;
}

srv_stream *
srv_batch_open(const srv_call *call, aero_span body, aero_buf *out)
{
    batch *b = aero_zalloc(sizeof *b);
    int code;

    call->node->batches++;
    if (b == NULL) {
        out->failed = true;
        return NULL;
    }
    code = open_batch(b, call, body);
    if (code != AERO_ERR_OK) {
        call->node->batches_failed++;
        batch_close(&b->stream);
        srv_put_head(out, AERO_INFO3_LAST, code, 0);
        return NULL;
    }
    b->stream.step = batch_step;
    b->stream.close = batch_close;
    b->stream.stall_ms = b->budget != 0 ? b->budget : ABANDON_MS;
    return &b->stream;
}
