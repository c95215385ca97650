/* Operations along paths, and expressions as operations.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>

#include "encode.h"

#include "aero/wire/cdt.h"

enum {
    OP_SELECT = 2,
    OP_MODIFY = 3,
    OP_EXPR_READ = 2200,
    OP_EXPR_WRITE = 2201
};

int
place_fail(const Encoder *enc, const Place *place, exc_id id, const char *fmt,
           ...)
{
    PyObject *text;
    va_list args;

    va_start(args, fmt);
    text = PyUnicode_FromFormatV(fmt, args);
    va_end(args);
    if (text == NULL) {
        return -1;
    }
    raise_error(enc->state, id, "%U", text);
    if (place != NULL && place->index >= 0) {
        errors_place(enc->state,
                     place->what == NULL ? "operation %zd"
                                         : "operation %zd, %s",
                     place->index, place->what);
    }
    Py_DECREF(text);
    return -1;
}

/* Whether the exception's text begins with `start` (taken). */
static bool
begins_with(PyObject *exc, PyObject *start)
{
    PyObject *text = start == NULL ? NULL : PyObject_Str(exc);
    bool found = text != NULL &&
                 PyUnicode_Tailmatch(text, start, 0, PY_SSIZE_T_MAX, -1) == 1;

    PyErr_Clear();
    Py_XDECREF(text);
    Py_XDECREF(start);
    return found;
}

int
place_add(const Encoder *enc, const Place *place, PyObject *name)
{
    PyObject *type;
    PyObject *exc;
    PyObject *trace;
    bool told;

    if (place->index < 0) {
        return -1;
    }
    PyErr_Fetch(&type, &exc, &trace);
    PyErr_NormalizeException(&type, &exc, &trace);
    told =
        begins_with(exc, PyUnicode_FromFormat("operation %zd", place->index));
    PyErr_Restore(type, exc, trace);
    if (told) {
        return -1;
    }
    if (place->what == NULL) {
        errors_place(enc->state, "operation %zd, %U", place->index, name);
    }
    else {
        errors_place(enc->state, "operation %zd, %s, %U", place->index,
                     place->what, name);
    }
    return -1;
}

SpecialOp
special_op_find(const Face *face, long code)
{
    if (code >= AERO_OP_SHIFT) {
        code -= AERO_OP_SHIFT;
    }
    else if (face->index == 0) {
        return SPECIAL_NONE;
    }
    switch (code) {
    case OP_SELECT:
        return SPECIAL_SELECT;
    case OP_MODIFY:
        return SPECIAL_MODIFY;
    case OP_EXPR_READ:
        return SPECIAL_EXPR_READ;
    case OP_EXPR_WRITE:
        return SPECIAL_EXPR_WRITE;
    default:
        return SPECIAL_NONE;
    }
}

/* An entry that must be there (borrowed). */
static PyObject *
entry(const Encoder *enc, const Place *place, const Entries *entries,
      EntryName name)
{
    PyObject *value = entries->at[name];

    if (value == NULL) {
        place_fail(enc, place, EXC_ParamValueError, "%U should be given",
                   entry_text(enc->state, name));
    }
    return value;
}

static int
read_flags(const Encoder *enc, const Place *place, const Entries *entries,
           EntryName name, int64_t *flags)
{
    PyObject *value = entry(enc, place, entries, name);

    if (value == NULL) {
        return -1;
    }
    if (!PyLong_Check(value)) {
        return place_fail(enc, place, EXC_ParamTypeError,
                          "%U must be an integer",
                          entry_text(enc->state, name));
    }
    return value_as_int64(enc->state, value, "flags", flags);
}

static int
put_path(const Encoder *enc, const Place *place, bool modify,
         const Entries *entries, aero_buf *out)
{
    PyObject *ctx = entry(enc, place, entries, ENTRY_ctx);
    PyObject *change;
    int64_t flags;

    if (ctx == NULL ||
        read_flags(enc, place, entries, ENTRY_cdt_flags, &flags) < 0) {
        return -1;
    }
    aero_pack_list(out, modify ? 4 : 3);
    aero_pack_int(out, AERO_CDT_PATH);
    if (ctx_pack(enc, place, ctx, 0, out) < 0) {
        return place_add(enc, place, enc->state->str_ctx);
    }
    aero_pack_int(out, flags | (modify ? AERO_PATH_APPLY : 0));
    if (!modify) {
        return 0;
    }
    change = entry(enc, place, entries, ENTRY_mod_exp);
    if (change != NULL && expr_pack_any(enc, change, out) < 0) {
        place_add(enc, place, enc->state->str_mod_exp);
        change = NULL;
    }
    return change == NULL ? -1 : 0;
}

static int
put_expression(const Encoder *enc, const Place *place, const Entries *entries,
               aero_buf *out)
{
    PyObject *expr = entry(enc, place, entries, ENTRY_expr);
    int64_t flags;

    if (expr == NULL ||
        read_flags(enc, place, entries, ENTRY_expr_flags, &flags) < 0) {
        return -1;
    }
    aero_pack_list(out, 2);
    if (expr_pack(enc, expr, out) < 0) {
        return place_add(enc, place, enc->state->str_expr);
    }
    aero_pack_int(out, flags);
    return 0;
}

int
special_op_put(const Encoder *enc, Place *place, SpecialOp op,
               const Entries *entries, aero_span bin, aero_buf *out,
               uint8_t *type)
{
    static const uint8_t types[] = {
        [SPECIAL_SELECT] = AERO_OP_CDT_READ,
        [SPECIAL_MODIFY] = AERO_OP_CDT_MODIFY,
        [SPECIAL_EXPR_READ] = AERO_OP_EXP_READ,
        [SPECIAL_EXPR_WRITE] = AERO_OP_EXP_MODIFY,
    };
    static const char *const names[] = {
        [SPECIAL_SELECT] = "select_by_path",
        [SPECIAL_MODIFY] = "modify_by_path",
        [SPECIAL_EXPR_READ] = "expression_read",
        [SPECIAL_EXPR_WRITE] = "expression_write",
    };
    size_t mark;
    int rc;

    place->what = names[op];
    *type = types[op];
    mark = aero_op_open(out, (aero_op_type)*type, AERO_PARTICLE_BLOB, bin);
    if (op == SPECIAL_SELECT || op == SPECIAL_MODIFY) {
        rc = put_path(enc, place, op == SPECIAL_MODIFY, entries, out);
    }
    else {
        rc = put_expression(enc, place, entries, out);
    }
    if (rc == 0) {
        aero_op_close(out, mark);
    }
    return rc;
}
