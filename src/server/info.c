/* Info requests: finding each command, its parameters, its errors.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "aero/wire/frame.h"
#include "info.h"
#include "security.h"

enum {
    NAME_MAX_LEN = 31
};

typedef enum kind {
    PLAIN,
    SUMMARY,
    EE
} kind;

typedef enum need {
#define NEED(id, text, may) NEED_##id,
#include "tables/need.def"
#undef NEED
} need;

static const struct {
    const char *text;
    unsigned may;
} needs[] = {
#define NEED(id, text, may) {text, may},
#include "tables/need.def"
#undef NEED
};

typedef struct row {
    const char *name;
    void (*run)(srv_info *info);
    kind kind;
    need need;
} row;

static const row rows[] = {
#define INFO(name, fn, kind, need) {name, srv_info_##fn, kind, NEED_##need},
#include "tables/info.def"
#undef INFO
};

enum {
    N_ROWS = sizeof rows / sizeof rows[0]
};

/* What a request without commands is answered with, in this order. */
static const char *const summary[] = {
    "features",        "node",         "compatibility-id",
    "edition",         "build_ee_sha", "build_sha",
    "build_arch",      "build_time",   "build_os",
    "build",           "version",      "statistics",
    "services-alumni", "services",     "partition-generation",
};

/* ---- answers ---- */

void
srv_info_ok(srv_info *info)
{
    aero_buf_put_str(info->out, "ok");
}

void
srv_info_error(srv_info *info, int code, const char *fmt, ...)
{
    char text[256];
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    if (code == AERO_ERR_SERVER) {
        aero_buf_printf(info->out, "ERROR::%s", text);
    }
    else {
        aero_buf_printf(info->out, "ERROR:%d:%s", code, text);
    }
}

/* ---- parameters ---- */

static srv_param
refuse(srv_info *info, const char *name, const char *fmt)
{
    char text[128];
    int code = strcmp(name, "namespace") == 0 ? AERO_ERR_NAMESPACE_NOT_FOUND
                                              : AERO_ERR_REQUEST_INVALID;

    snprintf(text, sizeof text, fmt, name);
    srv_info_error(info, code, "%s", text);
    return SRV_PARAM_BAD;
}

/* The first "name=" among the parameters. */
static bool
find_pair(aero_span params, const char *name, aero_span *value)
{
    size_t len = strlen(name);

    while (params.len != 0) {
        aero_span pair = aero_span_cut(&params, ';');

        if (pair.len > len && pair.ptr[len] == '=' &&
            memcmp(pair.ptr, name, len) == 0) {
            *value = aero_span_skip(pair, len + 1);
            return true;
        }
    }
    return false;
}

srv_param
srv_info_param_alias(srv_info *info, const char *name, const char *alias,
                     size_t most, bool needed, aero_span *value)
{
    if (!find_pair(info->params, name, value) &&
        (alias == NULL || !find_pair(info->params, alias, value))) {
        return needed ? refuse(info, name, "missing '%s'") : SRV_PARAM_MISSING;
    }
    if (value->len > most) {
        return refuse(info, name, "'%s' value too long");
    }
    return value->len == 0 ? refuse(info, name, "missing '%s' value")
                           : SRV_PARAM_GIVEN;
}

srv_param
srv_info_param(srv_info *info, const char *name, size_t most, bool needed,
               aero_span *value)
{
    return srv_info_param_alias(info, name, NULL, most, needed, value);
}

srv_ns *
srv_info_ns(srv_info *info, const char *alias, bool needed, srv_param *param)
{
    aero_span name;
    srv_ns *ns = NULL;

    *param = srv_info_param_alias(info, "namespace", alias, AERO_NAMESPACE_MAX,
                                  needed, &name);
    if (*param == SRV_PARAM_GIVEN) {
        ns = srv_core_ns(info->call->core, name);
        if (ns == NULL) {
            srv_info_error(info, AERO_ERR_NAMESPACE_NOT_FOUND,
                           "namespace not found on node");
            *param = SRV_PARAM_BAD;
        }
    }
    return ns;
}

