/* Nodes of the helpers' expressions while they are packed.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_PYTHON_EXPR_NODE_H
#define AERO_PYTHON_EXPR_NODE_H

#include "expr.h"

/* The helpers' numbers that are not those of the wire. */
enum {
    OP_LAST_UPDATE = 66,
    OP_VOID_TIME = 67,
    OP_TTL = 68,
    OP_SET_NAME = 69,
    OP_KEY_EXISTS = 70,
    OP_SINCE_UPDATE = 71,
    OP_BIN_EXISTS = 83,
    OP_DEF = 126,
    OP_VALUE = 128,
    OP_LIST_POLICY = 140,
    OP_LIST_FLAGS = 141,
    OP_MAP_POLICY = 142,
    OP_END = 150,
    OP_BIT_FLAGS = 153,
    OP_LITERAL = 200,
    OP_CALLS = 1000,
    OP_STRINGS = 1200,
    OP_TO_STRING = 1239,
    OP_LOOPVARS = 3000,
    OP_LOOPVARS_END = 3010,
    OP_SELECT_BY_PATH = 3010,
    OP_MODIFY_BY_PATH = 3011
};

/* One node.  In a flat list its children follow it. */
typedef struct ExprNode {
    long op;
    PyObject *rt;       /* owned */
    PyObject *fixed;    /* owned; None or a dict */
    PyObject *children; /* owned tuple; NULL: they follow in the flat list */
    Py_ssize_t count;
} ExprNode;

/* Where nodes come from. */
typedef struct ExprSource {
    ExprOut *to;
    PyObject *flat; /* NULL: objects */
    Py_ssize_t at;
} ExprSource;

void expr_node_fini(ExprNode *node);
/* The exception for a list or object that is no expression.  Always -1. */
int expr_malformed(const ExprSource *from);

/* Take the next node of a flat list. */
int expr_read_tuple(ExprSource *from, ExprNode *node);
/* 0: the object is no node; 1; -1. */
int expr_read_object(ModState *state, PyObject *value, ExprNode *node);

/* The same of an object that derives from Node. */
int node_read(ModState *state, PyObject *value, ExprNode *node);
/* The bytes such an object has kept; false: none, or it is another. */
bool node_packed(ModState *state, PyObject *value, aero_span *packed);
/* Let it keep them; others do not. */
int node_keep(ModState *state, PyObject *value, aero_span packed);

/* The fixed entry `name` of a node (borrowed); NULL: there is none, or an
 * exception is set. */
PyObject *expr_fixed(const ExprNode *node, PyObject *name);
int expr_fixed_int(const ExprSource *from, const ExprNode *node,
                   PyObject *name, int64_t *out);
/* A type as a number. */
int expr_type(const ExprSource *from, PyObject *value, int64_t *out);

int expr_put_node(ExprSource *from, const ExprNode *node);
/* The next child, whole. */
int expr_put_child(ExprSource *from, const ExprNode *node, Py_ssize_t i);

/* Operations on lists, maps, bits, sketches and strings. */
int expr_put_call(ExprSource *from, const ExprNode *node);
/* SelectByPath and ModifyByPath. */
int expr_put_path(ExprSource *from, const ExprNode *node);

#endif
