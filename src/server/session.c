/* Sessions: one connection each, one request at a time.
 *
 *   open TLS -> receive -> answer -> send -> receive ...
 *
 * Nothing is received while an answer is unsent, so a client that does not
 * read is not read from either.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "aero/base/alloc.h"
#include "host.h"

enum {
    READ_ROOM = 16 << 10,
    READ_ROOM_MAX = 1 << 20,
    KEEP = 256 << 10, /* of a buffer that was needed once */
    TURNS_MAX = 64    /* then others have their turn */
};

typedef enum turn {
    GO,   /* there is more to do at once */
    WAIT, /* for session->armed */
    CLOSE /* it is over */
} turn;

static void pump(srv_session *s);

/* ---- waiting ---- */

static void
on_ready(uv_poll_t *poll, int status, int events)
{
    srv_session *s = poll->data;

    /* A client that has said goodbye is not answered, even if requests of it
     * still wait. */
    if (status != 0 || (events & UV_DISCONNECT) != 0) {
        srv_session_close(s);
        return;
    }
    s->drained = false;
    pump(s);
}

static void
arm(srv_session *s, int events)
{
    events |= UV_DISCONNECT;
    if (s->armed != events) {
        s->armed = events;
        uv_poll_start(&s->poll, events, on_ready);
    }
}

static turn
wait_for(srv_session *s, uint8_t want)
{
    arm(s, want == AERO_WANT_WRITE  ? UV_WRITABLE
           : want == AERO_WANT_READ ? UV_READABLE
                                    : 0);
    return WAIT;
}

static void
on_time(uv_timer_t *timer)
{
    srv_session *s = timer->data;

    if (s->pause == SRV_PAUSE_NONE) {
        srv_session_close(s); /* the answer was left unread too long */
        return;
    }
    s->pause = SRV_PAUSE_NONE;
    pump(s);
}

static void
set_timer(srv_session *s, uint32_t ms)
{
    uv_update_time(&s->server->loop);
    uv_timer_start(&s->timer, on_time, ms, 0);
}

void
srv_session_pause(srv_session *s, srv_pause why, uint32_t ms)
{
    s->pause = why;
    set_timer(s, ms);
}

/* ---- sending ---- */

static size_t
unsent(const srv_session *s)
{
    return s->out.len - s->sent;
}

/* Everything that may be sent was: what a fault has left of the answer ends
 * the connection, or all talk on it. */
static turn
after_cut(srv_session *s)
{
    if (!s->cut_stalls) {
        return CLOSE;
    }
    s->pause = SRV_PAUSE_STALL;
    s->out.len = 0;
    s->sent = 0;
    return wait_for(s, AERO_WANT_NOTHING);
}

static turn
send_some(srv_session *s)
{
    aero_span left = aero_span_of(s->out.ptr + s->sent, unsent(s));
    size_t before;
    uint32_t stall = s->stream != NULL ? s->stream->stall_ms : SRV_STALL_MS;
    aero_rc rc;

    if (s->may_send >= 0 && (uint64_t)s->may_send < left.len) {
        left.len = (size_t)s->may_send;
    }
    before = left.len;
    rc = aero_conn_send(s->conn, &left, NULL);
    s->sent += before - left.len;
    if (s->may_send >= 0) {
        s->may_send -= (int64_t)(before - left.len);
    }
    if (rc == AERO_ERROR) {
        return CLOSE;
    }
    if (rc == AERO_MORE) {
        if (stall != 0) {
            set_timer(s, stall);
        }
        return wait_for(s, s->conn->want);
    }
    uv_timer_stop(&s->timer);
    if (s->may_send == 0) {
        return after_cut(s);
    }
    if (s->frame_len == 0) {
        s->may_send = -1; /* the answer was shorter than the cut */
    }
    s->sent = 0;
    aero_buf_reset(&s->out, KEEP);
    return GO;
}

/* ---- answering ---- */

/* The request is done with: its bytes may go. */
static void
end_request(srv_session *s)
{
    if (s->stream != NULL) {
        s->stream->close(s->stream);
        s->stream = NULL;
    }
    s->taken += s->frame_len;
    s->frame_len = 0;
    aero_buf_reset(&s->inflated, KEEP);
    if (s->taken == s->in.len) {
        s->taken = 0;
        aero_buf_reset(&s->in, KEEP);
    }
}

