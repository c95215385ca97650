/* Info commands about records, indexes, modules and queries.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "aero/base/b64.h"
#include "info.h"

enum {
    LUT_TEXT_MAX = 23,
    ID_TEXT_MAX = 25
};

/* ---- truncation ---- */

/* The moment up to which records go, in milliseconds since 2010. */
static bool
read_lut(srv_info *info, uint64_t *lut)
{
    uint64_t now = srv_clock_ms(&info->call->core->clock);
    char digits[LUT_TEXT_MAX + 1] = "";
    aero_span text;
    srv_param found = srv_info_param(info, "lut", LUT_TEXT_MAX, false, &text);
    uint64_t ms;

    *lut = now;
    if (found != SRV_PARAM_GIVEN) {
        return found == SRV_PARAM_MISSING;
    }
    memcpy(digits, text.ptr, text.len);
    ms = strtoull(digits, NULL, 0) / AERO_NS_PER_MS;
    if (ms <= (uint64_t)AERO_EPOCH_2010 * 1000) {
        srv_info_error(info, AERO_ERR_REQUEST_INVALID, "would truncate to 0");
        return false;
    }
    *lut = ms - (uint64_t)AERO_EPOCH_2010 * 1000;
    if (*lut > now) {
        srv_info_error(info, AERO_ERR_REQUEST_INVALID,
                       "would truncate in the future");
        return false;
    }
    return true;
}

static void
truncate_some(srv_info *info, bool one_set)
{
    aero_span name;
    aero_span set = {NULL, 0};
    uint64_t lut;
    srv_ns *ns;
    uint16_t id = 0;

    if (srv_info_param(info, "namespace", AERO_NAMESPACE_MAX, true, &name) !=
            SRV_PARAM_GIVEN ||
        (one_set && srv_info_param(info, "set", AERO_SET_MAX, true, &set) !=
                        SRV_PARAM_GIVEN) ||
        !read_lut(info, &lut)) {
        return;
    }
    ns = srv_core_ns(info->call->core, name);
    if (ns != NULL && one_set) {
        id = srv_set_find(ns, set);
    }
    if (ns != NULL && (!one_set || id != 0)) {
        srv_ns_truncate(ns, id, lut);
        *(one_set ? &srv_set_of(ns, id)->truncate_lut : &ns->truncate_lut) =
            lut;
    }
    srv_info_ok(info); /* whatever was named */
}

void
srv_info_truncate_set(srv_info *info)
{
    truncate_some(info, true);
}

void
srv_info_truncate_namespace(srv_info *info)
{
    truncate_some(info, false);
}

static void
undo(srv_info *info, bool one_set)
{
    aero_span name;
    aero_span set = {NULL, 0};
    srv_ns *ns;
    uint16_t id;

    if (srv_info_param(info, "namespace", AERO_NAMESPACE_MAX, true, &name) !=
            SRV_PARAM_GIVEN ||
        (one_set && srv_info_param(info, "set", AERO_SET_MAX, true, &set) !=
                        SRV_PARAM_GIVEN)) {
        return;
    }
    ns = srv_core_ns(info->call->core, name);
    if (ns != NULL && !one_set) {
        ns->truncate_lut = 0;
    }
    id = ns != NULL ? srv_set_find(ns, set) : 0;
    if (id != 0) {
        srv_set_of(ns, id)->truncate_lut = 0;
    }
    srv_info_ok(info);
}

void
srv_info_truncate_undo(srv_info *info)
{
    undo(info, true);
}

void
srv_info_truncate_namespace_undo(srv_info *info)
{
    undo(info, false);
}

/* ---- queries ---- */

