/* Builders of the methods that create and remove secondary indexes.
 *
 * One node is asked, and spreads the word by itself; then all nodes are looked
 * at until their index is complete, or gone.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "build.h"
#include "query.h"
#include "settled.h"

#include "aero/base/b64.h"

enum {
    MISSING_MAX = 40 /* looks, half a second apart, for what was asked for */
};

/* What a method says about the index; objects are borrowed from its
 * arguments. */
typedef struct IndexWish {
    PyObject *ns;
    PyObject *set;
    PyObject *bin; /* NULL: none */
    PyObject *name;
    PyObject *policy;
    PyObject *ctx;  /* NULL: none */
    PyObject *expr; /* NULL: none */
    long type;      /* INDEX_TYPE_*, or OF_SET */
    long datatype;  /* INDEX_*, or ANY */
} IndexWish;

enum {
    OF_SET = -1,
    ANY = -1,
    STRING = 0,
    INTEGER = 1,
    GEO = 2,
    BLOB = 3,
    NUMERIC = 4
};

/* ---- looking ---- */

/* Is the index complete?  What was created spreads before it is there. */
static aero_look
judge_built(void *ctx, const aero_cmd *cmd, aero_status *st)
{
    Settled *s = ctx;
    aero_span value;
    aero_span load;

    if (aero_fan_value(cmd, &value, st) != AERO_OK) {
        return st->code == AERO_ERR_INDEX_NOT_FOUND &&
                       ++s->missing < MISSING_MAX
                   ? AERO_LOOK_NOT_YET
                   : AERO_LOOK_FAILED;
    }
    if (!aero_info_pair(value, ';', "load_pct", &load)) {
        aero_fail(st, AERO_ERR_CLIENT, "node %s does not say how far it is",
                  cmd->st.node);
        return AERO_LOOK_FAILED;
    }
    return aero_span_is(load, "100") ? AERO_LOOK_DONE : AERO_LOOK_NOT_YET;
}

static aero_look
judge_gone(void *ctx, const aero_cmd *cmd, aero_status *st)
{
    aero_span value;

    (void)ctx;
    if (aero_fan_value(cmd, &value, st) == AERO_OK) {
        return AERO_LOOK_NOT_YET;
    }
    return st->code == AERO_ERR_INDEX_NOT_FOUND ||
                   st->code == AERO_ERR_NAMESPACE_NOT_FOUND
               ? AERO_LOOK_DONE
               : AERO_LOOK_FAILED;
}

/* ---- texts ---- */

/* Parameters stand behind the command with ':' in front of the first. */
static void
put_command(const char *command, aero_span parameters, aero_buf *out)
{
    aero_buf_put_str(out, command);
    aero_buf_put_u8(out, ':');
    aero_buf_put_span(out, aero_span_skip(parameters, 1));
}

static int
put_packed(const Call *call, aero_buf *out, const char *key, PyObject *obj,
           int (*pack)(const Encoder *, PyObject *, aero_buf *))
{
    Encoder enc = call_encoder(call, false);
    aero_buf packed = AERO_BUF_INIT;
    int rc = pack(&enc, obj, &packed);

    aero_buf_put_u8(out, ';');
    aero_buf_put_str(out, key);
    aero_buf_put_u8(out, '=');
    aero_b64_put(out, aero_buf_span(&packed));
    out->failed = out->failed || packed.failed;
    aero_buf_fini(&packed);
    return rc;
}

static const char *
type_name(long type)
{
    static const char *const names[] = {NULL, "list", "mapkeys", "mapvalues"};

    return type == OF_SET ? "set" : names[type];
}

static const char *
datatype_name(long datatype)
{
    switch (datatype) {
    case STRING:
        return "string";
    case GEO:
        return "geo2dsphere";
    case BLOB:
        return "blob";
    default:
        return "numeric";
    }
}

/* Servers before 8.1 know the namespace, and a bin's values, by other words.
 */
static void
put_create(void *ctx, const aero_node *node, aero_buf *out)
{
    const Settled *s = ctx;

    if (aero_node_is_build(node, 8, 1, 0)) {
        put_command("sindex-create", aero_buf_span(&s->ask), out);
    }
    else {
        put_command("sindex-create", aero_buf_span(&s->ask_old), out);
    }
}

static void
put_pair(aero_buf *out, const char *key, const char *value)
{
    aero_buf_printf(out, ";%s=%s", key, value);
}

