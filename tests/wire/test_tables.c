/* The tables of codes, against what the official client sends and what a
 * server answers.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>

#include "aero/wire/cdt.h"
#include "aero/wire/value.h"
#include "test.h"
#include "vectors.h"

typedef struct code_name {
    const char *name;
    int64_t code;
} code_name;

static const code_name codes[] = {
#define CDT_OP(kind, name, code, mode, args, text) {#kind "_" #name, code},
#define CDT_OP_LATER                               CDT_OP
#include "aero/wire/tables/list.def"
#include "aero/wire/tables/map.def"
#undef CDT_OP
#undef CDT_OP_LATER
#define BIT_OP(name, code, mode, args, flags, text) {"BIT_" #name, code},
#define BIT_OP_82                                   BIT_OP
#include "aero/wire/tables/bit.def"
#undef BIT_OP
#undef BIT_OP_82
#define HLL_OP(name, code, mode, args, flags, text) {"HLL_" #name, code},
#include "aero/wire/tables/hll.def"
#undef HLL_OP
};

/* Functions of the helpers that mean another row. */
static const char *const meant[][2] = {
    {"LIST_GET_BY_VALUE", "LIST_GET_ALL_BY_VALUE"},
    {"LIST_REMOVE_BY_VALUE", "LIST_REMOVE_ALL_BY_VALUE"},
    {"MAP_GET_BY_VALUE", "MAP_GET_ALL_BY_VALUE"},
    {"MAP_REMOVE_BY_VALUE", "MAP_REMOVE_ALL_BY_VALUE"},
};

static const code_name *
find_code(const char *name)
{
    for (size_t i = 0; i < sizeof meant / sizeof meant[0]; i++) {
        if (strcmp(meant[i][0], name) == 0) {
            name = meant[i][1];
            break;
        }
    }
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        if (strcmp(codes[i].name, name) == 0) {
            return &codes[i];
        }
    }
    return NULL;
}

/* The code of an operation's payload, behind its context. */
static int64_t
code_sent(aero_span in)
{
    aero_token list;
    aero_token code;

    if (!aero_token_take(&in, &list) || list.kind != AERO_TOKEN_LIST ||
        !aero_token_take(&in, &code) || code.kind != AERO_TOKEN_INT) {
        return -1;
    }
    if (code.number == AERO_CDT_CONTEXT) {
        return aero_token_skip(&in) ? code_sent(in) : -1;
    }
    return code.number;
}

/* "list.list_append.1" to "LIST_APPEND". */
static void
name_of(const char *id, char out[64])
{
    const char *from = strchr(id, '.') + 1;
    size_t n = 0;

    while (*from != '.' && *from != '\0' && n < 63) {
        out[n++] = (char)toupper((unsigned char)*from++);
    }
    out[n] = '\0';
}

static void
check_group(const char *group, unsigned least)
{
    unsigned seen = 0;
    vectors v;

    vectors_init_group(&v, group);
    for (size_t i = 0; i < v.count; i++) {
        const code_name *row;
        char name[64];

        name_of(v.at[i].id, name);
        row = find_code(name);
        if (row == NULL || v.at[i].payload.len == 0) {
            continue;
        }
        seen++;
        if (code_sent(v.at[i].payload) != row->code) {
            test_failed(__FILE__, __LINE__, "%s is sent as %d, not %d",
                        v.at[i].id, (int)code_sent(v.at[i].payload),
                        (int)row->code);
        }
    }
    if (seen < least) {
        test_failed(__FILE__, __LINE__, "%s: only %u of %zu have a row", group,
                    seen, v.count);
    }
    vectors_fini(&v);
}

TEST(codes_of_operations_are_those_that_are_sent)
{
    check_group("list", 200);
    check_group("map", 200);
    check_group("bit", 80);
    check_group("hll", 30);
}

TEST(rows_of_lists_and_maps_are_found_by_code)
{
    const aero_cdt_row *row = aero_cdt_row_of(AERO_LIST_APPEND);

    REQUIRE(row != NULL);
    CHECK(strcmp(row->name, "LIST_APPEND") == 0 && row->modifies);
    row = aero_cdt_row_of(AERO_MAP_GET_BY_KEY);
    REQUIRE(row != NULL);
    CHECK(strcmp(row->name, "MAP_GET_BY_KEY") == 0 && !row->modifies);
    CHECK(aero_cdt_row_of(AERO_CDT_CODES) == NULL);
    CHECK(aero_cdt_row_of(UINT64_MAX) == NULL);
    CHECK(aero_cdt_row_of(AERO_CDT_CODES - 1) == NULL);
}

TEST(results_have_a_name_and_a_text)
{
    CHECK(strcmp(aero_result_name(AERO_ERR_RECORD_NOT_FOUND),
                 "RECORD_NOT_FOUND") == 0);
    CHECK(strcmp(aero_result_text(AERO_ERR_RECORD_NOT_FOUND),
                 "record not found") == 0);
    CHECK(aero_result_name(99999) == NULL);
    CHECK(strcmp(aero_result_text(99999), "unknown result code") == 0);
    for (int code = -40; code < 300; code++) {
        CHECK(aero_result_text(code)[0] != '\0');
        CHECK(aero_result_name(code) == NULL ||
              aero_result_name(code)[0] != '\0');
    }
}

TEST(operations_say_whether_they_write)
{
    CHECK_INT(aero_op_is_write(AERO_OP_READ), 0);
    CHECK_INT(aero_op_is_write(AERO_OP_WRITE), 1);
    CHECK_INT(aero_op_is_write(AERO_OP_CDT_MODIFY), 1);
    CHECK_INT(aero_op_is_write(AERO_OP_CDT_READ), 0);
    CHECK_INT(aero_op_is_write(255), -1);
    CHECK(strcmp(aero_op_text(255), "unknown operation") == 0);
    CHECK(strcmp(aero_field_text(255), "unknown field") == 0);
    CHECK(strcmp(aero_particle_text(255), "unknown particle") == 0);
}