void
srv_info_query_show(srv_info *info)
{
    const srv_jobs *jobs = &info->call->core->jobs;
    unsigned node = info->call->node->index;
    const char *mark = "";
    const srv_job *job;
    aero_span text;
    uint64_t id = 0;
    srv_param found =
        srv_info_param_alias(info, "id", "trid", ID_TEXT_MAX, false, &text);

    if (found == SRV_PARAM_BAD) {
        return;
    }
    if (found == SRV_PARAM_GIVEN) {
        job = srv_info_u64(text, &id) ? srv_jobs_find(jobs, id, node) : NULL;
        if (id == 0) {
            srv_info_error(info, AERO_ERR_REQUEST_INVALID, "bad id");
        }
        else if (job == NULL) {
            srv_info_error(info, AERO_ERR_RECORD_NOT_FOUND, "job not found");
        }
        else {
            srv_job_put(job, info->out);
        }
        return;
    }
    for (job = jobs->first; job != NULL; job = job->next) {
        if (job->node == node) {
            aero_buf_put_str(info->out, mark);
            srv_job_put(job, info->out);
            mark = ";";
        }
    }
}

void
srv_info_query_abort(srv_info *info)
{
    aero_span text;
    uint64_t id = 0;
    srv_job *job;

    if (srv_info_param_alias(info, "id", "trid", ID_TEXT_MAX, true, &text) !=
        SRV_PARAM_GIVEN) {
        return;
    }
    if (!srv_info_u64(text, &id) || id == 0) {
        srv_info_error(info, AERO_ERR_REQUEST_INVALID, "bad id");
        return;
    }
    job = srv_jobs_find(&info->call->core->jobs, id, info->call->node->index);
    if (job == NULL || !job->active) {
        srv_info_error(info, AERO_ERR_RECORD_NOT_FOUND, "id not active");
        return;
    }
    job->abandoned = AERO_ERR_SCAN_ABORTED;
    srv_info_ok(info);
}

void
srv_info_query_abort_all(srv_info *info)
{
    unsigned count = 0;

    for (srv_job *job = info->call->core->jobs.first; job != NULL;
         job = job->next) {
        if (job->active && job->node == info->call->node->index) {
            job->abandoned = AERO_ERR_SCAN_ABORTED;
            count++;
        }
    }
    aero_buf_printf(info->out, "number-of-queries-killed:%u", count);
}

/* ---- clients ---- */

void
srv_info_user_agent_set(srv_info *info)
{
    aero_buf decoded = AERO_BUF_INIT;
    aero_span text;

    if (info->user_agent.len != 0) {
        srv_info_error(info, AERO_ERR_REQUEST_INVALID, "already set");
        return;
    }
    if (srv_info_param(info, "value", SRV_AGENT_MAX - 1, true, &text) !=
        SRV_PARAM_GIVEN) {
        return;
    }
    if (aero_b64_take(text, &decoded)) {
        memcpy(info->agent_room, text.ptr, text.len);
        info->agent_room[text.len] = '\0';
        info->user_agent = aero_span_str(info->agent_room);
        srv_info_ok(info);
    }
    else {
        srv_info_error(info, AERO_ERR_REQUEST_INVALID,
                       "'value' invalid base64");
    }
    aero_buf_fini(&decoded);
}

void
srv_info_user_agents(srv_info *info)
{
    if (info->hooks->user_agents != NULL) {
        info->hooks->user_agents(info->hooks->ctx, info->call->node->index,
                                 info->out);
    }
}

/* ---- what needs a parameter and then does nothing here ---- */

static void
need(srv_info *info, const char *name, const char *code_text)
{
    aero_span value;

    if (srv_info_param(info, name, 127, true, &value) == SRV_PARAM_GIVEN) {
        aero_buf_put_str(info->out, code_text);
    }
}

void
srv_info_log_message(srv_info *info)
{
    need(info, "message", "ok");
}

void
srv_info_tip(srv_info *info)
{
    need(info, "host", "ok");
}

void
srv_info_physical_devices(srv_info *info)
{
    need(info, "path", "ERROR:4:unknown device");
}

void
srv_info_smd_show(srv_info *info)
{
    need(info, "module", "");
}

void
srv_info_histogram(srv_info *info)
{
    srv_param found;

    if (srv_info_ns(info, NULL, true, &found) != NULL) {
        need(info, "type", "");
    }
}

/* ---- the control interface ---- */

void
srv_info_local(srv_info *info)
{
    if (!info->call->core->control || info->hooks->control == NULL) {
        srv_info_error(info, AERO_ERR_REQUEST_INVALID, "unrecognized command");
        return;
    }
    info->hooks->control(info->hooks->ctx, info->params, info->out);
}
