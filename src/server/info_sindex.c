/* Info commands about secondary indexes.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <strings.h>

#include "aero/base/b64.h"
#include "aero/base/clock.h"
#include "info.h"
#include "index_text.h"
#include "sindex.h"

enum {
    CODE_TEXT_MAX = 2048, /* of contexts and expressions, in base64 */
    TYPE_TEXT_MAX = 63,
    DATA_TEXT_MAX = AERO_BIN_NAME_MAX + 1 + 11,
    LAST_TYPES = 4
};

static const struct {
    const char *name;
    uint8_t particle;
} types[LAST_TYPES] = {
    {"numeric", AERO_PARTICLE_INTEGER},
    {"string", AERO_PARTICLE_STRING},
    {"blob", AERO_PARTICLE_BLOB},
    {"geo2dsphere", AERO_PARTICLE_GEOJSON},
};

static const char *const kinds[] = {"default", "list", "mapkeys", "mapvalues"};

static const char *
type_name(uint8_t particle)
{
    int i = 0;

    while (types[i].particle != particle) {
        i++;
    }
    return types[i].name;
}

static bool
is_text(aero_span span, const char *text)
{
    return span.len == strlen(text) &&
           strncasecmp((const char *)span.ptr, text, span.len) == 0;
}

/* ---- sindex-create ---- */

typedef struct request {
    srv_info *info;
    srv_index_def def;
    aero_span name;
    aero_span ns;
    aero_span set;
    aero_buf context; /* owned */
    aero_buf expression;
} request;

/* `text` says what is wrong; false, always. */
static bool
refuse(request *r, const char *text)
{
    srv_info_error(r->info, AERO_ERR_REQUEST_INVALID, "%s", text);
    return false;
}

static bool
is_given(request *r, const char *name)
{
    aero_span value;

    return aero_info_pair(r->info->params, ';', name, &value);
}

static bool
take_names(request *r)
{
    return srv_info_param(r->info, "indexname", SRV_INDEX_NAME_MAX, true,
                          &r->name) == SRV_PARAM_GIVEN &&
           srv_info_param_alias(r->info, "namespace", "ns", AERO_NAMESPACE_MAX,
                                true, &r->ns) == SRV_PARAM_GIVEN &&
           srv_info_param(r->info, "set", AERO_SET_MAX, false, &r->set) !=
               SRV_PARAM_BAD;
}

static bool
take_set_index(request *r)
{
    static const char *const others[] = {"bin", "type", "indexdata", "context",
                                         "exp"};

    r->def.kind = SRV_INDEX_SET;
    if (r->set.len == 0) {
        return refuse(r, "missing 'set'");
    }
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        if (is_given(r, others[i])) {
            srv_info_error(r->info, AERO_ERR_REQUEST_INVALID,
                           "%s parameter is not supported for set index",
                           others[i]);
            return false;
        }
    }
    return true;
}

static bool
take_context(request *r)
{
    aero_span text;
    srv_param found =
        srv_info_param(r->info, "context", CODE_TEXT_MAX, false, &text);

    if (found != SRV_PARAM_GIVEN) {
        return found == SRV_PARAM_MISSING;
    }
    if (!aero_b64_take(text, &r->context)) {
        return refuse(r, "'context' invalid base64");
    }
    switch (srv_context_check(aero_buf_span(&r->context))) {
    case SRV_CONTEXT_BAD:
        return refuse(r, "'context' invalid cdt context");
    case SRV_CONTEXT_LONG:
        return refuse(r, "'context' not normalized msgpack");
    default:
        r->def.context = aero_buf_span(&r->context);
        return true;
    }
}

static bool
take_kind(request *r, aero_span text)
{
    for (uint8_t i = 0; text.len != 0 && i < SRV_INDEX_SET; i++) {
        if (is_text(text, kinds[i])) {
            r->def.kind = i;
            return true;
        }
    }
    return text.len == 0 ||
           refuse(r, "bad 'indextype' - must be one of 'default', 'list', "
                     "'mapkeys', 'mapvalues'");
}

static bool
take_type(request *r, aero_span text, const char *what)
{
    for (size_t i = 0; i < LAST_TYPES; i++) {
        if (is_text(text, types[i].name)) {
            r->def.particle = types[i].particle;
            return true;
        }
    }
    srv_info_error(r->info, AERO_ERR_REQUEST_INVALID,
                   "bad %s - must be one of 'numeric', 'string', 'blob', "
                   "'geo2dsphere'",
                   what);
    return false;
}

