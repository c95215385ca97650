/* List and map operations on the wire: operation codes, return types, flags,
 * contexts.
 *
 *   [code, argument, ...]
 *   [0xff, [type, value, ...], [code, argument, ...]]   in a context
 *   [0xfe, [type, value, ...], flags, (expression)]     along a path
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_WIRE_CDT_H
#define AERO_WIRE_CDT_H

#include <stdbool.h>
#include <stdint.h>

typedef enum aero_cdt_code {
#define CDT_OP(kind, name, code, mode, args, text) AERO_##kind##_##name = code,
#define CDT_OP_LATER                               CDT_OP
#include "aero/wire/tables/list.def"
#include "aero/wire/tables/map.def"
#undef CDT_OP
#undef CDT_OP_LATER
    AERO_CDT_PATH = 0xfe,
    AERO_CDT_CONTEXT = 0xff
} aero_cdt_code;

/* The range of codes, and where those of maps begin. */
enum {
    AERO_CDT_MAPS = 64,
    AERO_CDT_CODES = 128,
    AERO_CDT_ARGS_MAX = 5
};

typedef struct aero_cdt_row {
    const char *name; /* "LIST_APPEND"; NULL: no such operation */
    const char *args; /* the letters of list.def */
    const char *text;
    bool modifies;
    bool later; /* servers know it only after 8.1.2 */
} aero_cdt_row;

/* The row of a code, or NULL. */
const aero_cdt_row *aero_cdt_row_of(uint64_t code);

/* What a selection answers with. */
typedef enum aero_cdt_return {
    AERO_RETURN_NONE = 0,
    AERO_RETURN_INDEX = 1,
    AERO_RETURN_REVERSE_INDEX = 2,
    AERO_RETURN_RANK = 3,
    AERO_RETURN_REVERSE_RANK = 4,
    AERO_RETURN_COUNT = 5,
    AERO_RETURN_KEY = 6,
    AERO_RETURN_VALUE = 7,
    AERO_RETURN_KEY_VALUE = 8,
    AERO_RETURN_INDEX_RANGE = 9,
    AERO_RETURN_REVERSE_INDEX_RANGE = 10,
    AERO_RETURN_RANK_RANGE = 11,
    AERO_RETURN_REVERSE_RANK_RANGE = 12,
    AERO_RETURN_EXISTS = 13,
    AERO_RETURN_UNORDERED_MAP = 16,
    AERO_RETURN_ORDERED_MAP = 17,
    AERO_RETURN_MASK = 0xffff,
    AERO_CDT_INVERTED = 0x10000 /* everything that is not selected */
} aero_cdt_return;

typedef enum aero_list_write {
    AERO_LIST_ADD_UNIQUE = 1,
    AERO_LIST_INSERT_BOUNDED = 2,
    AERO_LIST_NO_FAIL = 4,
    AERO_LIST_PARTIAL = 8
} aero_list_write;

typedef enum aero_list_sorting {
    AERO_LIST_DESCENDING = 1,
    AERO_LIST_DROP_DUPLICATES = 2
} aero_list_sorting;

typedef enum aero_map_write {
    AERO_MAP_CREATE_ONLY = 1,
    AERO_MAP_UPDATE_ONLY = 2,
    AERO_MAP_NO_FAIL = 4,
    AERO_MAP_PARTIAL = 8
} aero_map_write;

/* One step of a context: what the value beside it means, what the level must
 * be, and how it is created when it is missing. */
typedef enum aero_cdt_step {
    AERO_STEP_INDEX = 0,
    AERO_STEP_RANK = 1,
    AERO_STEP_KEY = 2,
    AERO_STEP_VALUE = 3,
    AERO_STEP_EXPRESSION = 4, /* only along a path; true: all children */
    AERO_STEP_KEY_LIST = 10,  /* only along a path */
    AERO_STEP_BASE = 0x0f,
    AERO_STEP_LIST = 0x10,
    AERO_STEP_MAP = 0x20,
    AERO_STEP_KIND = 0x30,
    AERO_STEP_CREATE_UNORDERED = 0x40,
    AERO_STEP_CREATE_PADDED = 0x80,     /* list: fill up with nil */
    AERO_STEP_CREATE_K_ORDERED = 0x80,  /* map */
    AERO_STEP_CREATE_ORDERED = 0xc0,    /* list */
    AERO_STEP_CREATE_KV_ORDERED = 0xc0, /* map */
    AERO_STEP_CREATE = 0xc0,
    AERO_STEP_CREATE_PERSIST = 0x100,
    AERO_STEP_AND = 0x200 /* only along a path */
} aero_cdt_step;

/* What a path gives, in the low four bits of its flags. */
typedef enum aero_path_flags {
    AERO_PATH_TREE = 0,
    AERO_PATH_VALUES = 1,
    AERO_PATH_KEYS = 2,
    AERO_PATH_KEYS_VALUES = 3,
    AERO_PATH_APPLY = 4,
    AERO_PATH_MODE = 0x0f,
    AERO_PATH_NO_FAIL = 0x10,
    AERO_PATH_LEVELS_MAX = 64
} aero_path_flags;

#endif
