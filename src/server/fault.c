/* Faults: setting, finding, forgetting.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>

#include "aero/base/alloc.h"
#include "fault.h"

enum {
    USUAL_GARBAGE = 64,
    DATA_CLASSES = 1 << SRV_CLASS_READ | 1 << SRV_CLASS_WRITE |
                   1 << SRV_CLASS_BATCH | 1 << SRV_CLASS_QUERY,
    ALL_CLASSES = (1 << SRV_CLASSES) - 1
};

static const char *const class_names[SRV_CLASSES] = {
    "read", "write", "batch", "query", "info", "admin",
};

static const char *const kind_names[SRV_FAULTS] = {
    "drop",    "drop-after", "delay",     "code",      "cut",       "stall",
    "garbage", "refuse",     "map-stale", "map-wrong", "map-empty",
};

const char *
srv_class_name(srv_class which)
{
    return class_names[which];
}

/* ---- words ---- */

bool
srv_words_take(aero_span *line, aero_span *key, aero_span *value)
{
    size_t len = 0;

    while (line->len != 0 && strchr(" ;\t", line->ptr[0]) != NULL) {
        *line = aero_span_skip(*line, 1);
    }
    while (len < line->len && line->ptr[len] != '\0' &&
           strchr(" ;\t", line->ptr[len]) == NULL) {
        len++;
    }
    *value = aero_span_of(line->ptr, len);
    *line = aero_span_skip(*line, len);
    *key = aero_span_cut(value, '=');
    return len != 0;
}

static int
find_word(const char *const *words, int count, aero_span word)
{
    for (int i = 0; i < count; i++) {
        if (aero_span_is(word, words[i])) {
            return i;
        }
    }
    return -1;
}

/* ---- striking ---- */

const srv_fault *
srv_faults_strike(srv_faults *faults, unsigned kinds, unsigned node,
                  srv_class which, aero_span ns)
{
    for (srv_fault *f = faults->first; f != NULL; f = f->next) {
        if ((kinds & 1U << f->kind) == 0 || f->times == 0 ||
            (f->node >= 0 && f->node != (int)node) ||
            (f->classes & 1U << which) == 0 ||
            (f->ns[0] != '\0' && !aero_span_is(ns, f->ns))) {
            continue;
        }
        f->hits++;
        if (f->times > 0) {
            f->times--;
        }
        return f;
    }
    return NULL;
}

bool
srv_faults_view(const srv_faults *faults, const srv_cluster *cluster,
                const srv_node *node, srv_view *view, unsigned *who)
{
    for (const srv_fault *f = faults->first; f != NULL; f = f->next) {
        if (f->kind < SRV_FAULT_MAP_STALE || f->times == 0 ||
            (f->node >= 0 && f->node != (int)node->index)) {
            continue;
        }
        if (f->kind == SRV_FAULT_MAP_STALE) {
            *view = f->view;
        }
        else if (f->kind == SRV_FAULT_MAP_WRONG) {
            *who = (node->index + 1) % cluster->count;
        }
        else {
            view->replicas = 0;
        }
        return true;
    }
    return false;
}

/* ---- setting ---- */

static bool
read_classes(aero_span text, unsigned *classes)
{
    *classes = 0;
    while (text.len != 0) {
        aero_span word = aero_span_cut(&text, ',');
        int which = find_word(class_names, SRV_CLASSES, word);

        if (aero_span_is(word, "any")) {
            *classes = ALL_CLASSES;
        }
        else if (which >= 0) {
            *classes |= 1U << which;
        }
        else {
            return false;
        }
    }
    return *classes != 0;
}

static bool
read_u32(aero_span text, uint32_t most, uint32_t *out)
{
    int64_t number;

    if (!aero_info_number(text, &number) || number < 0 || number > most) {
        return false;
    }
    *out = (uint32_t)number;
    return true;
}

