/* Operations, contexts and expressions: dicts and helper objects to bytes.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_PYTHON_ENCODE_H
#define AERO_PYTHON_ENCODE_H

#include "entries.h"
#include "errors.h"
#include "value.h"

#include "aero/wire/msg.h"

enum {
    AERO_OP_SHIFT = 100000,  /* of the helpers' codes on the main face */
    EXPRESSION_MAX = 1 << 20 /* bytes that a server takes */
};

/* Where an argument stands: for what an exception says. */
typedef struct Place {
    Py_ssize_t index; /* in the list of operations; -1: not in one */
    const char *what; /* the operation; NULL: not known yet */
} Place;

/* An exception that begins with the place.  Always -1. */
int place_fail(const Encoder *enc, const Place *place, exc_id id,
               const char *fmt, ...);

/* Say the place and the argument `name` with the exception that is set, unless
 * it says its place already.  Always -1. */
int place_add(const Encoder *enc, const Place *place, PyObject *name);

/* ---- contexts ---- */

/* Append a list of cdt_ctx steps as the array of types and values; the last
 * type gets the flags `create` too. */
int ctx_pack(const Encoder *enc, const Place *place, PyObject *ctx,
             uint32_t create, aero_buf *out);

/* Whether the list's first step is one into a list; -1 with an exception. */
int ctx_begins_with_list(const Encoder *enc, PyObject *ctx);

/* ---- operations ---- */

typedef struct DataOp DataOp;

int data_op_setup(ModState *state);

/* The row of a code, by the numbers of the face; NULL: there is none.
 * Helpers' codes work on every face. */
const DataOp *data_op_find(const Face *face, long code);

/* Whether it wants every operation of its message to answer, as the official
 * client does for all but lists. */
bool data_op_answers(const DataOp *op);

/* Append the operation of a dict with these entries.  Gives which operation it
 * became. */
int data_op_put(const Encoder *enc, Place *place, const DataOp *op,
                const Entries *entries, aero_span bin, aero_buf *out,
                uint8_t *type);

/* Paths into lists and maps, and expressions. */
typedef enum SpecialOp {
    SPECIAL_NONE,
    SPECIAL_SELECT,
    SPECIAL_MODIFY,
    SPECIAL_EXPR_READ,
    SPECIAL_EXPR_WRITE
} SpecialOp;

SpecialOp special_op_find(const Face *face, long code);
int special_op_put(const Encoder *enc, Place *place, SpecialOp op,
                   const Entries *entries, aero_span bin, aero_buf *out,
                   uint8_t *type);

/* Order and flags of a list or map policy, 0 where they are not given. */
int op_policy_read(const Encoder *enc, const Place *place, PyObject *policy,
                   bool map, int64_t *order, int64_t *flags);

/* The bytes that operations are in a message. */
PyObject *ops_bytes(ModState *state, const Face *face, PyObject *list);

/* ---- expressions ---- */

/* Append an expression in any of its forms: a dict of `exp`, an object or a
 * compiled list of the helpers, an Expression. */
int expr_pack(const Encoder *enc, PyObject *expr, aero_buf *out);
/* The same where the strict face takes objects that are not compiled too. */
int expr_pack_any(const Encoder *enc, PyObject *expr, aero_buf *out);
int expr_setup(ModState *state);

/* The wire code and the system of a call by the helpers' code. */
bool data_op_call(long code, uint8_t *system, uint8_t *wire);
/* The array of a string operation, from an expression's dict. */
int data_op_string_array(const Encoder *enc, const Place *place, long code,
                         PyObject *dict, aero_buf *out);

/* A new Expression. */
PyObject *expression_compile(ModState *state, const Face *face,
                             PyObject *expr);
int expression_setup_type(PyObject *module);
int node_setup_type(PyObject *module);

#endif
