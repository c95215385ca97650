/* Packed expressions to nodes: the table's rows say what each code wants.
 *
 * Nothing here looks at a record.  Recursion is bounded by the depth that is
 * counted on the way down.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>

#include "aero/base/alloc.h"
#include "args.h"
#include "exp_internal.h"

/* A variable in scope. */
typedef struct exp_var {
    aero_span name;
    uint8_t type;
    bool defined; /* not while its own definition is read */
} exp_var;

enum {
    TYPE_DECLARED = AERO_EXP_TYPE_NIL /* until the letter T sets it */
};

#define AERO_EXP_TYPE_SAME     TYPE_SAME
#define AERO_EXP_TYPE_REMOVE   TYPE_REMOVE
#define AERO_EXP_TYPE_DECLARED TYPE_DECLARED

static const struct {
    const char *args; /* NULL: no such code */
    uint8_t type;
} rows[AERO_EXP_CODES] = {
#define EXP_OP(name, code, args, type, text)                                  \
    [code] = {args, AERO_EXP_TYPE_##type},
#define EXP_OP_82(name, code, args, type, text)
#include "aero/wire/tables/exp.def"
#undef EXP_OP
#undef EXP_OP_82
};

static const uint8_t particles[] = {
#define EXP_TYPE(name, code, particle) [code] = AERO_PARTICLE_##particle,
#include "aero/wire/tables/exp.def"
#undef EXP_TYPE
};

uint8_t
exp_particle(uint8_t type)
{
    return type < AERO_EXP_TYPES ? particles[type] : AERO_PARTICLE_NIL;
}

int
exp_add(exp_builder *b, uint8_t code, uint8_t type, uint32_t *at)
{
    exp_node node = {.code = code, .type = type};
    size_t count = b->exp->nodes.len / sizeof node;

    if (count >= AERO_EXP_NODES_MAX) {
        return AERO_ERR_REQUEST_INVALID;
    }
    aero_buf_put(&b->exp->nodes, &node, sizeof node);
    *at = (uint32_t)count;
    return b->exp->nodes.failed ? AERO_ERR_SERVER : AERO_ERR_OK;
}

static void
close_node(exp_builder *b, uint32_t at)
{
    exp_built_node(b, at)->next =
        (uint32_t)(b->exp->nodes.len / sizeof(exp_node));
}

/* ---- arguments of one type ---- */

/* The type a letter wants, or -1. */
static int
type_of_letter(char letter)
{
    switch (letter) {
    case 'b':
        return AERO_EXP_TYPE_BOOL;
    case 'i':
        return AERO_EXP_TYPE_INT;
    case 'f':
        return AERO_EXP_TYPE_FLOAT;
    case 's':
        return AERO_EXP_TYPE_STR;
    case 'l':
        return AERO_EXP_TYPE_LIST;
    case 'g':
        return AERO_EXP_TYPE_GEO;
    default:
        return -1;
    }
}

/* Whether an argument suits its letter; `alike` is the type of those before
 * it with the same letter, or TYPE_SAME. */
static bool
suits(char letter, uint8_t type, uint8_t alike)
{
    int wanted = type_of_letter(letter);

    if (wanted >= 0) {
        return type == wanted;
    }
    if (letter == 'x') {
        return true;
    }
    if (alike != TYPE_SAME && type != alike) {
        return false;
    }
    if (letter == 'n') {
        return type == AERO_EXP_TYPE_INT || type == AERO_EXP_TYPE_FLOAT;
    }
    return type != AERO_EXP_TYPE_GEO && type != AERO_EXP_TYPE_HLL; /* 'c' */
}

static bool
is_static(char letter)
{
    return letter >= 'A' && letter <= 'Z';
}

/* Whether so many arguments suit the letters. */
static bool
count_suits(const char *letters, uint32_t count)
{
    uint32_t least = 0;
    bool more = false;

    for (; *letters != '\0'; letters++) {
        if (*letters == '+') {
            more = true;
        }
        else {
            least++;
        }
    }
    /* the letter in front of a + stands for one; "bb+" for two or more */
    return more ? count >= least : count == least;
}

/* The arguments of a row without braces; *same is the type of its last. */
static int
build_args(exp_builder *b, const char *letters, uint32_t count, uint32_t at,
           uint8_t *same)
{
    uint8_t alike = TYPE_SAME;
    char letter = '\0';

    if (!count_suits(letters, count)) {
        return AERO_ERR_REQUEST_INVALID;
    }
    for (; count != 0; count--) {
        exp_built built = {0};
        int rc;

        if (*letters != '+' && *letters != '\0') {
            letter = *letters++;
        }
        rc = is_static(letter) ? exp_build_static(b, letter, at)
                               : exp_build_value(b, &built);
        if (rc != AERO_ERR_OK) {
            return rc;
        }
        if (!is_static(letter)) {
            if (!suits(letter, built.type, alike)) {
                return AERO_ERR_REQUEST_INVALID;
            }
            alike = built.type;
        }
    }
    *same = alike;
    return AERO_ERR_OK;
}

/* ---- variables ---- */

static exp_var *
vars_of(exp_builder *b)
{
    return (exp_var *)(void *)b->vars.ptr;
}

static exp_var *
find_var(exp_builder *b, aero_span name, uint32_t *at)
{
    for (*at = 0; *at < b->vars.len / sizeof(exp_var); (*at)++) {
        if (aero_span_equal(vars_of(b)[*at].name, name)) {
            return &vars_of(b)[*at];
        }
    }
    return NULL;
}

static bool
is_var_name(aero_span name)
{
    if (name.len == 0 || isdigit(name.ptr[0])) {
        return false;
    }
    for (size_t i = 0; i < name.len; i++) {
        uint8_t c = name.ptr[i];

        if (c != '_' && (c >= 0x80 || !isalnum(c))) {
            return false;
        }
    }
    return true;
}

/* Bring a new variable into scope, not yet defined. */
static int
add_var(exp_builder *b)
{
    exp_var var = {.type = AERO_EXP_TYPE_NIL};
    uint32_t at;

    if (!take_raw_bytes(&b->in, &var.name) || !is_var_name(var.name) ||
        find_var(b, var.name, &at) != NULL) {
        return AERO_ERR_REQUEST_INVALID;
    }
    aero_buf_put(&b->vars, &var, sizeof var);
    if (b->vars.failed) {
        return AERO_ERR_SERVER;
    }
    if (b->exp->vars <= at) {
        b->exp->vars = at + 1;
    }
    return AERO_ERR_OK;
}

static int
build_var(exp_builder *b, uint32_t node, exp_built *built)
{
    aero_span name;
    exp_var *var;
    uint32_t at;

    if (!take_raw_bytes(&b->in, &name)) {
        return AERO_ERR_REQUEST_INVALID;
    }
    var = find_var(b, name, &at);
    if (var == NULL || !var->defined) {
        return AERO_ERR_REQUEST_INVALID;
    }
    exp_built_node(b, node)->number = at;
    built->type = var->type;
    return AERO_ERR_OK;
}

/* ---- rows that are their own ---- */

/* name, definition, ..., result */
static int
build_let(exp_builder *b, uint32_t count, uint32_t at, exp_built *built)
{
    size_t outer = b->vars.len;
    int rc;

    if (count < 3 || count % 2 == 0) {
        return AERO_ERR_REQUEST_INVALID;
    }
    exp_built_node(b, at)->number = (int64_t)(outer / sizeof(exp_var));
    for (uint32_t i = 0; i < count / 2; i++) {
        size_t mine = b->vars.len / sizeof(exp_var);

        if ((rc = add_var(b)) != AERO_ERR_OK ||
            (rc = exp_build_value(b, built)) != AERO_ERR_OK) {
            return rc;
        }
        vars_of(b)[mine].type = built->type;
        vars_of(b)[mine].defined = true;
    }
    rc = exp_build_value(b, built);
    b->vars.len = outer;
    return rc;
}

/* One branch of COND: all have one type, but UNKNOWN suits any. */
static int
build_branch(exp_builder *b, uint8_t *type)
{
    exp_built built;
    int rc = exp_build_value(b, &built);

    if (rc != AERO_ERR_OK || built.unknown) {
        return rc;
    }
    if (*type == TYPE_SAME) {
        *type = built.type;
    }
    return *type == built.type ? AERO_ERR_OK : AERO_ERR_REQUEST_INVALID;
}

/* condition, value, ..., default */
static int
build_cond(exp_builder *b, uint32_t count, exp_built *built)
{
    uint8_t type = TYPE_SAME;
    exp_built condition;
    int rc;

    if (count < 3 || count % 2 == 0) {
        return AERO_ERR_REQUEST_INVALID;
    }
    for (uint32_t i = 0; i < count / 2; i++) {
        if ((rc = exp_build_value(b, &condition)) != AERO_ERR_OK) {
            return rc;
        }
        if (condition.type != AERO_EXP_TYPE_BOOL) {
            return AERO_ERR_REQUEST_INVALID;
        }
        if ((rc = build_branch(b, &type)) != AERO_ERR_OK) {
            return rc;
        }
    }
    rc = build_branch(b, &type);
    built->type = type == TYPE_SAME ? AERO_EXP_TYPE_BOOL : type;
    return rc;
}

/* Whether a call of the system can work on a value of the type. */
static bool
system_suits(uint32_t system, uint8_t type)
{
    switch (system & ~(uint32_t)AERO_EXP_MODIFY) {
    case AERO_EXP_CDT:
        return type == AERO_EXP_TYPE_LIST || type == AERO_EXP_TYPE_MAP;
    case AERO_EXP_BITS:
        return type == AERO_EXP_TYPE_BLOB;
    case AERO_EXP_HLL:
        return type == AERO_EXP_TYPE_HLL;
    default:
        return false;
    }
}

/* type, system, operation, and what it works on: nil stands for no value, and
 * then the call counts as nil too. */
static int
build_call(exp_builder *b, uint32_t count, uint32_t at, exp_built *built)
{
    static const char letters[] = "TSO";
    exp_built on;
    int rc;

    if (count != 4) {
        return AERO_ERR_REQUEST_INVALID;
    }
    for (const char *letter = letters; *letter != '\0'; letter++) {
        if ((rc = exp_build_static(b, *letter, at)) != AERO_ERR_OK) {
            return rc;
        }
    }
    if ((rc = exp_build_value(b, &on)) != AERO_ERR_OK) {
        return rc;
    }
    if (on.type == AERO_EXP_TYPE_NIL) {
        built->type = AERO_EXP_TYPE_NIL;
        return AERO_ERR_OK;
    }
    built->type = exp_built_node(b, at)->wants;
    return system_suits(exp_built_node(b, at)->call->system, on.type)
               ? AERO_ERR_OK
               : AERO_ERR_REQUEST_INVALID;
}

/* The arguments of a code; what it gives. */
static int
build_row(exp_builder *b, uint8_t code, uint32_t count, uint32_t at,
          exp_built *built)
{
    uint8_t same = TYPE_SAME;
    int rc;

    built->type = rows[code].type;
    switch (code) {
    case AERO_EXP_LET:
        return build_let(b, count, at, built);
    case AERO_EXP_COND:
        return build_cond(b, count, built);
    case AERO_EXP_CALL:
        return build_call(b, count, at, built);
    case AERO_EXP_VAR:
        return count != 1 ? AERO_ERR_REQUEST_INVALID : build_var(b, at, built);
    default:
        rc = build_args(b, rows[code].args, count, at, &same);
        break;
    }
    if (built->type == TYPE_SAME) {
        built->type = same;
    }
    else if (built->type == TYPE_DECLARED) {
        built->type = exp_built_node(b, at)->type;
    }
    /* that a loop variable may have the first number behind the types, and
     * then counts as unknown, is the server's oversight */
    built->unknown = code == AERO_EXP_UNKNOWN ||
                     (code == AERO_EXP_LOOPVAR &&
                      exp_built_node(b, at)->wants == AERO_EXP_TYPES);
    return rc;
}

/* ---- values ---- */

static int
build_array(exp_builder *b, uint32_t count, exp_built *built)
{
    int64_t code;
    uint32_t at;
    int rc;

    if (count == 0 || !take_int(&b->in, &code) || code < 0 ||
        code >= AERO_EXP_CODES || rows[code].args == NULL) {
        return AERO_ERR_REQUEST_INVALID;
    }
    rc = exp_add(b, (uint8_t)code, AERO_EXP_TYPE_NIL, &at);
    if (rc != AERO_ERR_OK) {
        return rc;
    }
    rc = build_row(b, (uint8_t)code, count - 1, at, built);
    if (rc != AERO_ERR_OK) {
        return rc;
    }
    exp_built_node(b, at)->type = built->type;
    close_node(b, at);
    return AERO_ERR_OK;
}

int
exp_build_value(exp_builder *b, exp_built *built)
{
    aero_span ahead = b->in;
    aero_token token;
    int rc;

    if (!aero_token_take(&ahead, &token)) {
        return AERO_ERR_REQUEST_INVALID;
    }
    built->unknown = false;
    if (token.kind != AERO_TOKEN_LIST) {
        return exp_build_literal(b, built);
    }
    if (b->depth == AERO_EXP_DEPTH_MAX) {
        return AERO_ERR_REQUEST_INVALID;
    }
    b->in = ahead;
    b->depth++;
    rc = build_array(b, token.count, built);
    b->depth--;
    return rc;
}

/* ---- the whole ---- */

void
aero_exp_free(aero_exp *exp)
{
    if (exp == NULL) {
        return;
    }
    for (exp_regex *r = exp->regexes; r != NULL; r = r->next) {
        regfree(&r->regex);
    }
    aero_buf_fini(&exp->nodes);
    aero_arena_fini(&exp->arena);
    aero_free(exp);
}

static int
build_whole(exp_builder *b)
{
    exp_built built;
    int rc = exp_build_value(b, &built);

    if (rc != AERO_ERR_OK) {
        return rc;
    }
    return b->in.len == 0 && built.type != TYPE_OTHER
               ? AERO_ERR_OK
               : AERO_ERR_REQUEST_INVALID;
}

int
exp_build_at(aero_span packed, unsigned depth, bool copy, aero_exp **out)
{
    exp_builder b = {.in = packed, .depth = depth};
    int rc;

    if (packed.len == 0) {
        return AERO_ERR_REQUEST_INVALID;
    }
    b.exp = aero_zalloc(sizeof *b.exp);
    if (b.exp == NULL) {
        return AERO_ERR_SERVER;
    }
    aero_arena_init(&b.exp->arena);
    if (copy) {
        b.in = aero_arena_copy(&b.exp->arena, packed);
    }
    rc = b.in.ptr == NULL ? AERO_ERR_SERVER : build_whole(&b);
    aero_buf_fini(&b.vars);
    if (rc != AERO_ERR_OK) {
        aero_exp_free(b.exp);
        return rc;
    }
    *out = b.exp;
    return AERO_ERR_OK;
}

int
aero_exp_build(aero_span packed, aero_exp **out)
{
    return exp_build_at(packed, 0, true, out);
}

int
aero_exp_build_filter(aero_span packed, aero_exp **out)
{
    int rc = aero_exp_build(packed, out);

    if (rc != AERO_ERR_OK) {
        return rc;
    }
    if (exp_node_at(*out, 0)->type != AERO_EXP_TYPE_BOOL) {
        aero_exp_free(*out);
        *out = NULL;
        return AERO_ERR_REQUEST_INVALID;
    }
    return AERO_ERR_OK;
}

uint8_t
aero_exp_particle(const aero_exp *exp)
{
    return exp_particle(exp_node_at(exp, 0)->type);
}
