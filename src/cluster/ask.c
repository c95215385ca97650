/* Info questions.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "aero/cluster/ask.h"

/* The question is framed anew, with one command more. */
static void
add_agent(aero_ask *ask)
{
    aero_buf text = AERO_BUF_INIT;
    aero_span span;

    aero_buf_put_span(
        &text, aero_span_skip(aero_buf_span(&ask->out), AERO_FRAME_HEAD));
    aero_buf_printf(&text, "user-agent-set:value=%s", ask->agent);
    if (!text.failed) {
        span = aero_buf_span(&text);
        aero_buf_reset(&ask->out, 4096);
        aero_info_put_request(&ask->out, &span, 1);
    }
    aero_buf_fini(&text);
    ask->agent_due = false;
}

static aero_rc
run(aero_ask *ask)
{
    aero_rc rc;

    if (ask->out.failed) {
        return aero_fail(&ask->st, AERO_ERR_CLIENT,
                         "no memory for an info request");
    }
    if (ask->conn == NULL) {
        ask->conn =
            aero_conn_new(&ask->addr, ask->tls, ask->tls_name, &ask->st);
        if (ask->conn == NULL) {
            return AERO_ERROR;
        }
        ask->opened_now = true;
        ask->agent_due = ask->agent != NULL;
    }
    rc = aero_greeting_step(&ask->greeting, ask->conn, &ask->st);
    if (rc != AERO_OK) {
        return rc;
    }
    if (ask->out.len == 0) {
        return AERO_OK; /* only the connection was wanted */
    }
    if (!ask->asking) {
        if (ask->agent_due) {
            add_agent(ask);
        }
        aero_exchange_init(&ask->x, ask->conn, aero_buf_span(&ask->out),
                           &ask->in, AERO_FRAME_INFO);
        ask->x.limit = AERO_ASK_LIMIT;
        ask->asking = true;
    }
    return aero_exchange_step(&ask->x, &ask->st);
}

/* A connection that was idle may have died: that says nothing of the node. */
static bool
is_worth_another(const aero_ask *ask)
{
    return !ask->opened_now && ask->asking && ask->in.len == 0;
}

static aero_rc
step(aero_job *job)
{
    aero_ask *ask = (aero_ask *)job;
    aero_rc rc = AERO_ERROR;

    if (aero_clock_now() >= job->by) {
        aero_fail(&ask->st, AERO_ERR_TIMEOUT, "no answer in time");
    }
    else {
        rc = run(ask);
        if (rc == AERO_ERROR && is_worth_another(ask)) {
            aero_ask_close(ask);
            aero_status_clear(&ask->st);
            rc = run(ask);
        }
    }
    if (rc == AERO_MORE) {
        job->fd = ask->conn->fd;
        job->want = ask->conn->want;
    }
    else {
        ask->rc = rc;
        job->fd = -1;
    }
    if (rc == AERO_ERROR) {
        aero_ask_close(ask);
    }
    return rc;
}

void
aero_ask_init(aero_ask *ask, aero_cluster *cluster, const aero_addr *addr,
              const char *tls_name, aero_login *login)
{
    bool clear = cluster->config.tls_login_only;

    memset(ask, 0, sizeof *ask);
    ask->job.step = step;
    ask->job.fd = -1;
    ask->cluster = cluster;
    ask->addr = *addr;
    ask->tls_name = tls_name;
    ask->tls = clear ? NULL : cluster->config.tls;
    aero_greeting_init(&ask->greeting, cluster, login, !clear);
}

void
aero_ask_use_tls(aero_ask *ask)
{
    ask->tls = ask->cluster->config.tls;
    ask->greeting.may_login = true;
}

void
aero_ask_close(aero_ask *ask)
{
    aero_greeting_fini(&ask->greeting);
    if (ask->asking) {
        aero_exchange_fini(&ask->x);
    }
    ask->asking = false;
    aero_conn_free(ask->conn);
    ask->conn = NULL;
}

void
aero_ask_fini(aero_ask *ask)
{
    aero_ask_close(ask);
    aero_buf_fini(&ask->out);
    aero_buf_fini(&ask->in);
}

void
aero_ask_set(aero_ask *ask, const char *const *commands, size_t count,
             uint64_t by)
{
    aero_span spans[AERO_ASK_COMMANDS];

    for (size_t i = 0; i < count && i < AERO_ASK_COMMANDS; i++) {
        spans[i] = aero_span_str(commands[i]);
    }
    if (ask->asking) {
        aero_exchange_fini(&ask->x);
    }
    aero_status_clear(&ask->st);
    ask->rc = AERO_MORE;
    ask->asking = false;
    ask->opened_now = false;
    ask->job.by = by;
    aero_buf_reset(&ask->out, 4096);
    if (count != 0) {
        aero_info_put_request(&ask->out, spans, count);
    }
}

aero_span
aero_ask_body(const aero_ask *ask)
{
    return aero_exchange_body(&ask->x);
}