bool
srv_info_u64(aero_span text, uint64_t *out)
{
    char digits[32];
    char *end;

    if (text.len == 0 || text.len >= sizeof digits || !isdigit(text.ptr[0])) {
        return false;
    }
    memcpy(digits, text.ptr, text.len);
    digits[text.len] = '\0';
    *out = strtoull(digits, &end, 0);
    return *end == '\0';
}

/* ---- finding and running ---- */

static int
compare_name(const void *key, const void *element)
{
    return aero_span_compare(*(const aero_span *)key,
                             aero_span_str(((const row *)element)->name));
}

static const row *
find_row(aero_span name)
{
    if (name.len > NAME_MAX_LEN) {
        return NULL;
    }
    return bsearch(&name, rows, N_ROWS, sizeof rows[0], compare_name);
}

/* The name ends at the first of three marks. */
static aero_span
cut_name(aero_span *command)
{
    aero_span name = *command;

    for (size_t i = 0; i < command->len; i++) {
        if (strchr("/:;", command->ptr[i]) != NULL && command->ptr[i] != 0) {
            name.len = i;
            *command = aero_span_skip(*command, i + 1);
            return name;
        }
    }
    *command = aero_span_skip(*command, command->len);
    return name;
}

static bool
may_run(srv_info *info, const row *found)
{
    const srv_call *call = info->call;
    int code;

    if (found->kind == EE && !call->core->enterprise) {
        srv_info_error(info, AERO_ERR_ENTERPRISE_ONLY, "enterprise only");
        return false;
    }
    if (found->need == NEED_NONE) {
        return true;
    }
    code = srv_security_check_admin(call->core, call->who,
                                    needs[found->need].may);
    if (code != AERO_ERR_OK) {
        srv_info_error(info, code, "role violation - requires permission '%s'",
                       needs[found->need].text);
    }
    return code == AERO_ERR_OK;
}

static void
run_command(srv_info *info, aero_span command)
{
    const row *found;
    const uint8_t *nul =
        command.len == 0 ? NULL : memchr(command.ptr, 0, command.len);

    if (nul != NULL) {
        command.len = (size_t)(nul - command.ptr);
    }
    aero_buf_put_span(info->out, command);
    aero_buf_put_str(info->out, "\t");
    info->params = command;
    found = find_row(cut_name(&info->params));
    if (found == NULL) {
        srv_info_error(info, AERO_ERR_REQUEST_INVALID, "unrecognized command");
    }
    else if (may_run(info, found)) {
        found->run(info);
    }
    aero_buf_put_str(info->out, "\n");
}

void
srv_info_answer(srv_info *info, aero_span body, aero_buf *out)
{
    size_t mark = aero_frame_open(out, AERO_FRAME_INFO);
    aero_span command;

    info->out = out;
    info->call->node->infos++;
    if (srv_security_check_login(info->call->core, info->call->who) !=
        AERO_ERR_OK) {
        srv_info_error(info, AERO_ERR_NOT_AUTHENTICATED, "not authenticated");
        aero_buf_put_str(out, "\n");
    }
    else if (body.len == 0) {
        for (size_t i = 0; i < sizeof summary / sizeof summary[0]; i++) {
            run_command(info, aero_span_str(summary[i]));
        }
    }
    else {
        while (aero_info_take_command(&body, &command)) {
            run_command(info, command);
        }
    }
    aero_frame_close(out, mark);
}

void
srv_info_help(srv_info *info)
{
    const char *mark = "";

    for (size_t i = 0; i < N_ROWS; i++) {
        if ((rows[i].kind != EE || info->call->core->enterprise) &&
            (rows[i].run != srv_info_local || info->call->core->control)) {
            aero_buf_printf(info->out, "%s%s", mark, rows[i].name);
            mark = ";";
        }
    }
}
