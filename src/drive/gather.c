/* Coalescing of reads: single reads that are issued in one pass of the event
 * loop travel as rows of one inline batch request to each node, and each gets
 * the message that answers it as if it had asked alone.
 *
 * At most so many requests of so many rows are under way to a node (2 and 32
 * unless configured); what comes meanwhile waits for the next.  A row that
 * fails by the connection, or because the server takes no batches, goes its
 * own way.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "aero/base/alloc.h"
#include "aero/wire/batch.h"
#include "loop_parts.h"

typedef struct gather_node gather_node;

/* One batch request under way. */
typedef struct flight {
    aero_run run; /* first: the run is this */
    aero_cmd cmd;
    gather_node *home;
    uint32_t count;
    uint8_t result;   /* of the whole batch */
    aero_cmd *rows[]; /* NULL: answered, or gone */
} flight;

/* Where rows for one node wait. */
struct gather_node {
    aero_gather *gather;
    aero_node *node; /* counted */
    aero_cmd *first;
    aero_cmd *last;
    uint32_t n_flights;
    gather_node *next;
};

struct aero_gather {
    aero_loop *loop;
    gather_node *nodes; /* owned */
};

aero_gather *
aero_gather_new(aero_loop *loop)
{
    aero_gather *gather = aero_zalloc(sizeof *gather);

    if (gather != NULL) {
        gather->loop = loop;
    }
    return gather;
}

void
aero_gather_free(aero_gather *gather)
{
    while (gather != NULL && gather->nodes != NULL) {
        gather_node *home = gather->nodes;

        gather->nodes = home->next;
        aero_node_release(home->node);
        aero_free(home);
    }
    aero_free(gather);
}

/* ---- waiting ---- */

static uint32_t
max_rows(const gather_node *home)
{
    return home->gather->loop->config.max_rows;
}

static uint32_t
max_flights(const gather_node *home)
{
    return home->gather->loop->config.max_flights;
}

static gather_node *
home_of(aero_gather *gather, aero_node *node)
{
    gather_node *home = gather->nodes;

    while (home != NULL && home->node != node) {
        home = home->next;
    }
    if (home == NULL && (home = aero_zalloc(sizeof *home)) != NULL) {
        home->gather = gather;
        home->node = aero_node_acquire(node);
        home->next = gather->nodes;
        gather->nodes = home;
    }
    return home;
}

void
aero_gather_add(aero_gather *gather, aero_cmd *cmd)
{
    aero_node *node = aero_cmd_find_node(cmd);
    gather_node *home = node == NULL ? NULL : home_of(gather, node);

    if (home == NULL) {
        aero_node_release(node);
        aero_slot_step(cmd->job.slot); /* let it find out by itself */
        return;
    }
    aero_cmd_gather(cmd, node);
    cmd->gathered = home;
    cmd->next_queued = NULL;
    if (home->first == NULL) {
        home->first = cmd;
    }
    else {
        home->last->next_queued = cmd;
    }
    home->last = cmd;
    aero_slot_wait(cmd->job.slot);
}

static bool
leave_line(gather_node *home, aero_cmd *cmd)
{
    aero_cmd *before = NULL;

    for (aero_cmd **at = &home->first; *at != NULL;
         before = *at, at = &(*at)->next_queued) {
        if (*at == cmd) {
            *at = cmd->next_queued;
            if (home->last == cmd) {
                home->last = before;
            }
            return true;
        }
    }
    return false;
}

void
aero_gather_leave(aero_gather *gather, aero_cmd *cmd)
{
    gather_node *home = cmd->gathered;

    (void)gather;
    cmd->gathered = NULL;
    if (cmd->next_row != NULL) {
        *cmd->next_row = NULL; /* its answer, when it comes, is nobody's */
        cmd->next_row = NULL;
    }
    else {
        leave_line(home, cmd);
    }
}