static turn
step_stream(srv_session *s)
{
    aero_rc rc = s->stream->step(s->stream, &s->out, &s->rest_ms);

    if (rc == AERO_ERROR || s->out.failed) {
        return CLOSE;
    }
    if (rc == AERO_OK) {
        end_request(s);
    }
    return GO;
}

/* Old clients of the security protocol say version 0. */
static aero_rc
peek_frame(aero_span in, aero_frame *frame)
{
    uint8_t head[AERO_FRAME_HEAD];

    if (in.len < AERO_FRAME_HEAD) {
        return AERO_MORE;
    }
    memcpy(head, in.ptr, sizeof head);
    if (head[0] == 0 && head[1] == AERO_FRAME_ADMIN) {
        head[0] = AERO_FRAME_VERSION;
    }
    return aero_frame_peek(aero_span_of(head, sizeof head), frame, NULL);
}

/* AERO_MORE: no whole request is there. */
static aero_rc
take_request(srv_session *s, aero_frame *frame, aero_span *body)
{
    aero_span in = aero_span_of(s->in.ptr + s->taken, s->in.len - s->taken);
    aero_rc rc = peek_frame(in, frame);

    if (rc != AERO_OK) {
        return rc;
    }
    if (in.len - AERO_FRAME_HEAD < frame->size) {
        return AERO_MORE;
    }
    if (frame->size == 0 && in.len > AERO_FRAME_HEAD) {
        return AERO_ERROR; /* as the real server, which reads nothing then */
    }
    *body = aero_span_of(in.ptr + AERO_FRAME_HEAD, frame->size);
    s->frame_len = AERO_FRAME_HEAD + frame->size;
    return AERO_OK;
}

/* ---- receiving ---- */

/* How much more the request that has begun needs; at least some room. */
static size_t
room_wanted(const srv_session *s)
{
    aero_span in = aero_span_of(s->in.ptr + s->taken, s->in.len - s->taken);
    aero_frame frame;
    size_t want = READ_ROOM;

    if (peek_frame(in, &frame) == AERO_OK) {
        want = AERO_FRAME_HEAD + (size_t)frame.size - in.len;
        want = want < READ_ROOM       ? READ_ROOM
               : want > READ_ROOM_MAX ? READ_ROOM_MAX
                                      : want;
    }
    return want;
}

static void
move_to_front(srv_session *s)
{
    if (s->taken != 0) {
        s->in.len -= s->taken;
        memmove(s->in.ptr, s->in.ptr + s->taken, s->in.len);
        s->taken = 0;
    }
}

static turn
receive(srv_session *s)
{
    size_t got = 0;
    size_t room;
    aero_rc rc;

    if (s->drained) {
        s->drained = false;
        return wait_for(s, AERO_WANT_READ);
    }
    move_to_front(s);
    if (!aero_buf_reserve(&s->in, room_wanted(s))) {
        return CLOSE;
    }
    room = s->in.cap - s->in.len;
    rc = aero_conn_recv(s->conn, s->in.ptr + s->in.len, room, &got, NULL);
    if (rc == AERO_MORE) {
        return wait_for(s, s->conn->want);
    }
    if (rc == AERO_ERROR) {
        return CLOSE;
    }
    s->in.len += got;
    s->drained = got < room && s->conn->tls == NULL;
    return GO;
}

/* ---- turns ---- */

static turn
take_turn(srv_session *s)
{
    aero_frame frame;
    aero_span body;
    aero_rc rc;

    if (s->opening) {
        rc = aero_conn_step_open(s->conn, NULL);
        s->opening = rc == AERO_MORE;
        return rc == AERO_OK     ? GO
               : rc == AERO_MORE ? wait_for(s, s->conn->want)
                                 : CLOSE;
    }
    if (unsent(s) != 0) {
        return send_some(s);
    }
    if (s->stream != NULL && s->rest_ms != 0) {
        srv_session_pause(s, SRV_PAUSE_RATE, s->rest_ms);
        s->rest_ms = 0;
    }
    if (s->pause != SRV_PAUSE_NONE) {
        return wait_for(s, AERO_WANT_NOTHING);
    }
    if (s->stream != NULL) {
        return step_stream(s);
    }
    rc = take_request(s, &frame, &body);
    if (rc == AERO_MORE) {
        return receive(s);
    }
    if (rc == AERO_ERROR || !srv_session_answer(s, &frame, body) ||
        s->out.failed) {
        return CLOSE;
    }
    if (s->stream == NULL && s->pause == SRV_PAUSE_NONE) {
        end_request(s);
    }
    return GO;
}