/* Put what both spellings have in common. */
static int
put_common(const Call *call, const IndexWish *wish, aero_buf *out,
           const char *ns_key)
{
    ModState *state = call->state;

    if (info_put_name(state, out, ns_key, wish->ns,
                      "Namespace should be a string") < 0) {
        return -1;
    }
    if (wish->set != NULL && wish->set != Py_None &&
        info_put_name(state, out, "set", wish->set,
                      "Set should be string, unicode or None") < 0) {
        return -1;
    }
    if (info_put_name(state, out, "indexname", wish->name,
                      "Index name should be string or unicode") < 0) {
        return -1;
    }
    if (wish->type != AERO_INDEX_DEFAULT) {
        put_pair(out, "indextype", type_name(wish->type));
    }
    if (wish->ctx != NULL && wish->ctx != Py_None &&
        put_packed(call, out, "context", wish->ctx, index_put_context) < 0) {
        return -1;
    }
    return wish->expr == NULL ? 0
                              : put_packed(call, out, "exp", wish->expr,
                                           index_put_expression);
}

static int
put_texts(const Call *call, const IndexWish *wish, Settled *s)
{
    const char *type = datatype_name(wish->datatype);
    aero_span bin;

    if (put_common(call, wish, &s->ask, "namespace") < 0) {
        return -1;
    }
    if (wish->bin != NULL &&
        info_put_name(call->state, &s->ask, "bin", wish->bin,
                      "Bin should be a string") < 0) {
        return -1;
    }
    if (wish->datatype != ANY) {
        put_pair(&s->ask, "type", type);
    }
    if (put_common(call, wish, &s->ask_old, "ns") < 0) {
        return -1;
    }
    if (wish->bin == NULL) {
        return 0; /* of a set; older servers have no expressions here */
    }
    if (value_as_text(call->state, wish->bin, &bin) < 0) {
        return -1;
    }
    aero_buf_printf(&s->ask_old, ";indexdata=%.*s,%s", (int)bin.len, bin.ptr,
                    type);
    return 0;
}

/* A command about one index; every server takes the older word. */
static int
put_about(Call *call, const char *command, PyObject *ns, PyObject *name,
          aero_buf *out)
{
    aero_buf text = AERO_BUF_INIT;
    int rc = info_put_name(call->state, &text, "ns", ns,
                           "Namespace should be a string");

    if (rc == 0) {
        rc = info_put_name(call->state, &text, "indexname", name,
                           "Index name should be string or unicode");
    }
    if (rc == 0) {
        put_command(command, aero_buf_span(&text), out);
        out->failed = out->failed || text.failed;
    }
    aero_buf_fini(&text);
    return rc;
}

/* ---- creating ---- */

static int
check_names(const Call *call, const IndexWish *wish)
{
    ModState *state = call->state;

    if (!PyUnicode_Check(wish->ns)) {
        raise_param_type(state, "Namespace should be a string");
        return -1;
    }
    if (wish->set != Py_None && !PyUnicode_Check(wish->set)) {
        raise_param_type(state, "Set should be string, unicode or None");
        return -1;
    }
    if (wish->bin != NULL && !PyUnicode_Check(wish->bin)) {
        raise_param_type(state, "Bin should be a string");
        return -1;
    }
    if (!PyUnicode_Check(wish->name)) {
        raise_param_type(state, "Index name should be string or unicode");
        return -1;
    }
    return 0;
}

static int
build_create(Call *call, const IndexWish *wish)
{
    Settled *s;

    if (check_names(call, wish) < 0 ||
        call_take_policy(call, wish->policy, AERO_POLICY_INFO) < 0) {
        return -1;
    }
    s = settled_new(call);
    if (s == NULL || put_texts(call, wish, s) < 0 ||
        put_about(call, "sindex-stat", wish->ns, wish->name, &s->look) < 0) {
        return -1;
    }
    s->settle.ask.put = put_create;
    s->settle.judge = judge_built;
    return 0;
}

/* A number of INDEX_TYPE_* or INDEX_*. */
static int
take_number(ModState *state, PyObject *obj, const char *what, long most,
            long *out)
{
    if (!PyLong_Check(obj)) {
        raise_param_type(state, "%s must be an integer", what);
        return -1;
    }
    *out = PyLong_AsLong(obj);
    PyErr_Clear();
    if (*out < 0 || *out > most) {
        raise_param_value(state, "%s is invalid", what);
        return -1;
    }
    return 0;
}

