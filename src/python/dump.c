/* What a connection has carried, as lines that people read: each frame taken
 * apart by the reader that takes replies apart.  For aerospike_py.debug.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "expr.h"

#include "aero/wire/admin.h"
#include "aero/wire/batch.h"
#include "aero/wire/cdt.h"
#include "aero/wire/reader.h"

typedef struct Dump {
    aero_buf *out;
    const char *indent;
} Dump;

static bool dump_frame(aero_span *in, const char *indent, aero_buf *out,
                       aero_status *st);

/* ---- values ---- */

static void
put_particle(uint8_t type, aero_span bytes, aero_buf *out)
{
    size_t from = out->len;
    int64_t number;

    switch (type) {
    case AERO_PARTICLE_NIL:
        return;
    case AERO_PARTICLE_INTEGER:
        if (aero_integer_take(bytes, &number)) {
            aero_buf_printf(out, "%lld", (long long)number);
            return;
        }
        break;
    case AERO_PARTICLE_FLOAT:
        if (bytes.len == 8) {
            aero_buf_printf(out, "%.17g", aero_get_f64(bytes.ptr));
            return;
        }
        break;
    case AERO_PARTICLE_BOOL:
        if (bytes.len == 1) {
            aero_buf_put_str(out, bytes.ptr[0] != 0 ? "true" : "false");
            return;
        }
        break;
    case AERO_PARTICLE_STRING:
        expr_show_text(bytes, out);
        return;
    case AERO_PARTICLE_LIST:
    case AERO_PARTICLE_MAP:
        if (expr_show_value(bytes, out)) {
            return;
        }
        out->len = from;
        break;
    default:
        break;
    }
    expr_show_blob(bytes, out);
}

/* The operation's name where its value is [code, argument, ...]. */
static void
put_call(aero_span value, aero_buf *out)
{
    size_t from = out->len;
    aero_span in = value;
    aero_token list;
    aero_token code;
    const aero_cdt_row *row = NULL;

    if (aero_token_take(&in, &list) && list.kind == AERO_TOKEN_LIST &&
        aero_token_take(&in, &code) && code.kind == AERO_TOKEN_INT &&
        code.number >= 0) {
        row = aero_cdt_row_of((uint64_t)code.number);
    }
    if (row != NULL) {
        aero_buf_printf(out, "%s ", row->name);
    }
    if (!expr_show_value(value, out)) {
        out->len = from;
        expr_show_blob(value, out);
    }
}

/* ---- messages ---- */

static void
put_bits(const aero_msg *msg, aero_buf *out)
{
    const uint8_t bytes[] = {0, msg->info1, msg->info2, msg->info3,
                             msg->info4};

#define INFO_BIT(byte, name, bit, text)                                       \
    if ((bytes[byte] & (bit)) != 0) {                                         \
        aero_buf_printf(out, ", %s", text);                                   \
    }
#include "aero/wire/tables/info_bits.def"
#undef INFO_BIT
}

static aero_rc
on_message(void *ctx, const aero_msg *msg, aero_status *Py_UNUSED(st))
{
    const Dump *dump = ctx;

    aero_buf_printf(dump->out, "%smessage, result %u (%s)", dump->indent,
                    msg->result, aero_result_text(msg->result));
    put_bits(msg, dump->out);
    aero_buf_printf(dump->out,
                    "\n%s  generation %u, ttl %u, budget or row %u, %u "
                    "fields, %u operations\n",
                    dump->indent, msg->generation, msg->ttl, msg->budget,
                    msg->n_fields, msg->n_ops);
    return AERO_OK;
}

static bool put_rows(const Dump *dump, aero_span in, aero_status *st);

static void
put_field(const aero_field *field, aero_buf *out)
{
    size_t from = out->len;
    aero_span data = field->data;

    switch (field->type) {
    case AERO_FIELD_NAMESPACE:
    case AERO_FIELD_SET:
    case AERO_FIELD_INDEX_NAME:
    case AERO_FIELD_UDF_PACKAGE:
    case AERO_FIELD_UDF_FUNCTION:
        expr_show_text(data, out);
        return;
    case AERO_FIELD_KEY:
        if (data.len != 0) {
            put_particle(data.ptr[0], aero_span_skip(data, 1), out);
        }
        return;
    case AERO_FIELD_SOCKET_TIMEOUT:
    case AERO_FIELD_RECORDS_PER_SECOND:
    case AERO_FIELD_MAX_RECORDS:
        put_particle(AERO_PARTICLE_INTEGER, data, out);
        return;
    case AERO_FIELD_FILTER:
        if (expr_show(data, out)) {
            return;
        }
        break;
    case AERO_FIELD_UDF_ARGS:
        if (expr_show_value(data, out)) {
            return;
        }
        break;
    default:
        break;
    }
    out->len = from;
    expr_show_blob(data, out);
}

