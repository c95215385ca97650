/* Which kind of message it is.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "command.h"
#include "security.h"
#include "serve.h"
#include "aero/wire/frame.h"

enum {
    COMPRESS_FROM = 128 /* bytes; smaller answers are not worth it */
};

void
srv_put_head(aero_buf *out, uint8_t info3, int code, uint32_t generation)
{
    aero_msg head = {0};
    size_t mark = aero_frame_open(out, AERO_FRAME_MESSAGE);

    head.info3 = info3;
    head.result = (uint8_t)code;
    head.generation = generation;
    aero_msg_put(out, &head);
    aero_frame_close(out, mark);
}

void
srv_close_data(aero_buf *out, size_t mark, bool compress)
{
    aero_frame_close(out, mark);
    if (compress && out->len - mark > COMPRESS_FROM) {
        aero_frame_deflate(out, mark);
    }
}

static void
run_single(const srv_call *call, const srv_req *req, aero_buf *out)
{
    size_t mark = aero_frame_open(out, AERO_FRAME_MESSAGE);
    srv_cmd cmd = {0};

    cmd.core = call->core;
    cmd.node = call->node;
    cmd.who = call->who;
    cmd.req = req;
    cmd.out = out;
    srv_cmd_run(&cmd);
    srv_close_data(out, mark, srv_may_compress(call->core, &req->msg));
    aero_arena_reset(&call->core->arena);
}

srv_stream *
srv_serve(const srv_call *call, aero_span body, aero_buf *out)
{
    srv_req req;
    int code;

    /* The bits of a body shorter than a head are looked at all the same. */
    if (body.len > 1 && (body.ptr[1] & AERO_INFO1_BATCH) != 0) {
        return srv_batch_open(call, body, out);
    }
    if (!srv_req_take(&req, body)) {
        call->node->malformed++;
        srv_put_head(out, 0, AERO_ERR_REQUEST_INVALID, 0);
        return NULL;
    }
    code = srv_security_check_login(call->core, call->who);
    if (code != AERO_ERR_OK) {
        srv_put_head(out, 0, code, 0);
        return NULL;
    }
    if (!srv_req_has(&req, AERO_FIELD_DIGEST)) {
        return srv_query_open(call, &req, out);
    }
    run_single(call, &req, out);
    return NULL;
}