/* The older form: "<bin>,<type>". */
static bool
take_data(request *r)
{
    aero_span text;

    if (srv_info_param(r->info, "indexdata", DATA_TEXT_MAX, true, &text) !=
        SRV_PARAM_GIVEN) {
        return false;
    }
    if (memchr(text.ptr, ',', text.len) == NULL) {
        return refuse(r, "'indexdata' missing bin type");
    }
    r->def.bin = aero_span_cut(&text, ',');
    if (r->def.bin.len == 0) {
        return refuse(r, "'indexdata' missing bin name");
    }
    if (r->def.bin.len > AERO_BIN_NAME_MAX) {
        return refuse(r, "'indexdata' bin name too long");
    }
    return take_type(r, text, "'indexdata' bin type");
}

/* What the expression must give, by its name. */
static const char *
type_wanted(const request *r)
{
    switch (r->def.kind) {
    case SRV_INDEX_VALUE:
        return type_name(r->def.particle);
    case SRV_INDEX_LIST:
        return "list";
    default:
        return "map";
    }
}

static const char *
type_given(uint8_t particle)
{
    switch (particle) {
    case AERO_PARTICLE_BOOL:
        return "bool";
    case AERO_PARTICLE_FLOAT:
        return "float";
    case AERO_PARTICLE_LIST:
        return "list";
    case AERO_PARTICLE_MAP:
        return "map";
    case AERO_PARTICLE_HLL:
        return "hll";
    case AERO_PARTICLE_INTEGER:
    case AERO_PARTICLE_STRING:
    case AERO_PARTICLE_BLOB:
    case AERO_PARTICLE_GEOJSON:
        return type_name(particle);
    default:
        return "nil";
    }
}

static bool
check_expression(request *r)
{
    aero_exp *exp = NULL;
    const char *given;
    bool good;

    if (aero_exp_build(r->def.expression, &exp) != AERO_ERR_OK) {
        return refuse(r, "bad 'exp'");
    }
    given = type_given(aero_exp_particle(exp));
    good = aero_exp_is_of_bins(exp);
    aero_exp_free(exp);
    if (!good) {
        return refuse(r, "bad 'exp'");
    }
    if (strcmp(given, type_wanted(r)) != 0) {
        srv_info_error(r->info, AERO_ERR_REQUEST_INVALID,
                       "bad 'exp' - expression type '%s' does not match "
                       "expected type '%s'",
                       given, type_wanted(r));
        return false;
    }
    return true;
}

static bool
take_expression(request *r, aero_span text)
{
    if (r->def.context.len != 0) {
        return refuse(r, "both 'context' and 'exp' are specified");
    }
    if (!aero_b64_take(text, &r->expression) || r->expression.len == 0) {
        return refuse(r, "bad 'exp'");
    }
    r->def.expression = aero_buf_span(&r->expression);
    return check_expression(r);
}

static bool
take_source(request *r)
{
    aero_span type;
    aero_span exp;
    srv_param has_exp;
    srv_param has_bin;

    if (srv_info_param(r->info, "type", TYPE_TEXT_MAX, true, &type) !=
            SRV_PARAM_GIVEN ||
        !take_type(r, type, "'type'")) {
        return false;
    }
    has_bin =
        srv_info_param(r->info, "bin", AERO_BIN_NAME_MAX, false, &r->def.bin);
    if (has_bin == SRV_PARAM_BAD) {
        return false;
    }
    has_exp = srv_info_param(r->info, "exp", CODE_TEXT_MAX, false, &exp);
    if (has_exp == SRV_PARAM_BAD) {
        return false;
    }
    if (has_bin == has_exp) {
        return refuse(r, has_bin == SRV_PARAM_GIVEN
                             ? "both 'bin' and 'exp' are specified"
                             : "both 'bin' and 'exp' are missing");
    }
    return has_exp == SRV_PARAM_MISSING || take_expression(r, exp);
}

static bool
take_subject(request *r, aero_span kind)
{
    bool has_type = is_given(r, "type");
    bool has_data = is_given(r, "indexdata");

    if (!take_context(r) || !take_kind(r, kind)) {
        return false;
    }
    if (has_type == has_data) {
        return refuse(r, has_type ? "both 'indexdata' and 'type' are specified"
                                  : "both 'indexdata' and 'type' are missing");
    }
    if (!(has_data ? take_data(r) : take_source(r))) {
        return false;
    }
    if (r->def.kind == SRV_INDEX_MAP_KEYS &&
        r->def.particle == AERO_PARTICLE_GEOJSON) {
        return refuse(r, "bad 'indexdata' bin type for 'indextype' 'mapkeys' "
                         "- must be one of 'numeric', 'string', 'blob'");
    }
    return true;
}

