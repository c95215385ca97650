/* A session's request: what it is, what goes wrong with it on purpose, what
 * answers it.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "aero/base/alloc.h"
#include "aero/wire/frame.h"
#include "host.h"
#include "request.h"

enum {
    BEFORE = 1 << SRV_FAULT_DROP | 1 << SRV_FAULT_CODE,
    AFTER = 1 << SRV_FAULT_DROP_AFTER | 1 << SRV_FAULT_CUT |
            1 << SRV_FAULT_STALL | 1 << SRV_FAULT_GARBAGE,
    GARBAGE_STEP = 0x6d
};

/* ---- what it is ---- */

/* The namespace that a batch's first row names. */
static aero_span
first_row_ns(aero_span body)
{
    aero_span none = {NULL, 0};

    for (size_t at = 0; at + 5 < body.len; at++) {
        /* A field of type 0 whose size leaves room for a namespace. */
        uint32_t size = aero_get_u32(body.ptr + at);

        if (body.ptr[at + 4] == AERO_FIELD_NAMESPACE && size > 1 &&
            size <= AERO_NAMESPACE_MAX + 1 && size - 1 <= body.len - at - 5) {
            return aero_span_of(body.ptr + at + 5, size - 1);
        }
    }
    return none;
}

static srv_class
classify_message(aero_span body, aero_span *ns)
{
    srv_req req;

    if (body.len > 1 && (body.ptr[1] & AERO_INFO1_BATCH) != 0) {
        *ns = body.len > AERO_MSG_HEAD
                  ? first_row_ns(aero_span_skip(body, AERO_MSG_HEAD))
                  : *ns;
        return SRV_CLASS_BATCH;
    }
    if (!srv_req_take(&req, body)) {
        return SRV_CLASS_READ;
    }
    *ns = srv_req_field(&req, AERO_FIELD_NAMESPACE);
    if (!srv_req_has(&req, AERO_FIELD_DIGEST)) {
        return SRV_CLASS_QUERY;
    }
    return (req.msg.info2 & AERO_INFO2_WRITE) != 0 ? SRV_CLASS_WRITE
                                                   : SRV_CLASS_READ;
}

static srv_class
classify(const aero_frame *frame, aero_span body, aero_span *ns)
{
    switch (frame->type) {
    case AERO_FRAME_INFO:
        return SRV_CLASS_INFO;
    case AERO_FRAME_ADMIN:
        return SRV_CLASS_ADMIN;
    default:
        return classify_message(body, ns);
    }
}

/* ---- answering ---- */

static void
answer_info(srv_session *s, const srv_call *call, aero_span body)
{
    srv_info info = {.call = call, .hooks = &s->server->hooks};

    info.user_agent = aero_span_str(s->agent);
    info.agent_room = s->agent;
    srv_info_answer(&info, body, &s->out);
}

static void
answer(srv_session *s, const aero_frame *frame, aero_span body)
{
    srv_core *core = &s->server->core;
    srv_call call = {core, &core->cluster.nodes[s->node], &s->who, s->from};

    switch (frame->type) {
    case AERO_FRAME_INFO:
        answer_info(s, &call, body);
        break;
    case AERO_FRAME_ADMIN:
        if (s->conn->tls != NULL) {
            aero_tls_peer_name(s->conn->tls, s->who.certified,
                               sizeof s->who.certified);
        }
        srv_admin_answer(core, &s->who, body, &s->out);
        break;
    default:
        s->stream = srv_serve(&call, body, &s->out);
    }
}

/* Only the Enterprise edition unpacks a compressed request. */
static bool
unpack(srv_session *s, aero_frame *frame, aero_span *body)
{
    int code = AERO_ERR_ENTERPRISE_ONLY;

    if (s->server->core.enterprise) {
        code = AERO_ERR_REQUEST_INVALID;
        if (aero_frame_inflate(*body, &s->inflated, NULL) == AERO_OK &&
            aero_frame_peek(aero_buf_span(&s->inflated), frame, NULL) ==
                AERO_OK &&
            frame->type == AERO_FRAME_MESSAGE) {
            *body =
                aero_span_skip(aero_buf_span(&s->inflated), AERO_FRAME_HEAD);
            return true;
        }
    }
    srv_put_head(&s->out, 0, code, 0);
    return false;
}