/* ns, set, bin, name, policy */
static int
build_typed(Call *call, long datatype)
{
    IndexWish wish = {.ns = call->argv[0],
                      .set = call->argv[1],
                      .bin = call->argv[2],
                      .name = call->argv[3],
                      .policy = call->argv[4],
                      .datatype = datatype};

    if (call->face->strict &&
        PyErr_WarnFormat(PyExc_DeprecationWarning, 2,
                         "index_%s_create() is deprecated; use "
                         "index_single_value_create()",
                         datatype == NUMERIC ? "integer"
                                             : datatype_name(datatype)) < 0) {
        return -1;
    }
    return build_create(call, &wish);
}

int
build_index_integer_create(Call *call)
{
    return build_typed(call, NUMERIC);
}

int
build_index_string_create(Call *call)
{
    return build_typed(call, STRING);
}

int
build_index_blob_create(Call *call)
{
    return build_typed(call, BLOB);
}

int
build_index_geo2dsphere_create(Call *call)
{
    return build_typed(call, GEO);
}

/* ns, set, bin, datatype, name, policy, ctx */
static int
build_by_type(Call *call, long type)
{
    IndexWish wish = {.ns = call->argv[0],
                      .set = call->argv[1],
                      .bin = call->argv[2],
                      .name = call->argv[4],
                      .policy = call->argv[5],
                      .ctx = call->argv[6],
                      .type = type};

    if (take_number(call->state, call->argv[3], "Index type", NUMERIC,
                    &wish.datatype) < 0) {
        return -1;
    }
    return build_create(call, &wish);
}

int
build_index_single_value_create(Call *call)
{
    return build_by_type(call, AERO_INDEX_DEFAULT);
}

int
build_index_list_create(Call *call)
{
    return build_by_type(call, AERO_INDEX_LIST);
}

int
build_index_map_keys_create(Call *call)
{
    return build_by_type(call, AERO_INDEX_MAP_KEYS);
}

int
build_index_map_values_create(Call *call)
{
    return build_by_type(call, AERO_INDEX_MAP_VALUES);
}

/* ns, set, bin, type, datatype, name, ctx, policy */
int
build_index_cdt_create(Call *call)
{
    IndexWish wish = {.ns = call->argv[0],
                      .set = call->argv[1],
                      .bin = call->argv[2],
                      .name = call->argv[5],
                      .policy = call->argv[7],
                      .ctx = call->argv[6]};

    if (call->face->strict &&
        PyErr_WarnEx(PyExc_DeprecationWarning,
                     "index_cdt_create() is deprecated; the other methods "
                     "take a ctx",
                     2) < 0) {
        return -1;
    }
    if (take_number(call->state, call->argv[3], "Index type",
                    AERO_INDEX_MAP_VALUES, &wish.type) < 0 ||
        take_number(call->state, call->argv[4], "Index datatype", NUMERIC,
                    &wish.datatype) < 0) {
        return -1;
    }
    if (wish.ctx == Py_None) {
        raise_param_type(call->state, "ctx must be a list of cdt_ctx objects");
        return -1;
    }
    return build_create(call, &wish);
}

/* ns, set, name, policy */
int
build_index_set_create(Call *call)
{
    IndexWish wish = {.ns = call->argv[0],
                      .set = call->argv[1],
                      .name = call->argv[2],
                      .policy = call->argv[3],
                      .type = OF_SET,
                      .datatype = ANY};

    if (wish.set == Py_None) {
        raise_param_type(call->state, "Set should be a string");
        return -1;
    }
    return build_create(call, &wish);
}

/* ns, set, type, datatype, expressions, name, policy */
int
build_index_expr_create(Call *call)
{
    IndexWish wish = {.ns = call->argv[0],
                      .set = call->argv[1],
                      .name = call->argv[5],
                      .policy = call->argv[6],
                      .expr = call->argv[4]};

    if (take_number(call->state, call->argv[2], "Index type",
                    AERO_INDEX_MAP_VALUES, &wish.type) < 0 ||
        take_number(call->state, call->argv[3], "Index datatype", NUMERIC,
                    &wish.datatype) < 0) {
        return -1;
    }
    return build_create(call, &wish);
}

/* ---- removing ---- */

int
build_index_remove(Call *call)
{
    PyObject *ns = call->argv[0];
    PyObject *name = call->argv[1];
    Settled *s;

    if (call_take_policy(call, call->argv[2], AERO_POLICY_INFO) < 0) {
        return -1;
    }
    s = settled_new(call);
    if (s == NULL || put_about(call, "sindex-stat", ns, name, &s->look) < 0 ||
        put_about(call, "sindex-delete", ns, name, &s->ask) < 0) {
        return -1;
    }
    s->settle.judge = judge_gone;
    return 0;
}
