/* The list of queries.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "aero/base/alloc.h"
#include "aero/base/clock.h"
#include "aero/wire/codes.h"
#include "job.h"

srv_job *
srv_jobs_find(const srv_jobs *jobs, uint64_t id, unsigned node)
{
    for (srv_job *job = jobs->first; job != NULL; job = job->next) {
        if (job->id == id && job->node == node) {
            return job;
        }
    }
    return NULL;
}

srv_job *
srv_jobs_add(srv_jobs *jobs, uint64_t id, unsigned node)
{
    srv_job *job = aero_zalloc(sizeof *job);

    if (job != NULL) {
        job->id = id != 0 ? id : ++jobs->next_id;
        job->node = node;
        job->active = true;
        job->started_ns = aero_clock_now();
        job->next = jobs->first;
        jobs->first = job;
    }
    return job;
}

void
srv_jobs_end(srv_jobs *jobs, srv_job *job, uint32_t keep)
{
    srv_job **link = &jobs->first;
    uint32_t seen = 0;

    job->active = false;
    job->ended_ns = aero_clock_now();
    while (*link != NULL) {
        srv_job *at = *link;

        if (!at->active && at->node == job->node && ++seen > keep) {
            *link = at->next;
            aero_free(at);
        }
        else {
            link = &at->next;
        }
    }
}

void
srv_jobs_fini(srv_jobs *jobs)
{
    while (jobs->first != NULL) {
        srv_job *job = jobs->first;

        jobs->first = job->next;
        aero_free(job);
    }
}

static const char *
status_text(uint8_t abandoned)
{
    switch (abandoned) {
    case AERO_ERR_OK:
        return "ok";
    case AERO_ERR_SCAN_ABORTED:
        return "user-aborted";
    case AERO_ERR_UDF:
        return "abandoned-unknown";
    default:
        return "abandoned-response-error";
    }
}

static unsigned long long
ms(uint64_t ns)
{
    return (unsigned long long)(ns / AERO_NS_PER_MS);
}

/* Records are changed one at a time, so none is being changed now. */
static void
put_kind(const srv_job *job, aero_buf *out)
{
    static const char *const names[] = {"basic", "aggregation",
                                        "background-udf", "background-ops"};
    bool answers = job->kind <= SRV_JOB_AGGREGATION;

    aero_buf_printf(out, ":job-type=%s:net-io-bytes=%llu%s:socket-timeout=%u",
                    names[job->kind], (unsigned long long)job->bytes,
                    answers ? ":net-io-time=0" : "", job->socket_timeout);
    if (job->kind == SRV_JOB_BACKGROUND_UDF) {
        aero_buf_printf(out, ":udf-filename=%s:udf-function=%s:udf-active=0",
                        job->package, job->function);
    }
    else if (job->kind == SRV_JOB_BACKGROUND_OPS) {
        aero_buf_put_str(out, ":ops-active=0");
    }
}

void
srv_job_put(const srv_job *job, aero_buf *out)
{
    uint64_t now = aero_clock_now();
    uint64_t end = job->active ? now : job->ended_ns;
    uint32_t reached = job->active && job->partition < AERO_PARTITIONS
                           ? job->partition
                           : AERO_PARTITIONS;

    aero_buf_printf(out, "trid=%llu:ns=%s", (unsigned long long)job->id,
                    job->ns);
    if (job->set[0] != '\0') {
        aero_buf_printf(out, ":set=%s", job->set);
    }
    if (job->index[0] != '\0') {
        aero_buf_printf(out, ":sindex-name=%s", job->index);
    }
    if (job->kind == SRV_JOB_BASIC) {
        aero_buf_printf(out, ":n-pids-requested=%u:n-keyds-requested=%u",
                        job->n_pids, job->n_digests);
    }
    aero_buf_printf(out, ":rps=%u", job->rps);
    aero_buf_printf(out, ":active-threads=%d:status=%s(%s)", job->active,
                    job->active ? "active" : "done",
                    status_text(job->abandoned));
    aero_buf_printf(out, ":job-progress=%.2f:run-time=%llu",
                    reached * 100.0 / AERO_PARTITIONS,
                    ms(end - job->started_ns));
    aero_buf_printf(out, ":time-since-done=%llu:recs-throttled=%llu",
                    job->active ? 0 : ms(now - job->ended_ns),
                    (unsigned long long)job->throttled);
    aero_buf_printf(out, ":recs-filtered-meta=0:recs-filtered-bins=%llu",
                    (unsigned long long)job->filtered);
    aero_buf_printf(out, ":recs-succeeded=%llu:recs-failed=%llu:from=%s",
                    (unsigned long long)job->succeeded,
                    (unsigned long long)job->failed, job->from);
    put_kind(job, out);
}