/* ---- faults ---- */

static void
answer_code(srv_session *s, srv_class which, uint8_t code)
{
    aero_admin head = {.result = code};
    size_t mark;

    if (which == SRV_CLASS_INFO) {
        mark = aero_frame_open(&s->out, AERO_FRAME_INFO);
        aero_buf_printf(&s->out, "ERROR:%u:fault\n", code);
        aero_frame_close(&s->out, mark);
    }
    else if (which == SRV_CLASS_ADMIN) {
        mark = aero_frame_open(&s->out, AERO_FRAME_ADMIN);
        aero_admin_put(&s->out, &head);
        aero_frame_close(&s->out, mark);
    }
    else {
        srv_put_head(&s->out, which == SRV_CLASS_BATCH ? AERO_INFO3_LAST : 0,
                     code, 0);
    }
}

/* False: the connection ends. */
static bool
spoil(srv_session *s, const srv_fault *fault)
{
    switch (fault->kind) {
    case SRV_FAULT_DROP_AFTER:
        return false;
    case SRV_FAULT_GARBAGE:
        s->out.len = 0;
        for (uint32_t i = 0; i < fault->bytes; i++) {
            aero_buf_put_u8(&s->out, (uint8_t)(0xff - i * GARBAGE_STEP));
        }
        return true;
    default:
        s->may_send = fault->bytes;
        s->cut_stalls = fault->kind == SRV_FAULT_STALL;
        return fault->bytes != 0 || s->cut_stalls;
    }
}

static void
log_class(srv_session *s, srv_class which)
{
    if ((s->logged & 1U << which) == 0) {
        s->logged |= 1U << which;
        srv_log(s->server, "%s: %s", s->from, srv_class_name(which));
    }
}

/* A delay keeps the request where it is; it comes here again. */
static bool
must_wait(srv_session *s, srv_class which, aero_span ns)
{
    const srv_fault *fault;

    if (s->delayed) {
        s->delayed = false;
        return false;
    }
    fault = srv_faults_strike(&s->server->faults, 1U << SRV_FAULT_DELAY,
                              s->node, which, ns);
    if (fault == NULL || fault->ms == 0) {
        return false;
    }
    s->delayed = true;
    srv_session_pause(s, SRV_PAUSE_DELAY, fault->ms);
    return true;
}

/* Of an answer that comes in pieces the first is what a fault spoils. */
static bool
step_once(srv_session *s)
{
    uint32_t wait_ms;
    aero_rc rc;

    if (s->stream == NULL) {
        return true;
    }
    rc = s->stream->step(s->stream, &s->out, &wait_ms);
    if (rc == AERO_OK) {
        s->stream->close(s->stream);
        s->stream = NULL;
    }
    return rc != AERO_ERROR;
}

bool
srv_session_answer(srv_session *s, const aero_frame *frame, aero_span body)
{
    srv_faults *faults = &s->server->faults;
    aero_frame inner = *frame;
    aero_span ns = {NULL, 0};
    const srv_fault *fault = NULL;
    srv_class which;

    if (frame->type == AERO_FRAME_COMPRESSED && !unpack(s, &inner, &body)) {
        return true;
    }
    which = classify(&inner, body, &ns);
    if (faults->first != NULL) {
        if (must_wait(s, which, ns)) {
            return true;
        }
        fault = srv_faults_strike(faults, BEFORE, s->node, which, ns);
    }
    s->server->core.cluster.nodes[s->node].requests[which]++;
    log_class(s, which);
    if (fault != NULL) {
        answer_code(s, which, fault->code);
        return fault->kind == SRV_FAULT_CODE;
    }
    answer(s, &inner, body);
    fault = faults->first == NULL
                ? NULL
                : srv_faults_strike(faults, AFTER, s->node, which, ns);
    if (fault == NULL) {
        return true;
    }
    return step_once(s) && spoil(s, fault);
}
