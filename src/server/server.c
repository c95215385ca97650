/* Starting, stopping and asking the server from other threads.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>
#include <stdio.h>

#include "aero/base/alloc.h"
#include "host.h"

enum {
    TICK_MS = 1000
};

/* ---- on the loop's thread ---- */

static void
on_tick(uv_timer_t *timer)
{
    srv_core_tick(&((aero_server *)timer->data)->core);
}

/* A loop with a running idle handle does not wait, so the handle runs only
 * while there is something to do. */
static void
on_work(uv_idle_t *work)
{
    srv_core_work(&((aero_server *)work->data)->core);
}

static void
on_rested(uv_timer_t *rest)
{
    (void)rest; /* the loop looks again */
}

static void
on_look(uv_prepare_t *look)
{
    aero_server *server = look->data;
    uint32_t ms = srv_core_rest_ms(&server->core);

    if (ms == 0) {
        uv_idle_start(&server->work, on_work);
        return;
    }
    uv_idle_stop(&server->work);
    if (ms != UINT32_MAX) {
        uv_timer_start(&server->rest, on_rested, ms, 0);
    }
}

static void
close_all(aero_server *server)
{
    srv_sessions_close(server, -1);
    srv_listeners_close(server);
    uv_close((uv_handle_t *)&server->tick, NULL);
    uv_close((uv_handle_t *)&server->look, NULL);
    uv_close((uv_handle_t *)&server->work, NULL);
    uv_close((uv_handle_t *)&server->rest, NULL);
    uv_close((uv_handle_t *)&server->wake, NULL);
}

static void
on_wake(uv_async_t *wake)
{
    aero_server *server = wake->data;
    bool stopping;

    uv_mutex_lock(&server->lock);
    stopping = server->stopping;
    if (server->line != NULL) {
        server->reply_rc = srv_control_run(server, aero_span_str(server->line),
                                           server->reply, server->reply_st);
        server->line = NULL;
        server->answered = true;
        uv_cond_broadcast(&server->changed);
    }
    uv_mutex_unlock(&server->lock);
    if (stopping) {
        close_all(server);
    }
}

static void
run_loop(void *arg)
{
    uv_run(&((aero_server *)arg)->loop, UV_RUN_DEFAULT);
}

/* ---- starting ---- */

/* Signals are for the threads of the process that knows what to do. */
static int
start_thread(aero_server *server)
{
    sigset_t all;
    sigset_t old;
    int error;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    error = uv_thread_create(&server->thread, run_loop, server);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return error;
}

static aero_rc
open_tls(aero_server *server, const aero_server_config *config,
         aero_status *st)
{
    aero_tls_config tls = {0};

    if (config->tls_certfile == NULL) {
        return AERO_OK;
    }
    tls.certfile = config->tls_certfile;
    tls.keyfile = config->tls_keyfile;
    tls.cafile = config->tls_cafile;
    tls.is_server = true;
    snprintf(server->tls_name, sizeof server->tls_name, "%s",
             config->tls_name != NULL ? config->tls_name : "localhost");
    server->core.cluster.tls_name = server->tls_name;
    server->tls = aero_tls_context_new(&tls, st);
    return server->tls != NULL ? AERO_OK : AERO_ERROR;
}

static aero_rc
prepare(aero_server *server, const aero_server_config *config, aero_status *st)
{
    const char *host = config->host != NULL ? config->host : "127.0.0.1";

    for (unsigned i = 0; i < AERO_SERVER_NODES_MAX; i++) {
        for (int kind = 0; kind < SRV_LISTENERS; kind++) {
            srv_listener *listener = &server->listeners[i][kind];

            listener->server = server;
            listener->node = i;
            listener->kind = (srv_listener_kind)kind;
            listener->fd = -1;
            listener->place_fd = -1;
        }
    }
    if (strlen(host) >= sizeof server->host) {
        return aero_fail(st, AERO_ERR_INVALID_HOST, "host is too long");
    }
    strcpy(server->host, host);
    server->log = config->log;
    server->log_data = config->log_data;
    srv_hooks_init(server);
    if (!srv_core_init(&server->core, config, st) ||
        open_tls(server, config, st) != AERO_OK) {
        return AERO_ERROR;
    }
    server->core.log = srv_log_script;
    server->core.log_data = server;
    return srv_listeners_open(server, config, st);
}