static aero_rc
on_field(void *ctx, const aero_field *field, aero_status *st)
{
    const Dump *dump = ctx;

    aero_buf_printf(dump->out, "%s  field %s: ", dump->indent,
                    aero_field_text(field->type));
    if (field->type == AERO_FIELD_BATCH ||
        field->type == AERO_FIELD_BATCH_SET) {
        return put_rows(dump, field->data, st) ? AERO_OK : AERO_ERROR;
    }
    put_field(field, dump->out);
    aero_buf_put_u8(dump->out, '\n');
    return AERO_OK;
}

static aero_rc
on_op(void *ctx, const aero_op *op, aero_status *Py_UNUSED(st))
{
    const Dump *dump = ctx;
    bool is_call = op->op == AERO_OP_CDT_READ || op->op == AERO_OP_CDT_MODIFY;

    aero_buf_printf(dump->out, "%s  operation %s ", dump->indent,
                    aero_op_text(op->op));
    expr_show_text(op->name, dump->out);
    aero_buf_printf(dump->out, ", %s%s", aero_particle_text(op->particle),
                    op->particle == AERO_PARTICLE_NIL ? "" : ": ");
    if (is_call && op->particle == AERO_PARTICLE_BLOB) {
        put_call(op->value, dump->out);
    }
    else {
        put_particle(op->particle, op->value, dump->out);
    }
    aero_buf_put_u8(dump->out, '\n');
    return AERO_OK;
}

/* ---- batches ---- */

static bool
put_row(const Dump *dump, aero_span *in, aero_status *st)
{
    aero_msg msg = {0};
    aero_batch_row row;

    if (!aero_batch_take_row(in, &row)) {
        return false;
    }
    aero_buf_printf(dump->out, "%s  row %u, digest ", dump->indent, row.index);
    expr_show_blob(aero_span_of(row.digest, AERO_DIGEST_SIZE), dump->out);
    if ((row.flags & AERO_ROW_REPEAT) != 0) {
        aero_buf_put_str(dump->out, ", as the one before\n");
        return true;
    }
    if (!aero_batch_take_head(in, row.flags, &msg)) {
        return false;
    }
    put_bits(&msg, dump->out);
    aero_buf_printf(dump->out, ", generation %u, ttl %u\n", msg.generation,
                    msg.ttl);
    for (unsigned i = 0; i < msg.n_fields; i++) {
        aero_field field;

        if (aero_field_take(in, &field, st) != AERO_OK) {
            return false;
        }
        aero_buf_printf(dump->out, "%s    field %s: ", dump->indent,
                        aero_field_text(field.type));
        put_field(&field, dump->out);
        aero_buf_put_u8(dump->out, '\n');
    }
    for (unsigned i = 0; i < msg.n_ops; i++) {
        aero_op op;

        if (aero_op_take(in, &op, st) != AERO_OK) {
            return false;
        }
        aero_buf_put_str(dump->out, "  ");
        on_op((void *)dump, &op, st);
    }
    return true;
}

static bool
put_rows(const Dump *dump, aero_span in, aero_status *st)
{
    uint32_t count;
    uint8_t flags;

    if (!aero_batch_take(&in, &count, &flags)) {
        aero_fail(st, AERO_ERR_CLIENT, "batch of %zu bytes is cut", in.len);
        return false;
    }
    aero_buf_printf(dump->out, "%u rows, flags 0x%02x\n", count, flags);
    for (uint32_t i = 0; i < count; i++) {
        if (!put_row(dump, &in, st)) {
            aero_fail(st, AERO_ERR_CLIENT, "row %u of %u is cut", i, count);
            return false;
        }
    }
    return true;
}

/* ---- users and roles ---- */

static const char *
admin_command(int code)
{
    switch (code) {
#define ADMIN_COMMAND(name, code)                                             \
    case code:                                                                \
        return #name;
#define ADMIN_FIELD(name, code)
#define PRIVILEGE(name, code, text, scoped)
#include "aero/wire/tables/admin.def"
#undef ADMIN_COMMAND
#undef ADMIN_FIELD
    default:
        return "unknown command";
    }
}

static const char *
admin_field(int code)
{
    switch (code) {
#define ADMIN_COMMAND(name, code)
#define ADMIN_FIELD(name, code)                                               \
    case code:                                                                \
        return #name;
#include "aero/wire/tables/admin.def"
#undef ADMIN_COMMAND
#undef ADMIN_FIELD
#undef PRIVILEGE
    default:
        return "unknown field";
    }
}

static bool
is_secret(int code)
{
    return code >= AERO_ADMIN_FIELD_PASSWORD &&
           code <= AERO_ADMIN_FIELD_SESSION_TOKEN;
}

