/* One request message, taken apart but not judged.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SRV_REQUEST_H
#define SRV_REQUEST_H

#include "aero/wire/msg.h"

enum {
    SRV_FIELDS = 46 /* field types that have a name or a number below it */
};

typedef struct srv_req {
    aero_msg msg;
    uint64_t has;                /* one bit per field type */
    aero_span field[SRV_FIELDS]; /* the first of each type */
    aero_span ops;               /* of msg.n_ops operations, each whole */
} srv_req;

/* Take a whole body: false when it is no message or bytes are left over. */
bool srv_req_take(srv_req *req, aero_span body);
/* Take what stands behind a head that is in req->msg already. */
bool srv_req_take_fields(srv_req *req, aero_span *in);
bool srv_req_take_ops(srv_req *req, aero_span *in);

static inline bool
srv_req_has(const srv_req *req, aero_field_type type)
{
    return (req->has & UINT64_C(1) << type) != 0;
}

/* Empty when it is not there. */
static inline aero_span
srv_req_field(const srv_req *req, aero_field_type type)
{
    return srv_req_has(req, type) ? req->field[type] : aero_span_of(NULL, 0);
}

/* The next operation of `ops`; the request was taken, so it is whole. */
static inline bool
srv_op_next(aero_span *ops, aero_op *op)
{
    return ops->len != 0 && aero_op_take(ops, op, NULL) == AERO_OK;
}

#endif
