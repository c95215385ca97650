/* Servers with a module "m.lua", and calls of its functions on records of set
 * "s".
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_TESTS_SERVER_SCRIPT_H
#define AERO_TESTS_SERVER_SCRIPT_H

#include "aero/base/b64.h"
#include "kit.h"

static inline bool
script_put(kit *k, const char *source)
{
    aero_buf content = AERO_BUF_INIT;
    aero_buf line = AERO_BUF_INIT;
    bool good;

    aero_b64_put(&content, aero_span_str(source));
    aero_buf_printf(
        &line, "udf-put:filename=m.lua;content-len=%zu;content=", content.len);
    aero_buf_put_span(&line, aero_buf_span(&content));
    aero_buf_put_str(&line, ";udf-type=LUA;");
    aero_buf_put_u8(&line, 0);
    good = strcmp(kit_info(k, (const char *)line.ptr), "ok") == 0;
    aero_buf_fini(&content);
    aero_buf_fini(&line);
    return good;
}

static inline bool
script_open(kit *k, const char *source)
{
    return kit_open(k) && script_put(k, source);
}

/* ---- calls ---- */

static inline void
script_begin_args(kit *k, const char *function, int64_t number, aero_span args)
{
    kit_begin(k, 0, AERO_INFO2_WRITE, 0);
    kit_key(k, "s", number);
    kit_field(k, AERO_FIELD_UDF_PACKAGE, aero_span_str("m"));
    kit_field(k, AERO_FIELD_UDF_FUNCTION, aero_span_str(function));
    kit_field(k, AERO_FIELD_UDF_ARGS, args);
}

static inline void
script_begin(kit *k, const char *function, int64_t number)
{
    script_begin_args(k, function, number, aero_span_of("\x90", 1));
}

static inline int
script_apply(kit *k, const char *function, int64_t number)
{
    script_begin(k, function, number);
    return kit_send(k);
}

/* With a small number for argument. */
static inline int
script_apply_int(kit *k, const char *function, int64_t number, uint8_t arg)
{
    const uint8_t args[] = {0x91, arg};

    script_begin_args(k, function, number, aero_span_of(args, 2));
    return kit_send(k);
}

/* ---- answers ---- */

static inline bool
script_op(const kit *k, aero_op *op)
{
    aero_span in = aero_buf_span(&k->out);
    aero_msg msg;

    in = aero_span_skip(in, AERO_FRAME_HEAD);
    return aero_msg_take(&in, &msg, NULL) == AERO_OK && msg.n_ops == 1 &&
           aero_op_take(&in, op, NULL) == AERO_OK;
}

/* "SUCCESS 01 0000000000000005": name, particle type, value. */
static inline const char *
script_answer(const kit *k)
{
    static char text[256];
    aero_op op;
    int len;

    if (!script_op(k, &op)) {
        return "(no answer)";
    }
    len = snprintf(text, sizeof text, "%.*s %02x ", (int)op.name.len,
                   (const char *)op.name.ptr, op.particle);
    for (size_t i = 0; i < op.value.len && i < 100; i++) {
        len += snprintf(text + len, sizeof text - (size_t)len, "%02x",
                        op.value.ptr[i]);
    }
    return text;
}

static inline const char *
script_failure(const kit *k)
{
    static char text[4096];
    aero_op op;

    if (!script_op(k, &op) || !aero_span_is(op.name, "FAILURE")) {
        return "(no failure)";
    }
    snprintf(text, sizeof text, "%.*s", (int)op.value.len,
             (const char *)op.value.ptr);
    return text;
}

#endif