static aero_cmd *
take_row(flight *f, uint32_t index)
{
    aero_cmd *cmd = index < f->count ? f->rows[index] : NULL;

    if (cmd != NULL) {
        f->rows[index] = NULL;
        cmd->next_row = NULL;
        cmd->gathered = NULL;
    }
    return cmd;
}

/* ---- the reply ---- */

/* The whole of the message at the front of `in`. */
static aero_rc
take_message(aero_span *in, aero_msg *msg, aero_span *whole, aero_status *st)
{
    const uint8_t *from = in->ptr;
    aero_rc rc = aero_msg_take(in, msg, st);

    for (unsigned i = 0; rc == AERO_OK && i < msg->n_fields; i++) {
        aero_field field;

        rc = aero_field_take(in, &field, st);
    }
    for (unsigned i = 0; rc == AERO_OK && i < msg->n_ops; i++) {
        aero_op op;

        rc = aero_op_take(in, &op, st);
    }
    *whole = aero_span_of(from, (size_t)(in->ptr - from));
    return rc;
}

static void
answer_row(aero_cmd *cmd, aero_span message)
{
    aero_slot *slot = cmd->job.slot;

    if (aero_cmd_answer(cmd, message)) {
        aero_slot_stepped(slot, cmd->rc);
    }
    else {
        aero_slot_step(slot);
    }
}

static aero_rc
on_frame(void *ctx, aero_span body, aero_status *st)
{
    flight *f = ctx;

    while (body.len != 0) {
        aero_msg msg;
        aero_span whole;
        aero_cmd *cmd;

        if (take_message(&body, &msg, &whole, st) != AERO_OK) {
            return AERO_ERROR;
        }
        if ((msg.info3 & AERO_INFO3_LAST) != 0) {
            f->result = msg.result;
            return AERO_OK;
        }
        cmd = take_row(f, msg.budget);
        if (cmd != NULL) {
            answer_row(cmd, whole);
        }
    }
    return AERO_MORE;
}

static void launch(gather_node *home);

/* Rows that got no answer: after a lost connection they have used up an
 * attempt; when the server would not take the batch they have not. */
static void
free_rows(flight *f)
{
    for (uint32_t i = 0; i < f->count; i++) {
        aero_cmd *cmd = take_row(f, i);

        if (cmd == NULL) {
            continue;
        }
        if (f->cmd.rc == AERO_OK) {
            aero_cmd_resume(cmd);
        }
        else {
            aero_cmd_fail_attempt(cmd, &f->cmd.st);
        }
        if (cmd->state == AERO_CMD_DONE) {
            aero_slot_stepped(cmd->job.slot, cmd->rc);
        }
        else {
            aero_slot_step(cmd->job.slot);
        }
    }
}

static void
on_done(aero_run *run)
{
    flight *f = (flight *)run;
    gather_node *home = f->home;

    home->n_flights--;
    /* The loop ends before the reply has come. */
    aero_cmd_cancel(&f->cmd, AERO_ERR_CLIENT_ABORT, "the client was closed");
    free_rows(f);
    aero_node_release(f->cmd.node);
    f->cmd.node = NULL;
    aero_cmd_fini(&f->cmd);
    aero_free(f);
    launch(home);
}

/* ---- the request ---- */

/* Fields and operations of a single read, without its digest. */
static bool
put_row(aero_batch_put *b, uint32_t index, const aero_cmd *cmd)
{
    aero_span in = aero_span_skip(aero_buf_span(&cmd->out), AERO_FRAME_HEAD);
    aero_span fields;
    aero_msg msg;
    const uint8_t *digest = NULL;
    const uint8_t *after = NULL;
    bool has_key = false;

    if (aero_msg_take(&in, &msg, NULL) != AERO_OK) {
        return false;
    }
    fields = in;
    for (unsigned i = 0; i < msg.n_fields; i++) {
        const uint8_t *from = in.ptr;
        aero_field field;

        if (aero_field_take(&in, &field, NULL) != AERO_OK) {
            return false;
        }
        has_key |= field.type == AERO_FIELD_KEY;
        if (field.type == AERO_FIELD_DIGEST) {
            digest = field.data.ptr;
            fields.len = (size_t)(from - fields.ptr);
            after = in.ptr;
        }
    }
    if (digest == NULL) {
        return false;
    }
    msg.n_fields--;
    aero_batch_open_row(b, index, digest);
    aero_batch_put_head(b->out, &msg);
    aero_buf_put_span(b->out, fields);
    aero_buf_put(b->out, after, (size_t)(cmd->out.ptr + cmd->out.len - after));
    aero_batch_close_row(b, has_key);
    return true;
}

