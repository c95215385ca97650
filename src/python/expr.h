/* Expressions on their way to bytes: what the two spellings share.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_PYTHON_EXPR_H
#define AERO_PYTHON_EXPR_H

#include "encode.h"

#include "aero/wire/exp.h"

/* One expression while it is packed. */
typedef struct ExprOut {
    const Encoder *enc;
    aero_buf *out;
    int depth;
    bool compiled_only; /* the strict face takes no bare objects */
} ExprOut;

/* An operand in any form: a dict of `exp`, an object of the helpers, an
 * Expression, or a plain value. */
int expr_operand(ExprOut *to, PyObject *value);
/* A plain value; lists are quoted. */
int expr_literal(ExprOut *to, PyObject *value);
/* A name as it stands in an expression. */
int expr_name(ExprOut *to, PyObject *name, const char *what, size_t most);
/* Enter and leave one level. */
int expr_enter(ExprOut *to);
void expr_leave(ExprOut *to);

/* A dict with an __expr__ entry. */
int expr_put_dict(ExprOut *to, PyObject *dict);

/* The helpers' compiled list of 4-tuples. */
int expr_put_flat(ExprOut *to, PyObject *list);
/* An object of the helpers; 0: it is none, 1: it was put, -1. */
int expr_put_object(ExprOut *to, PyObject *value);

/* Append readable text of packed bytes: an expression, a value; false where
 * they are none.  And of bytes, the first of many, and of a str. */
bool expr_show(aero_span packed, aero_buf *out);
bool expr_show_value(aero_span packed, aero_buf *out);
void expr_show_blob(aero_span bytes, aero_buf *out);
void expr_show_text(aero_span text, aero_buf *out);

/* The bytes of an Expression object; false: it is none. */
bool expression_packed(ModState *state, PyObject *value, aero_span *packed);

#endif
