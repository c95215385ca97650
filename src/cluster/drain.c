/* Late replies.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "aero/base/alloc.h"
#include "aero/cluster/drain.h"
#include "aero/wire/msg.h"

/* A reply of many messages ends with one that says so, or with an error. */
static aero_rc
drop_body(void *ctx, aero_span body, aero_status *st)
{
    aero_drain *drain = ctx;
    aero_msg msg;
    size_t at = 0;

    if (!drain->multi) {
        return AERO_OK;
    }
    while (at < body.len) {
        aero_span rest = aero_span_skip(body, at);
        aero_field field;
        aero_op op;

        if (aero_msg_take(&rest, &msg, st) != AERO_OK) {
            return AERO_ERROR;
        }
        for (unsigned i = 0; i < msg.n_fields; i++) {
            if (aero_field_take(&rest, &field, st) != AERO_OK) {
                return AERO_ERROR;
            }
        }
        for (unsigned i = 0; i < msg.n_ops; i++) {
            if (aero_op_take(&rest, &op, st) != AERO_OK) {
                return AERO_ERROR;
            }
        }
        if ((msg.info3 & AERO_INFO3_LAST) != 0) {
            return AERO_OK;
        }
        at = body.len - rest.len;
    }
    return AERO_MORE;
}

static aero_rc
step(aero_job *job)
{
    aero_drain *drain = (aero_drain *)job;
    aero_rc rc;

    if (aero_clock_now() >= job->by) {
        return AERO_ERROR;
    }
    rc = aero_exchange_step(&drain->x, NULL);
    job->want = drain->conn->want;
    return rc;
}

aero_drain *
aero_drain_new(aero_cluster *cluster, aero_node *node, aero_pool *pool,
               aero_conn *conn, aero_exchange *x, bool multi, uint64_t by)
{
    aero_drain *drain = aero_zalloc(sizeof *drain);

    if (drain == NULL) {
        return NULL;
    }
    drain->job.step = step;
    drain->job.fd = conn->fd;
    drain->job.conn = conn;
    drain->job.want = AERO_WANT_READ;
    drain->job.by = by;
    drain->cluster = cluster;
    drain->node = aero_node_acquire(node);
    drain->pool = aero_pool_acquire(pool);
    drain->conn = conn;
    drain->multi = multi;
    drain->in = *x->in;
    aero_buf_init(x->in);
    drain->x = *x;
    aero_buf_init(&x->inflated);
    drain->x.in = &drain->in;
    drain->x.on_frame = drop_body;
    drain->x.ctx = drain;
    conn->patience_ms = 0;
    if (conn->tls == NULL) {
        conn->io = &aero_conn_plain; /* that of a driver may be gone by then */
    }
    atomic_fetch_add(&cluster->n_recovering, 1);
    return drain;
}

void
aero_drain_submit(aero_drain *drain)
{
    aero_cluster *cluster = drain->cluster;

    pthread_mutex_lock(&cluster->lock);
    drain->next = cluster->drains;
    cluster->drains = drain;
    if (cluster->wake != NULL) {
        cluster->wake(cluster);
    }
    pthread_mutex_unlock(&cluster->lock);
}

aero_drain *
aero_drain_collect(aero_cluster *cluster)
{
    aero_drain *list;

    pthread_mutex_lock(&cluster->lock);
    list = cluster->drains;
    cluster->drains = NULL;
    pthread_mutex_unlock(&cluster->lock);
    return list;
}

void
aero_drain_finish(aero_drain *drain, aero_rc rc)
{
    aero_cluster *cluster = drain->cluster;

    if (rc == AERO_OK) {
        aero_pool_give(drain->pool, drain->conn, aero_clock_now());
        atomic_fetch_add(&cluster->n_recovered, 1);
    }
    else {
        aero_pool_drop(drain->pool, drain->conn);
        atomic_fetch_add(&cluster->n_aborted, 1);
    }
    atomic_fetch_sub(&cluster->n_recovering, 1);
    aero_exchange_fini(&drain->x);
    aero_buf_fini(&drain->in);
    aero_pool_release(drain->pool);
    aero_node_release(drain->node);
    aero_free(drain);
}

void
aero_drain_free_all(aero_drain *list)
{
    while (list != NULL) {
        aero_drain *next = list->next;

        aero_drain_finish(list, AERO_ERROR);
        list = next;
    }
}