/* May two reads travel together?  What the rows carry themselves may differ.
 */
static bool
is_alike(const aero_cmd *a, const aero_cmd *b)
{
    return a->total_ms == b->total_ms && a->socket_ms == b->socket_ms &&
           a->delay_ms == b->delay_ms && a->connect_ms == b->connect_ms &&
           a->compress_above == b->compress_above;
}

static void
begin_flight(flight *f, const aero_cmd *like)
{
    aero_cmd *cmd = &f->cmd;
    aero_loop *loop = f->home->gather->loop;

    cmd->node = aero_node_acquire(f->home->node);
    cmd->node_is_given = true;
    cmd->is_batch = true;
    cmd->no_retry = true;
    cmd->total_ms = like->total_ms;
    cmd->socket_ms = like->socket_ms;
    cmd->delay_ms = like->delay_ms;
    cmd->connect_ms = like->connect_ms;
    cmd->max_retries = 0;
    cmd->on_frame = on_frame;
    cmd->ctx = f;
    f->run.task = &cmd->task;
    f->run.on_done = on_done;
    aero_cmd_begin(cmd, like->cluster, aero_loop_source(loop), like->began_at);
    aero_loop_submit(loop, &f->run);
}

/* The rows at the head of the line that may travel together. */
static void
board(flight *f, aero_batch_put *b)
{
    gather_node *home = f->home;
    const aero_cmd *like = home->first;

    while (home->first != NULL && f->count < max_rows(home) &&
           is_alike(home->first, like)) {
        aero_cmd *cmd = home->first;

        home->first = cmd->next_queued;
        if (home->first == NULL) {
            home->last = NULL;
        }
        if (!put_row(b, f->count, cmd)) {
            continue; /* cannot happen: we made these bytes */
        }
        cmd->n_sent++;
        f->rows[f->count] = cmd;
        cmd->next_row = &f->rows[f->count++];
    }
}

static void
send_alone(gather_node *home)
{
    aero_cmd *cmd = home->first;

    home->first = NULL;
    home->last = NULL;
    cmd->gathered = NULL;
    aero_cmd_resume(cmd);
    aero_slot_step(cmd->job.slot);
}

static bool
send_batch(gather_node *home)
{
    flight *f = aero_zalloc(sizeof *f + max_rows(home) * sizeof *f->rows);
    const aero_cmd *like = home->first;
    aero_batch_put b;

    if (f == NULL) {
        return false;
    }
    f->home = home;
    aero_cmd_init(&f->cmd);
    aero_batch_open(&b, &f->cmd.out, 0, aero_span_of(NULL, 0),
                    AERO_BATCH_INLINE | AERO_BATCH_RESPOND_ALL |
                        AERO_BATCH_SHOW_FAILED);
    f->cmd.head_at = (ptrdiff_t)b.msg_at;
    board(f, &b);
    aero_batch_close(&b);
    home->n_flights++;
    begin_flight(f, like);
    return true;
}

static void
launch(gather_node *home)
{
    while (home->first != NULL && home->n_flights < max_flights(home)) {
        if (home->first->next_queued == NULL) {
            send_alone(home); /* a batch of one is a read */
        }
        else if (!send_batch(home)) {
            return;
        }
    }
}

void
aero_gather_flush(aero_gather *gather)
{
    for (gather_node *home = gather->nodes; home != NULL; home = home->next) {
        launch(home);
    }
}
