/* Operations on lists, maps, bits, sketches and strings: the rows of
 * data_ops.def to payloads.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "aero/wire/bits.h"
#include "aero/wire/cdt.h"
#include "aero/wire/exp.h"
#include "aero/wire/hll.h"
#include "aero/wire/text.h"
#include "op_args.h"

/* ---- the table ---- */

typedef enum Family {
    FAMILY_LIST,
    FAMILY_MAP,
    FAMILY_BITS,
    FAMILY_HLL,
    FAMILY_STRING
} Family;

struct DataOp {
    const char *name;
    const OpArg *args;
    uint8_t family;
    uint8_t wire;
};

#define ONE(kind, a)    {ENTRY_##a, ENTRY_NONE, ARG_##kind},
#define TWO(kind, a, b) {ENTRY_##a, ENTRY_##b, ARG_##kind},
#define NOTHING
#define VALUE(a)            ONE(VALUE, a)
#define LOOKUP(a)           ONE(LOOKUP, a)
#define KEY(a)              ONE(KEY, a)
#define KEY2(a, b)          TWO(KEY, a, b)
#define INT(a)              ONE(INT, a)
#define INT2(a, b)          TWO(INT, a, b)
#define COUNT(a)            ONE(COUNT, a)
#define COUNT2(a, b)        TWO(COUNT, a, b)
#define LIST(a)             ONE(LIST, a)
#define LIST2(a, b)         TWO(LIST, a, b)
#define ITEMS(a)            ONE(ITEMS, a)
#define RETURN              ONE(RETURN, return_type)
#define BEGIN(a)            ONE(BEGIN, a)
#define BEGIN2(a, b)        TWO(BEGIN, a, b)
#define END(a)              ONE(END, a)
#define END2(a, b)          TWO(END, a, b)
#define END_NIL(a)          ONE(END_NIL, a)
#define LIST_POLICY         ONE(LIST_POLICY, list_policy)
#define LIST_FLAGS          ONE(LIST_FLAGS, list_policy)
#define MAP_POLICY          ONE(MAP_POLICY, map_policy)
#define MAP_ORDER           ONE(MAP_ORDER, map_policy)
#define MAP_TYPE            ONE(MAP_TYPE, map_policy)
#define ORDER(a)            ONE(ORDER, a)
#define ORDER2(a, b)        TWO(ORDER, a, b)
#define SORT2(a, b)         TWO(SORT, a, b)
#define CREATE_LIST         ONE(CREATE_LIST, list_order)
#define CREATE_MAP          ONE(CREATE_MAP, map_order)
#define BYTES2(a, b)        TWO(BYTES, a, b)
#define TRUTH2(a, b)        TWO(TRUTH, a, b)
#define BIT_FLAGS           TWO(BIT_FLAGS, bit_policy, policy)
#define BIT_ACTION          ONE(BIT_ACTION, action)
#define SIGNED2(a, b)       TWO(SIGNED, a, b)
#define RESIZE(a)           ONE(RESIZE, a)
#define B64_RANGE           ONE(B64_RANGE, byte_offset)
#define BITS_OR_NONE(a)     ONE(BITS_OR_NONE, a)
#define BITS_OR_NONE2(a, b) TWO(BITS_OR_NONE, a, b)
#define HLL_FLAGS           ONE(HLL_FLAGS, hll_policy)
#define TEXT(a)             ONE(TEXT, a)
#define TEXT2(a, b)         TWO(TEXT, a, b)
#define TEXTS2(a, b)        TWO(TEXTS, a, b)
#define OPT_TEXT(a)         ONE(OPT_TEXT, a)
#define OPT_INT(a)          ONE(OPT_INT, a)
#define PAIR(a, b)          TWO(PAIR, a, b)
#define STR_FLAGS           TWO(STR_FLAGS, policy, str_policy)
#define STR_FLAGS_IF        TWO(STR_FLAGS_IF, policy, str_policy)

/* clang-format off */
#define ROW(id, family, wire, ...)                                            \
    static const OpArg args_##id[] = {__VA_ARGS__ {0, 0, ARG_END_OF_ROW}};    \
    static const DataOp row_##id = {#wire, args_##id, FAMILY_##family,        \
                                    AERO_##wire};
#define DATA_OP(family, main, official, wire, arguments)                      \
    ROW(official, family, wire, arguments)