/* The loop with what is always on it. */
static aero_rc
open_loop(aero_server *server, aero_status *st)
{
    if (uv_loop_init(&server->loop) != 0) {
        return aero_fail(st, AERO_ERR_CLIENT, "cannot make an event loop");
    }
    uv_mutex_init(&server->lock);
    uv_cond_init(&server->changed);
    uv_async_init(&server->loop, &server->wake, on_wake);
    uv_timer_init(&server->loop, &server->tick);
    uv_prepare_init(&server->loop, &server->look);
    uv_idle_init(&server->loop, &server->work);
    uv_timer_init(&server->loop, &server->rest);
    server->look.data = server;
    server->work.data = server;
    uv_prepare_start(&server->look, on_look);
    server->wake.data = server;
    server->tick.data = server;
    uv_timer_start(&server->tick, on_tick, TICK_MS, TICK_MS);
    return AERO_OK;
}

static void
close_loop(aero_server *server)
{
    uv_loop_close(&server->loop);
    uv_cond_destroy(&server->changed);
    uv_mutex_destroy(&server->lock);
}

static void
free_server(aero_server *server)
{
    srv_listeners_close(server);
    srv_faults_fini(&server->faults);
    srv_core_fini(&server->core);
    aero_tls_context_free(server->tls);
    aero_free(server);
}

aero_server *
aero_server_start(const aero_server_config *config, aero_status *st)
{
    aero_server *server = aero_zalloc(sizeof *server);

    if (server == NULL) {
        aero_fail(st, AERO_ERR_CLIENT, "no memory for a server");
        return NULL;
    }
    if (prepare(server, config, st) != AERO_OK ||
        open_loop(server, st) != AERO_OK) {
        free_server(server);
        return NULL;
    }
    if (srv_listeners_watch(server, st) == AERO_OK) {
        if (start_thread(server) == 0) {
            return server;
        }
        aero_fail(st, AERO_ERR_CLIENT, "cannot start a thread");
    }
    close_all(server);
    uv_run(&server->loop, UV_RUN_DEFAULT);
    close_loop(server);
    free_server(server);
    return NULL;
}

/* ---- from other threads ---- */

void
aero_server_stop(aero_server *server)
{
    if (server == NULL) {
        return;
    }
    uv_mutex_lock(&server->lock);
    server->stopping = true;
    uv_mutex_unlock(&server->lock);
    uv_async_send(&server->wake);
    uv_thread_join(&server->thread);
    close_loop(server);
    free_server(server);
}

aero_rc
aero_server_control(aero_server *server, const char *line, aero_buf *reply,
                    aero_status *st)
{
    aero_rc rc;

    uv_mutex_lock(&server->lock);
    while (server->line != NULL || server->answered) {
        uv_cond_wait(&server->changed, &server->lock); /* another's turn */
    }
    server->line = line;
    server->reply = reply;
    server->reply_st = st;
    uv_async_send(&server->wake);
    while (!server->answered) {
        uv_cond_wait(&server->changed, &server->lock);
    }
    server->answered = false;
    rc = server->reply_rc;
    uv_cond_broadcast(&server->changed);
    uv_mutex_unlock(&server->lock);
    return rc;
}

unsigned
aero_server_nodes(const aero_server *server)
{
    return server->core.cluster.count;
}

uint16_t
aero_server_port(const aero_server *server, unsigned node)
{
    return node < server->core.cluster.count
               ? server->core.cluster.nodes[node].port
               : 0;
}

uint16_t
aero_server_tls_port(const aero_server *server, unsigned node)
{
    return node < server->core.cluster.count
               ? server->core.cluster.nodes[node].tls_port
               : 0;
}

const char *
aero_server_host(const aero_server *server)
{
    return server->host;
}
