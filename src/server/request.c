/* Taking a request apart.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "request.h"

bool
srv_req_take_fields(srv_req *req, aero_span *in)
{
    req->has = 0;
    for (unsigned i = 0; i < req->msg.n_fields; i++) {
        aero_field field;

        if (aero_field_take(in, &field, NULL) != AERO_OK) {
            return false;
        }
        if (field.type < SRV_FIELDS && !srv_req_has(req, field.type)) {
            req->has |= UINT64_C(1) << field.type;
            req->field[field.type] = field.data;
        }
    }
    return true;
}

bool
srv_req_take_ops(srv_req *req, aero_span *in)
{
    const uint8_t *from = in->ptr;

    for (unsigned i = 0; i < req->msg.n_ops; i++) {
        aero_op op;

        if (aero_op_take(in, &op, NULL) != AERO_OK) {
            return false;
        }
    }
    req->ops = aero_span_of(from, (size_t)(in->ptr - from));
    return true;
}

bool
srv_req_take(srv_req *req, aero_span body)
{
    return aero_msg_take(&body, &req->msg, NULL) == AERO_OK &&
           srv_req_take_fields(req, &body) && srv_req_take_ops(req, &body) &&
           body.len == 0;
}