static void
pump(srv_session *s)
{
    for (int i = 0; i < TURNS_MAX; i++) {
        turn t = take_turn(s);

        if (t == CLOSE) {
            srv_session_close(s);
        }
        if (t != GO) {
            return;
        }
    }
    arm(s, UV_WRITABLE); /* ready at once, behind the others */
}

/* ---- the beginning and the end ---- */

static void
on_closed(uv_handle_t *handle)
{
    srv_session *s = handle->data;

    if (--s->handles == 0) {
        aero_buf_fini(&s->in);
        aero_buf_fini(&s->inflated);
        aero_buf_fini(&s->out);
        aero_free(s);
    }
}

void
srv_session_close(srv_session *s)
{
    if (s->closing) {
        return;
    }
    s->closing = true;
    *s->link = s->next;
    if (s->next != NULL) {
        s->next->link = s->link;
    }
    s->server->core.cluster.nodes[s->node].closed++;
    if (s->stream != NULL) {
        s->stream->close(s->stream);
        s->stream = NULL;
    }
    srv_security_leave(&s->server->core, &s->who);
    uv_poll_stop(&s->poll);
    uv_timer_stop(&s->timer);
    uv_close((uv_handle_t *)&s->poll, on_closed);
    uv_close((uv_handle_t *)&s->timer, on_closed);
    aero_conn_free(s->conn);
    s->conn = NULL;
}

void
srv_sessions_close(aero_server *server, int node)
{
    srv_session *next;

    for (srv_session *s = server->sessions; s != NULL; s = next) {
        next = s->next;
        if (node < 0 || s->node == (unsigned)node) {
            srv_session_close(s);
        }
    }
}

static bool
is_refused(const srv_listener *listener)
{
    aero_server *server = listener->server;
    const srv_node *node = &server->core.cluster.nodes[listener->node];
    int64_t most = server->core.service[SRV_SERVICE_proto_fd_max];

    return node->opened - node->closed >= (uint64_t)most ||
           srv_faults_strike(&server->faults, 1U << SRV_FAULT_REFUSE,
                             listener->node, SRV_CLASS_READ,
                             aero_span_of(NULL, 0)) != NULL;
}

/* Takes `conn`. */
static srv_session *
new_session(srv_listener *listener, aero_conn *conn)
{
    aero_server *server = listener->server;
    srv_session *s = aero_zalloc(sizeof *s);

    if (s == NULL || uv_poll_init(&server->loop, &s->poll, conn->fd) != 0) {
        aero_free(s);
        aero_conn_free(conn);
        return NULL;
    }
    uv_timer_init(&server->loop, &s->timer);
    s->poll.data = s;
    s->timer.data = s;
    s->handles = 2;
    s->server = server;
    s->node = listener->node;
    s->conn = conn;
    s->opening = true;
    s->may_send = -1;
    s->next = server->sessions;
    s->link = &server->sessions;
    if (s->next != NULL) {
        s->next->link = &s->next;
    }
    server->sessions = s;
    return s;
}

void
srv_session_open(srv_listener *listener, int fd, const aero_addr *peer)
{
    aero_server *server = listener->server;
    aero_conn *conn = aero_conn_adopt(
        fd, listener->kind == SRV_LISTEN_TLS ? server->tls : NULL, NULL);
    srv_session *s;

    if (conn == NULL) {
        return;
    }
    if (is_refused(listener)) {
        aero_conn_free(conn);
        return;
    }
    s = new_session(listener, conn);
    if (s == NULL) {
        return;
    }
    server->core.cluster.nodes[s->node].opened++;
    aero_addr_text(peer, s->from);
    aero_addr_host(peer, s->who.host);
    srv_log(server, "%s: connected to node %s%s", s->from,
            server->core.cluster.nodes[s->node].id,
            conn->tls != NULL ? " (TLS)" : "");
    pump(s);
}