/* An unknown namespace is no error, as for all that the cluster is told. */
static void
create(request *r)
{
    srv_ns *ns = srv_core_ns(r->info->call->core, r->ns);
    int code = AERO_ERR_OK;

    if (ns != NULL) {
        if (r->set.len != 0) {
            r->def.set = srv_set_make(ns, r->set);
        }
        code = r->set.len != 0 && r->def.set == 0
                   ? AERO_ERR_SERVER
                   : srv_index_create(ns->indexes, r->name, &r->def);
    }
    switch (code) {
    case AERO_ERR_OK:
        if (ns != NULL && r->def.kind == SRV_INDEX_SET) {
            srv_set_of(ns, r->def.set)->config[SRV_SET_enable_index] = 1;
        }
        srv_info_ok(r->info);
        break;
    case AERO_ERR_INDEX_FOUND:
        srv_info_error(r->info, code,
                       "'indexname' already exists with different definition");
        break;
    case AERO_ERR_INDEX_MAXCOUNT:
        srv_info_error(r->info, code, "too many sindexes");
        break;
    default:
        srv_info_error(r->info, code, "no memory for the index");
    }
}

void
srv_info_sindex_create(srv_info *info)
{
    request r = {.info = info};
    aero_span kind = {NULL, 0};

    if (take_names(&r) &&
        srv_info_param(info, "indextype", TYPE_TEXT_MAX, false, &kind) !=
            SRV_PARAM_BAD &&
        (is_text(kind, "set") ? take_set_index(&r) : take_subject(&r, kind))) {
        create(&r);
    }
    aero_buf_fini(&r.context);
    aero_buf_fini(&r.expression);
}

/* ---- the others ---- */

/* The real server looks at both parameters even when the first is wrong, and
 * goes on if the second is right. */
void
srv_info_sindex_delete(srv_info *info)
{
    aero_span ns_name;
    aero_span name = {NULL, 0};
    srv_ns *ns;
    srv_index *index;

    if (srv_info_param(info, "indexname", SRV_INDEX_NAME_MAX, true, &name) !=
        SRV_PARAM_GIVEN) {
        name.len = 0;
    }
    if (srv_info_param_alias(info, "namespace", "ns", AERO_NAMESPACE_MAX, true,
                             &ns_name) != SRV_PARAM_GIVEN) {
        return;
    }
    ns = srv_core_ns(info->call->core, ns_name);
    index = ns == NULL ? NULL : srv_index_named(ns->indexes, name);
    if (index != NULL) {
        if (index->def.kind == SRV_INDEX_SET) {
            srv_set_of(ns, index->def.set)->config[SRV_SET_enable_index] = 0;
        }
        srv_index_remove(ns->indexes, index);
    }
    srv_info_ok(info);
}

/* False: the namespace was wrong, and that was answered. */
static bool
find_named(srv_info *info, srv_index **index)
{
    aero_span name = {NULL, 0};
    srv_param found;
    srv_ns *ns;

    if (srv_info_param(info, "indexname", SRV_INDEX_NAME_MAX, true, &name) !=
        SRV_PARAM_GIVEN) {
        name.len = 0;
    }
    ns = srv_info_ns(info, "ns", true, &found);
    *index = ns == NULL ? NULL : srv_index_named(ns->indexes, name);
    return ns != NULL;
}

void
srv_info_sindex_exists(srv_info *info)
{
    srv_index *index;

    if (find_named(info, &index)) {
        aero_buf_put_str(info->out, index != NULL ? "true" : "false");
    }
}

/* Entries of the partitions that the node holds. */
static uint64_t
entries_of(const srv_info *info, const srv_index *index)
{
    const srv_view *view = &info->call->core->cluster.view;
    uint64_t count = 0;

    for (unsigned p = 0; p < AERO_PARTITIONS; p++) {
        if (srv_view_replica(view, info->call->node->index, p) >= 0) {
            count += index->parts[p].count;
        }
    }
    return count;
}

static void
put_stat(srv_info *info, const srv_index *index)
{
    uint64_t entries = entries_of(info, index);
    uint64_t used = srv_index_used(index, entries);

    aero_buf_printf(info->out, "entries=%llu;used_bytes=%llu",
                    (unsigned long long)entries, (unsigned long long)used);
    if (index->def.kind != SRV_INDEX_SET) {
        aero_buf_put_str(info->out, ";entries_per_bval=0;entries_per_rec=0");
    }
    aero_buf_printf(info->out, ";load_pct=%u",
                    index->built * 100 / AERO_PARTITIONS);
    if (index->def.kind != SRV_INDEX_SET) {
        aero_buf_printf(info->out, ";load_time=%llu;stat_gc_recs=0",
                        (unsigned long long)index->load_ms);
    }
}