static bool
set_key(srv_fault *f, const srv_cluster *cluster, aero_span key,
        aero_span value)
{
    uint32_t number;

    if (aero_span_is(key, "kind")) {
        int kind = find_word(kind_names, SRV_FAULTS, value);

        f->kind = (srv_fault_kind)kind;
        return kind >= 0;
    }
    if (aero_span_is(key, "class")) {
        return read_classes(value, &f->classes);
    }
    if (aero_span_is(key, "ns")) {
        if (value.len > AERO_NAMESPACE_MAX) {
            return false;
        }
        memcpy(f->ns, value.ptr, value.len);
        f->ns[value.len] = '\0';
        return true;
    }
    if (!read_u32(value, UINT32_MAX, &number)) {
        return false;
    }
    if (aero_span_is(key, "node") && number < cluster->count) {
        f->node = (int)number;
    }
    else if (aero_span_is(key, "times")) {
        f->times = number;
    }
    else if (aero_span_is(key, "ms")) {
        f->ms = number;
    }
    else if (aero_span_is(key, "bytes")) {
        f->bytes = number;
    }
    else if (aero_span_is(key, "code") && number <= UINT8_MAX) {
        f->code = (uint8_t)number;
    }
    else {
        return false;
    }
    return true;
}

static aero_rc
read_fault(srv_fault *f, const srv_cluster *cluster, aero_span text,
           aero_status *st)
{
    aero_span key;
    aero_span value;

    f->kind = SRV_FAULTS;
    f->node = -1;
    f->classes = DATA_CLASSES;
    f->times = -1;
    f->view = cluster->view;
    while (srv_words_take(&text, &key, &value)) {
        if (!set_key(f, cluster, key, value)) {
            return aero_fail(st, AERO_ERR_PARAM, "bad '%.*s=%.*s'",
                             (int)key.len, key.ptr, (int)value.len, value.ptr);
        }
    }
    if (f->kind == SRV_FAULTS) {
        return aero_fail(st, AERO_ERR_PARAM, "a fault needs kind=");
    }
    if (f->kind == SRV_FAULT_CODE && f->code == 0) {
        return aero_fail(st, AERO_ERR_PARAM, "kind=code needs code=");
    }
    if (f->kind == SRV_FAULT_GARBAGE && f->bytes == 0) {
        f->bytes = USUAL_GARBAGE;
    }
    return AERO_OK;
}

unsigned
srv_faults_add(srv_faults *faults, const srv_cluster *cluster, aero_span text,
               aero_status *st)
{
    srv_fault **link = &faults->first;
    srv_fault *f = aero_zalloc(sizeof *f);

    if (f == NULL) {
        aero_fail(st, AERO_ERR_CLIENT, "no memory for a fault");
        return 0;
    }
    if (read_fault(f, cluster, text, st) != AERO_OK) {
        aero_free(f);
        return 0;
    }
    while (*link != NULL) {
        link = &(*link)->next;
    }
    *link = f;
    f->id = ++faults->last_id;
    return f->id;
}

/* ---- forgetting, telling ---- */

unsigned
srv_faults_clear(srv_faults *faults, unsigned id, int node)
{
    srv_fault **link = &faults->first;
    unsigned count = 0;

    while (*link != NULL) {
        srv_fault *f = *link;

        if ((id == 0 || f->id == id) && (node < 0 || f->node == node)) {
            *link = f->next;
            aero_free(f);
            count++;
        }
        else {
            link = &f->next;
        }
    }
    return count;
}

void
srv_faults_put(const srv_faults *faults, aero_buf *out)
{
    const char *mark = "";

    for (const srv_fault *f = faults->first; f != NULL; f = f->next) {
        aero_buf_printf(out, "%sid=%u kind=%s hits=%llu left=%lld", mark,
                        f->id, kind_names[f->kind],
                        (unsigned long long)f->hits, (long long)f->times);
        if (f->node >= 0) {
            aero_buf_printf(out, " node=%d", f->node);
        }
        mark = ", ";
    }
}

void
srv_faults_fini(srv_faults *faults)
{
    srv_faults_clear(faults, 0, -1);
}