#define MAIN_OP(family, main, wire, arguments)                                \
    ROW(main_##main, family, wire, arguments)
#define OFFICIAL_OP(family, official, wire, arguments)                        \
    ROW(official, family, wire, arguments)
#include "data_ops.def"
#undef DATA_OP
#undef MAIN_OP
#undef OFFICIAL_OP
/* clang-format on */

static const DataOp *
find_official(long code)
{
    switch (code) {
#define DATA_OP(family, main, official, wire, arguments)                      \
    case official:                                                            \
        return &row_##official;
#define MAIN_OP(family, main, wire, arguments)
#define OFFICIAL_OP(family, official, wire, arguments)                        \
    case official:                                                            \
        return &row_##official;
#include "data_ops.def"
#undef DATA_OP
#undef MAIN_OP
#undef OFFICIAL_OP
    default:
        return NULL;
    }
}

static const DataOp *
find_main(long code)
{
    switch (code) {
#define DATA_OP(family, main, official, wire, arguments)                      \
    case main:                                                                \
        return &row_##official;
#define MAIN_OP(family, main, wire, arguments)                                \
    case main:                                                                \
        return &row_main_##main;
#define OFFICIAL_OP(family, official, wire, arguments)
#include "data_ops.def"
#undef DATA_OP
#undef MAIN_OP
#undef OFFICIAL_OP
    default:
        return NULL;
    }
}

/* Add the names of all entries of a row. */
static int
add_entries(ModState *state, const DataOp *op)
{
    for (const OpArg *arg = op->args; arg->kind != ARG_END_OF_ROW; arg++) {
        if (entries_know(state, (EntryName)arg->name) < 0 ||
            (arg->other != ENTRY_NONE &&
             entries_know(state, (EntryName)arg->other) < 0)) {
            return -1;
        }
    }
    return 0;
}

int
data_op_setup(ModState *state)
{
    static const DataOp *const all[] = {
#define DATA_OP(family, main, official, wire, arguments) &row_##official,
#define MAIN_OP(family, main, wire, arguments)           &row_main_##main,
#define OFFICIAL_OP(family, official, wire, arguments)   &row_##official,
#include "data_ops.def"
#undef DATA_OP
#undef MAIN_OP
#undef OFFICIAL_OP
    };
    static const uint8_t more[] = {ENTRY_op,        ENTRY_bin,
                                   ENTRY_val,       ENTRY_key,
                                   ENTRY_ctx,       ENTRY_inverted,
                                   ENTRY_sign,      ENTRY_signed,
                                   ENTRY_pad,       ENTRY_persist_index,
                                   ENTRY_byte_size, ENTRY_invert_size,
                                   ENTRY_cdt_flags, ENTRY_value_byte_size,
                                   ENTRY_mod_exp,   ENTRY_expr,
                                   ENTRY_expr_flags};

    state->op_entries = PyDict_New();
    if (state->op_entries == NULL) {
        return -1;
    }
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        if (add_entries(state, all[i]) < 0) {
            return -1;
        }
    }
    for (size_t i = 0; i < sizeof more / sizeof more[0]; i++) {
        if (entries_know(state, (EntryName)more[i]) < 0) {
            return -1;
        }
    }
    return 0;
}

const DataOp *
data_op_find(const Face *face, long code)
{
    if (code >= AERO_OP_SHIFT) {
        return find_official(code - AERO_OP_SHIFT);
    }
    return face->index == 1 ? find_official(code) : find_main(code);
}

bool
data_op_answers(const DataOp *op)
{
    return op->family != FAMILY_LIST;
}

/* ---- one operation ---- */

/* The flags that the last step of a context gets from an operation that
 * creates a container. */
static int
read_create(OpIn *in, const DataOp *op)
{
    bool list = op->args[0].kind == ARG_CREATE_LIST;
    PyObject *order;
    long number = 0;

    if (!list && op->args[0].kind != ARG_CREATE_MAP) {
        return 0;
    }
    order = in->entries->at[list ? ENTRY_list_order : ENTRY_map_order];
    if (order != NULL && PyLong_Check(order)) {
        number = PyLong_AsLong(order);
        if (number == -1 && PyErr_Occurred()) {
            return -1;
        }
    }
    if (number == 0) {
        in->create = list && in->entries->at[ENTRY_pad] == Py_True
                         ? AERO_STEP_CREATE_PADDED
                         : AERO_STEP_CREATE_UNORDERED;
    }
    else {
        in->create = number == 1 && !list ? AERO_STEP_CREATE_K_ORDERED
                                          : AERO_STEP_CREATE_ORDERED;
    }
    return 0;
}

/* [code, argument, ...] */
static int
put_array(OpIn *in, const DataOp *op)
{
    size_t head = in->out->len;
    int count = 1;

    aero_pack_list(in->out, 0);
    aero_pack_int(in->out, op->wire);
    for (const OpArg *arg = op->args; arg->kind != ARG_END_OF_ROW; arg++) {
        int more = op_arg_put(in, arg);

        if (more < 0) {
            return place_add(in->enc, in->place, entry_name(in, arg->name));
        }
        count += more;
    }
    aero_list_patch(in->out, head, (uint8_t)count);
    return 0;
}

static uint8_t
message_op(const DataOp *op)
{
    switch ((Family)op->family) {
    case FAMILY_LIST:
    case FAMILY_MAP:
        return aero_cdt_row_of(op->wire)->modifies ? AERO_OP_CDT_MODIFY
                                                   : AERO_OP_CDT_READ;
    case FAMILY_BITS:
        return op->wire < AERO_BIT_GET ? AERO_OP_BITS_MODIFY
                                       : AERO_OP_BITS_READ;
    case FAMILY_HLL:
        return op->wire < AERO_HLL_COUNT ? AERO_OP_HLL_MODIFY
                                         : AERO_OP_HLL_READ;
    default: /* FAMILY_STRING */
        return op->wire < AERO_STRING_MODIFIES ? AERO_OP_STRING_READ
                                               : AERO_OP_STRING_MODIFY;
    }
}