void
srv_info_sindex_stat(srv_info *info)
{
    srv_index *index;

    if (!find_named(info, &index)) {
        return;
    }
    if (index == NULL) {
        srv_info_error(info, AERO_ERR_INDEX_NOT_FOUND, "no index");
    }
    else {
        put_stat(info, index);
    }
}

/* ---- lists ---- */

static void
put_code(aero_buf *out, const char *name, aero_span code, bool b64,
         void (*put)(aero_buf *out, aero_span code))
{
    aero_buf_printf(out, ":%s=", name);
    if (code.len == 0) {
        aero_buf_put_str(out, "null");
    }
    else if (b64) {
        aero_b64_put(out, code);
    }
    else {
        put(out, code);
    }
}

static void
put_index(const srv_ns *ns, const srv_index *index, bool b64, aero_buf *out)
{
    const srv_index_def *def = &index->def;
    aero_span set = srv_set_name(ns, def->set);

    aero_buf_printf(out, "ns=%s:indexname=%s:set=%s", ns->name, index->name,
                    set.len != 0 ? (const char *)set.ptr : "null");
    if (def->kind == SRV_INDEX_SET) {
        aero_buf_put_str(out, ":indextype=set");
        return;
    }
    aero_buf_put_str(out, ":bin=");
    if (def->bin.len == 0) {
        aero_buf_put_str(out, "null");
    }
    aero_buf_put_span(out, def->bin);
    aero_buf_printf(out, ":type=%s:indextype=%s", type_name(def->particle),
                    kinds[def->kind]);
    put_code(out, "context", def->context, b64, srv_put_context_text);
    put_code(out, "exp", def->expression, b64, srv_put_expression_text);
    aero_buf_printf(out, ":state=%s", srv_index_is_built(index) ? "RW" : "WO");
}

/* Those of sets come last; one without a name was not asked for by one. */
static void
put_indexes(const srv_ns *ns, bool of_sets, bool b64, const char **mark,
            aero_buf *out)
{
    for (srv_index *index = ns->indexes->first; index != NULL;
         index = index->next) {
        if ((index->def.kind == SRV_INDEX_SET) == of_sets &&
            index->name[0] != '\0') {
            aero_buf_put_str(out, *mark);
            put_index(ns, index, b64, out);
            *mark = ";";
        }
    }
}

static void
put_list(srv_info *info, const srv_ns *one, bool b64)
{
    const srv_core *core = info->call->core;
    const char *mark = "";

    for (int of_sets = 0; of_sets < 2; of_sets++) {
        for (unsigned i = 0; i < core->n_ns; i++) {
            if (one == NULL || core->ns[i] == one) {
                put_indexes(core->ns[i], of_sets, b64, &mark, info->out);
            }
        }
    }
}

void
srv_info_sindex_list(srv_info *info)
{
    srv_param found;
    srv_ns *ns = srv_info_ns(info, "ns", false, &found);
    aero_span text = {NULL, 0};

    if (found == SRV_PARAM_BAD) {
        /* Said for the indexes, and again for the indexes of sets. */
        aero_buf_put_str(info->out, ";");
        srv_info_ns(info, "ns", false, &found);
        return;
    }
    if (srv_info_param(info, "b64", TYPE_TEXT_MAX, false, &text) ==
        SRV_PARAM_BAD) {
        return;
    }
    if (text.len != 0 && !is_text(text, "true") && !is_text(text, "false")) {
        srv_info_error(info, AERO_ERR_REQUEST_INVALID, "bad b64");
        return;
    }
    put_list(info, ns, is_text(text, "true"));
}

/* The old form: sindex/<namespace>/<index>. */
void
srv_info_sindex(srv_info *info)
{
    aero_span name = info->params;
    bool one = name.len != 0 && memchr(name.ptr, '/', name.len) != NULL;
    aero_span ns_name = aero_span_cut(&name, '/');
    srv_ns *ns = srv_core_ns(info->call->core, ns_name);
    srv_index *index;

    if (info->params.len == 0 || (ns != NULL && !one)) {
        put_list(info, ns, false);
        return;
    }
    if (ns == NULL) {
        aero_buf_put_str(info->out, "ns_type=unknown");
        return;
    }
    index = srv_index_named(ns->indexes, name);
    if (index == NULL) {
        srv_info_error(info, AERO_ERR_INDEX_NOT_FOUND, "no index");
    }
    else {
        put_stat(info, index);
    }
}
