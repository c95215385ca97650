/* Which function runs each list and map operation.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "cdt_internal.h"

static int
answer_size(cdt_op *op)
{
    return cdt_answer_int(op, op->box.count);
}

static int
clear(cdt_op *op)
{
    cdt_begin(op, 0);
    return AERO_ERR_OK;
}

/* Operations that add or change: run on a new container too. */
#define CHANGE(code, function) [code] = {.run = function, .indexed = true}

/* Selections: the same for getting and removing. */
#define SELECT(kind, which, function, answers_many)                           \
    [AERO_##kind##_GET_##which] = {.run = function,                           \
                                   .missing = CDT_SKIP,                       \
                                   .indexed = true,                           \
                                   .many = answers_many},                     \
    [AERO_##kind##_REMOVE_##which] = {.run = function,                        \
                                      .missing = CDT_SKIP,                    \
                                      .indexed = true,                        \
                                      .many = answers_many}

/* Selections by index whose answer is fixed. */
#define FIXED(code, answers_many, return_type)                                \
    [code] = {.run = cdt_select_index,                                        \
              .missing = CDT_SKIP,                                            \
              .indexed = true,                                                \
              .many = answers_many,                                           \
              .returns = AERO_RETURN_##return_type}

enum {
    ONE = false,
    MANY = true
};

const cdt_handler cdt_handlers[AERO_CDT_CODES] = {
    CHANGE(AERO_LIST_SET_TYPE, cdt_list_set_type),
    [AERO_LIST_APPEND] = {.run = cdt_list_append},
    [AERO_LIST_APPEND_ITEMS] = {.run = cdt_list_append_items},
    CHANGE(AERO_LIST_INSERT, cdt_list_insert),
    CHANGE(AERO_LIST_INSERT_ITEMS, cdt_list_insert_items),
    CHANGE(AERO_LIST_SET, cdt_list_set),
    CHANGE(AERO_LIST_INCREMENT, cdt_list_increment),
    [AERO_LIST_SORT] = {.run = cdt_list_sort,
                        .missing = CDT_NEEDS_BIN,
                        .indexed = true},
    [AERO_LIST_CLEAR] = {.run = clear, .missing = CDT_SKIP},
    [AERO_LIST_SIZE] = {.run = answer_size},
    [AERO_LIST_TRIM] = {.run = cdt_select_index,
                        .missing = CDT_SKIP,
                        .indexed = true,
                        .many = true,
                        .returns = AERO_RETURN_COUNT | AERO_CDT_INVERTED},

    FIXED(AERO_LIST_POP, ONE, VALUE),
    FIXED(AERO_LIST_POP_RANGE, MANY, VALUE),
    FIXED(AERO_LIST_REMOVE, ONE, COUNT),
    FIXED(AERO_LIST_REMOVE_RANGE, MANY, COUNT),
    FIXED(AERO_LIST_GET, ONE, VALUE),
    FIXED(AERO_LIST_GET_RANGE, MANY, VALUE),

    SELECT(LIST, BY_INDEX, cdt_select_index, ONE),
    SELECT(LIST, BY_INDEX_RANGE, cdt_select_index, MANY),
    SELECT(LIST, BY_RANK, cdt_select_rank, ONE),
    SELECT(LIST, BY_RANK_RANGE, cdt_select_rank, MANY),
    SELECT(LIST, BY_VALUE, cdt_select_value, ONE),
    SELECT(LIST, ALL_BY_VALUE, cdt_select_value, MANY),
    SELECT(LIST, BY_VALUE_LIST, cdt_select_value_list, MANY),
    SELECT(LIST, BY_VALUE_INTERVAL, cdt_select_value_interval, MANY),
    SELECT(LIST, BY_VALUE_REL_RANK_RANGE, cdt_select_value_relative, MANY),

    CHANGE(AERO_MAP_SET_TYPE, cdt_map_set_type),
    CHANGE(AERO_MAP_ADD, cdt_map_add),
    CHANGE(AERO_MAP_ADD_ITEMS, cdt_map_add_items),
    CHANGE(AERO_MAP_PUT, cdt_map_put),
    CHANGE(AERO_MAP_PUT_ITEMS, cdt_map_put_items),
    CHANGE(AERO_MAP_REPLACE, cdt_map_replace),
    [AERO_MAP_REPLACE_ITEMS] = {.run = cdt_map_replace_items,
                                .missing = CDT_NOT_FOUND,
                                .indexed = true},
    CHANGE(AERO_MAP_INCREMENT, cdt_map_increment),
    CHANGE(AERO_MAP_DECREMENT, cdt_map_decrement),
    [AERO_MAP_CLEAR] = {.run = clear, .missing = CDT_SKIP},
    [AERO_MAP_SIZE] = {.run = answer_size},

    SELECT(MAP, BY_KEY, cdt_select_key, ONE),
    SELECT(MAP, BY_KEY_LIST, cdt_select_key_list, MANY),
    SELECT(MAP, BY_KEY_INTERVAL, cdt_select_key_interval, MANY),
    SELECT(MAP, BY_KEY_REL_INDEX_RANGE, cdt_select_key_relative, MANY),
    SELECT(MAP, BY_INDEX, cdt_select_index, ONE),
    SELECT(MAP, BY_INDEX_RANGE, cdt_select_index, MANY),
    SELECT(MAP, BY_RANK, cdt_select_rank, ONE),
    SELECT(MAP, BY_RANK_RANGE, cdt_select_rank, MANY),
    SELECT(MAP, BY_VALUE, cdt_select_value, ONE),
    SELECT(MAP, ALL_BY_VALUE, cdt_select_value, MANY),
    SELECT(MAP, BY_VALUE_LIST, cdt_select_value_list, MANY),
    SELECT(MAP, BY_VALUE_INTERVAL, cdt_select_value_interval, MANY),
    SELECT(MAP, BY_VALUE_REL_RANK_RANGE, cdt_select_value_relative, MANY),
};