static void
put_admin_field(const aero_field *field, aero_buf *out)
{
    if (is_secret(field->type)) {
        aero_buf_printf(out, "%zu bytes that are not shown", field->data.len);
        return;
    }
    switch (field->type) {
    case AERO_ADMIN_FIELD_SESSION_TTL:
    case AERO_ADMIN_FIELD_READ_QUOTA:
    case AERO_ADMIN_FIELD_WRITE_QUOTA:
    case AERO_ADMIN_FIELD_CONNECTIONS:
        put_particle(AERO_PARTICLE_INTEGER, field->data, out);
        return;
    default:
        expr_show_text(field->data, out);
    }
}

static bool
put_admin(const char *indent, aero_span body, aero_buf *out, aero_status *st)
{
    while (body.len != 0) {
        aero_admin admin;

        if (aero_admin_take(&body, &admin, st) != AERO_OK) {
            return false;
        }
        aero_buf_printf(out, "%sadmin %s, result %u (%s), %u fields\n", indent,
                        admin_command(admin.command), admin.result,
                        aero_result_text(admin.result), admin.n_fields);
        for (unsigned i = 0; i < admin.n_fields; i++) {
            aero_field field;

            if (aero_admin_take_field(&body, &field, st) != AERO_OK) {
                return false;
            }
            aero_buf_printf(out, "%s  field %s: ", indent,
                            admin_field(field.type));
            put_admin_field(&field, out);
            aero_buf_put_u8(out, '\n');
        }
    }
    return true;
}

/* ---- frames ---- */

static void
put_info(const char *indent, aero_span body, aero_buf *out)
{
    while (body.len != 0) {
        const uint8_t *end = memchr(body.ptr, '\n', body.len);
        size_t len = end == NULL ? body.len : (size_t)(end - body.ptr);

        aero_buf_printf(out, "%sinfo ", indent);
        expr_show_text(aero_span_of(body.ptr, len), out);
        aero_buf_put_u8(out, '\n');
        body = aero_span_skip(body, end == NULL ? len : len + 1);
    }
}

static bool
put_inflated(aero_span body, aero_buf *out, aero_status *st)
{
    aero_buf inner = AERO_BUF_INIT;
    aero_span in;
    bool fine = aero_frame_inflate(body, &inner, st) == AERO_OK;

    in = aero_buf_span(&inner);
    fine = fine && dump_frame(&in, "    ", out, st);
    aero_buf_fini(&inner);
    return fine;
}

static bool
dump_frame(aero_span *in, const char *indent, aero_buf *out, aero_status *st)
{
    static const aero_sink sink = {on_message, on_field, on_op, NULL};
    static const char *const types[] = {"", "info", "admin", "message",
                                        "compressed"};
    Dump dump = {out, indent};
    aero_frame frame;
    aero_span body;
    aero_rc rc = aero_frame_take(in, &frame, &body, st);

    if (rc != AERO_OK) {
        if (rc == AERO_MORE) {
            aero_fail(st, AERO_ERR_CLIENT, "the frame is cut");
        }
        return false;
    }
    aero_buf_printf(out, "%sframe of %u bytes, %s\n", indent + 2, frame.size,
                    types[frame.type]);
    switch ((aero_frame_type)frame.type) {
    case AERO_FRAME_INFO:
        put_info(indent, body, out);
        return true;
    case AERO_FRAME_ADMIN:
        return put_admin(indent, body, out, st);
    case AERO_FRAME_MESSAGE:
        return aero_reader_body(body, &sink, &dump, st) == AERO_OK;
    case AERO_FRAME_COMPRESSED:
        break;
    }
    return put_inflated(body, out, st);
}

const char dump_doc[] =
    "dump($module, data, /)\n--\n\n"
    "The frames in `data` as text, and what was wrong with them, or None.";

PyObject *
module_dump(PyObject *Py_UNUSED(module), PyObject *data)
{
    aero_buf out = AERO_BUF_INIT;
    PyObject *result = NULL;
    aero_status st;
    Py_buffer view;
    aero_span in;
    bool fine = true;

    if (PyObject_GetBuffer(data, &view, PyBUF_SIMPLE) < 0) {
        return NULL;
    }
    aero_status_clear(&st);
    in = aero_span_of(view.buf, (size_t)view.len);
    while (fine && in.len != 0) {
        fine = dump_frame(&in, "  ", &out, &st);
    }
    if (out.failed) {
        PyErr_NoMemory();
    }
    else {
        result = Py_BuildValue(
            "NN",
            PyUnicode_DecodeUTF8(out.len == 0 ? "" : (const char *)out.ptr,
                                 (Py_ssize_t)out.len, "backslashreplace"),
            fine ? Py_NewRef(Py_None) : PyUnicode_FromString(st.text));
    }
    aero_buf_fini(&out);
    PyBuffer_Release(&view);
    return result;
}
