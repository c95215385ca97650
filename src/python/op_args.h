/* Arguments of operations, between the rows and the bytes.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_PYTHON_OP_ARGS_H
#define AERO_PYTHON_OP_ARGS_H

#include "encode.h"

typedef enum ArgKind {
    ARG_END_OF_ROW,
    ARG_VALUE,
    ARG_LOOKUP,
    ARG_KEY,
    ARG_INT,
    ARG_COUNT,
    ARG_LIST,
    ARG_ITEMS,
    ARG_RETURN,
    ARG_BEGIN,
    ARG_END,
    ARG_END_NIL,
    ARG_LIST_POLICY,
    ARG_LIST_FLAGS,
    ARG_MAP_POLICY,
    ARG_MAP_ORDER,
    ARG_MAP_TYPE,
    ARG_ORDER,
    ARG_SORT,
    ARG_CREATE_LIST,
    ARG_CREATE_MAP,
    ARG_BYTES,
    ARG_TRUTH,
    ARG_BIT_FLAGS,
    ARG_BIT_ACTION,
    ARG_SIGNED,
    ARG_RESIZE,
    ARG_B64_RANGE,
    ARG_BITS_OR_NONE,
    ARG_HLL_FLAGS,
    ARG_TEXT,
    ARG_TEXTS,
    ARG_OPT_TEXT,
    ARG_OPT_INT,
    ARG_PAIR,
    ARG_STR_FLAGS,
    ARG_STR_FLAGS_IF
} ArgKind;

/* One argument, and the names of its entries. */
typedef struct OpArg {
    uint8_t name;  /* EntryName */
    uint8_t other; /* ENTRY_NONE: no second name */
    uint8_t kind;
} OpArg;

/* What one operation's encoding knows. */
typedef struct OpIn {
    const Encoder *enc;
    const Place *place;
    const Entries *entries;
    PyObject *ctx;   /* borrowed; NULL: none */
    uint32_t create; /* flags that the context's last step shall get */
    bool quoted;     /* inside an expression: lists are quoted */
    bool pair_ends;  /* the end before STR_FLAGS_IF was given */
    aero_buf *out;
} OpIn;

/* The name of an argument's entry. */
static inline PyObject *
entry_name(const OpIn *in, uint8_t name)
{
    return entry_text(in->enc->state, (EntryName)name);
}

/* The entry of an argument (borrowed); NULL: absent. */
static inline PyObject *
entry_of(const OpIn *in, const OpArg *arg)
{
    PyObject *value = in->entries->at[arg->name];

    return value == NULL && arg->other != ENTRY_NONE
               ? in->entries->at[arg->other]
               : value;
}

/* The same, but absent is an exception. */
PyObject *entry_required(const OpIn *in, const OpArg *arg);
/* An exception about the entry `name`; `fmt` has one %s for it. */
int entry_fail(const OpIn *in, exc_id id, const char *fmt, PyObject *name);
int entry_missing(const OpIn *in, const OpArg *arg);
/* An exact integer of the entry `name`. */
int entry_integer(const OpIn *in, PyObject *value, PyObject *name,
                  int64_t *out);
/* True or false and nothing else; absent (NULL) is false. */
int entry_flag(const OpIn *in, PyObject *value, PyObject *name, bool *out);
/* An entry of a policy; 0 when it is absent or None. */
int entry_policy_number(const OpIn *in, PyObject *policy, PyObject *name,
                        PyObject *other, int64_t *out);

/* Append the argument: how many elements it became (0 for one that is left
 * out), or -1. */
int op_arg_put(OpIn *in, const OpArg *arg);
/* Those of bits, sketches and strings. */
int op_arg_put_more(OpIn *in, const OpArg *arg);
int op_put_integer(const OpIn *in, const OpArg *arg, bool optional);
int op_put_number_or(const OpIn *in, const OpArg *arg, int64_t number);

#endif
