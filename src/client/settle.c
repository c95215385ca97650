/* Asking, and looking until it is so.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "aero/client/settle.h"

enum {
    FIRST_NAP_MS = 2,
    LAST_NAP_MS = 500,
    SILENT_MAX = 10
};

enum {
    TO_ASK,
    ASKING,
    TO_LOOK,
    LOOKING,
    NAPPING,
    ENDED
};

static aero_rc
end_with(aero_settle *s, aero_rc rc)
{
    s->state = ENDED;
    s->rc = rc;
    return rc;
}

static aero_rc
send_to(aero_settle *s, const aero_fan_how *how, int state)
{
    aero_fan_fini(&s->fan);
    if (aero_fan_begin_how(&s->fan, s->cluster, s->source, how,
                           aero_clock_now(), &s->st) != AERO_OK) {
        return end_with(s, AERO_ERROR);
    }
    s->task.jobs = s->fan.jobs;
    s->task.n_jobs = s->fan.count;
    s->state = state;
    return AERO_MORE;
}

static aero_rc
accept_value(void *ctx, const aero_cmd *cmd, aero_status *st)
{
    aero_span value;

    (void)ctx;
    return aero_fan_value(cmd, &value, st);
}

static aero_rc
asked(aero_settle *s)
{
    for (size_t i = 0; i < s->fan.count; i++) {
        if ((s->accept != NULL ? s->accept : accept_value)(
                s->ctx, &s->fan.cmds[i], &s->st) != AERO_OK) {
            return end_with(s, AERO_ERROR);
        }
    }
    s->state = TO_LOOK;
    return AERO_OK;
}

static aero_rc
step_nap(aero_job *nap)
{
    return aero_clock_now() >= nap->by ? AERO_OK : AERO_MORE;
}

static aero_rc
take_nap(aero_settle *s)
{
    s->nap.step = step_nap;
    s->nap.fd = -1;
    s->nap.by = aero_clock_after(aero_clock_now(), s->nap_ms);
    s->nap_ms = s->nap_ms < LAST_NAP_MS / 2 ? s->nap_ms * 2 : LAST_NAP_MS;
    s->nap_jobs[0] = &s->nap;
    s->task.jobs = s->nap_jobs;
    s->task.n_jobs = 1;
    s->state = NAPPING;
    return AERO_MORE;
}

/* A node that gives no answer may be on its way out of the cluster. */
static aero_rc
looked(aero_settle *s)
{
    bool silent = false;
    bool done = true;

    for (size_t i = 0; i < s->fan.count; i++) {
        const aero_cmd *cmd = &s->fan.cmds[i];

        if (cmd->rc != AERO_OK) {
            silent = true;
            s->st = cmd->st;
            continue;
        }
        switch (s->judge(s->ctx, cmd, &s->st)) {
        case AERO_LOOK_DONE:
            break;
        case AERO_LOOK_NOT_YET:
            done = false;
            break;
        case AERO_LOOK_FAILED:
            return end_with(s, AERO_ERROR);
        }
    }
    if (done && !silent) {
        return end_with(s, AERO_OK);
    }
    s->silent = silent ? s->silent + 1 : 0;
    return s->silent > SILENT_MAX ? end_with(s, AERO_ERROR) : take_nap(s);
}

static aero_rc
next(aero_task *task)
{
    aero_settle *s = (aero_settle *)task;
    aero_rc rc = AERO_OK;

    while (rc == AERO_OK && s->state != ENDED) {
        switch (s->state) {
        case TO_ASK:
            rc = send_to(s, &s->ask, ASKING);
            break;
        case ASKING:
            rc = asked(s);
            break;
        case TO_LOOK:
        case NAPPING:
            rc = s->look.put == NULL ? end_with(s, AERO_OK)
                                     : send_to(s, &s->look, LOOKING);
            break;
        default:
            rc = looked(s);
            break;
        }
    }
    return s->state == ENDED ? s->rc : rc;
}

void
aero_settle_init(aero_settle *settle)
{
    memset(settle, 0, sizeof *settle);
    settle->task.next = next;
    settle->rc = AERO_MORE;
}

void
aero_settle_fini(aero_settle *settle)
{
    aero_fan_fini(&settle->fan);
}

void
aero_settle_begin(aero_settle *settle, aero_cluster *cluster,
                  const aero_source *source)
{
    settle->cluster = cluster;
    settle->source = source;
    settle->state = settle->ask.put != NULL ? TO_ASK : TO_LOOK;
    settle->nap_ms = FIRST_NAP_MS;
    aero_status_clear(&settle->st);
}

void
aero_settle_cancel(aero_settle *settle)
{
    aero_fan_cancel(&settle->fan);
    if (settle->state != ENDED) {
        aero_fail(&settle->st, AERO_ERR_CLIENT_ABORT, "cancelled");
        end_with(settle, AERO_ERROR);
    }
}

bool
aero_settle_may_have_written(const aero_settle *settle)
{
    if (!settle->ask.is_message || settle->state == TO_ASK) {
        return false;
    }
    if (settle->state != ASKING) {
        return true;
    }
    for (size_t i = 0; i < settle->fan.count; i++) {
        if (settle->fan.cmds[i].n_sent != 0) {
            return true;
        }
    }
    return false;
}