int
data_op_put(const Encoder *enc, Place *place, const DataOp *op,
            const Entries *entries, aero_span bin, aero_buf *out,
            uint8_t *type)
{
    OpIn in = {.enc = enc, .place = place, .entries = entries, .out = out};
    size_t mark;

    place->what = op->name;
    *type = message_op(op);
    in.ctx = entries->at[ENTRY_ctx];
    if (in.ctx == Py_None) {
        in.ctx = NULL;
    }
    if (in.ctx != NULL && read_create(&in, op) < 0) {
        return -1;
    }
    mark = aero_op_open(out, (aero_op_type)*type,
                        op->family == FAMILY_STRING ? AERO_PARTICLE_STRING
                                                    : AERO_PARTICLE_BLOB,
                        bin);
    if (in.ctx != NULL) {
        aero_pack_list(out, 3);
        aero_pack_int(out, AERO_CDT_CONTEXT);
        if (ctx_pack(enc, place, in.ctx, in.create, out) < 0) {
            return place_add(enc, place, enc->state->str_ctx);
        }
    }
    if (put_array(&in, op) < 0) {
        return -1;
    }
    aero_op_close(out, mark);
    return 0;
}

/* ---- calls of expressions ---- */

/* What only expressions have: ranges that go to the end. */
typedef struct ToEnd {
    uint16_t code;
    uint8_t system;
    uint8_t wire;
} ToEnd;

static const ToEnd to_end[] = {
    {1034, AERO_EXP_CDT, AERO_LIST_GET_BY_VALUE_REL_RANK_RANGE},
    {1035, AERO_EXP_CDT, AERO_LIST_GET_BY_INDEX_RANGE},
    {1036, AERO_EXP_CDT, AERO_LIST_GET_BY_RANK_RANGE},
    {1037, AERO_EXP_CDT, AERO_LIST_REMOVE_BY_VALUE_REL_RANK_RANGE},
    {1038, AERO_EXP_CDT, AERO_LIST_REMOVE_BY_VALUE_REL_RANK_RANGE},
    {1039, AERO_EXP_CDT, AERO_LIST_REMOVE_BY_INDEX_RANGE},
    {1040, AERO_EXP_CDT, AERO_LIST_REMOVE_BY_RANK_RANGE},
    {1043, AERO_EXP_CDT, AERO_LIST_JOIN},
    {1132, AERO_EXP_CDT, AERO_MAP_REMOVE_BY_KEY_REL_INDEX_RANGE},
    {1133, AERO_EXP_CDT, AERO_MAP_REMOVE_BY_VALUE_REL_RANK_RANGE},
    {1134, AERO_EXP_CDT, AERO_MAP_REMOVE_BY_INDEX_RANGE},
    {1135, AERO_EXP_CDT, AERO_MAP_REMOVE_BY_RANK_RANGE},
    {1136, AERO_EXP_CDT, AERO_MAP_GET_BY_KEY_REL_INDEX_RANGE},
    {1137, AERO_EXP_CDT, AERO_MAP_REMOVE_BY_KEY_REL_INDEX_RANGE},
    {1139, AERO_EXP_CDT, AERO_MAP_REMOVE_BY_VALUE_REL_RANK_RANGE},
    {1140, AERO_EXP_CDT, AERO_MAP_GET_BY_KEY_REL_INDEX_RANGE},
    {1141, AERO_EXP_CDT, AERO_MAP_GET_BY_VALUE_REL_RANK_RANGE},
    {1142, AERO_EXP_CDT, AERO_MAP_GET_BY_INDEX_RANGE},
    {1143, AERO_EXP_CDT, AERO_MAP_GET_BY_RANK_RANGE},
    {2019, AERO_EXP_BITS, AERO_BIT_B64_ENCODE},
};

bool
data_op_call(long code, uint8_t *system, uint8_t *wire)
{
    static const uint8_t systems[] = {AERO_EXP_CDT, AERO_EXP_CDT,
                                      AERO_EXP_BITS, AERO_EXP_HLL,
                                      AERO_EXP_STRING};
    const DataOp *op = find_official(code);

    if (op != NULL) {
        *system = systems[op->family];
        *wire = op->wire;
        return true;
    }
    for (size_t i = 0; i < sizeof to_end / sizeof to_end[0]; i++) {
        if (to_end[i].code == code) {
            *system = to_end[i].system;
            *wire = to_end[i].wire;
            return true;
        }
    }
    return false;
}

int
data_op_string_array(const Encoder *enc, const Place *place, long code,
                     PyObject *dict, aero_buf *out)
{
    Entries entries = {0};
    OpIn in = {.enc = enc,
               .place = place,
               .entries = &entries,
               .quoted = true,
               .out = out};
    int rc;

    entries_take(enc->state, dict, &entries);
    rc = put_array(&in, find_official(code));
    entries_let_go(&entries);
    return rc;
}
