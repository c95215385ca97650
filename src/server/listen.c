/* Listening sockets: two of each node, clear and TLS.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "aero/base/alloc.h"
#include "host.h"

enum {
    BACKLOG = 512,
    ACCEPTS_PER_EVENT = 64
};

/* ---- sockets ---- */

static void
close_fd(int *fd)
{
    if (*fd >= 0) {
        close(*fd);
    }
    *fd = -1;
}

/* A socket bound to the address; gives -1 with errno. */
static int
bind_socket(const aero_addr *addr)
{
    int one = 1;
    int saved;
    int fd = socket(addr->sa.ss_family, SOCK_STREAM, 0);

    if (fd < 0) {
        return -1;
    }
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, (const struct sockaddr *)&addr->sa, addr->len) == 0) {
        return fd;
    }
    saved = errno;
    close(fd);
    errno = saved;
    return -1;
}

static aero_rc
parse_host(const aero_server *server, uint16_t port, aero_addr *addr,
           aero_status *st)
{
    if (!aero_addr_parse(aero_span_str(server->host), port, addr)) {
        return aero_fail(st, AERO_ERR_PARAM, "'%s' is not a literal address",
                         server->host);
    }
    return AERO_OK;
}

/* Which port the system gave. */
static uint16_t
port_of(int fd)
{
    aero_addr addr = {0};

    addr.len = sizeof addr.sa;
    if (getsockname(fd, (struct sockaddr *)&addr.sa, &addr.len) != 0) {
        return 0;
    }
    return aero_addr_port(&addr);
}

/* Listen on the listener's port, 0: any.  A second socket keeps the port for
 * the times when the node is down. */
static aero_rc
start_listening(srv_listener *listener, aero_status *st)
{
    aero_addr addr;
    char text[AERO_ADDR_TEXT_MAX];

    if (parse_host(listener->server, listener->port, &addr, st) != AERO_OK) {
        return AERO_ERROR;
    }
    aero_addr_text(&addr, text);
    listener->fd = bind_socket(&addr);
    if (listener->fd < 0) {
        aero_conn_fail(st, "bind", errno);
        aero_status_prefix(st, "cannot listen on %s", text);
        return AERO_ERROR;
    }
    if (listener->port == 0) {
        listener->port = port_of(listener->fd);
        aero_addr_set_port(&addr, listener->port);
    }
    if (listener->place_fd < 0) {
        listener->place_fd = bind_socket(&addr); /* -1: does without */
    }
    if (listen(listener->fd, BACKLOG) != 0) {
        aero_conn_fail(st, "listen", errno);
        close_fd(&listener->fd);
        return AERO_ERROR;
    }
    return AERO_OK;
}

/* ---- on the loop ---- */

static void
accept_some(srv_listener *listener)
{
    for (int i = 0; i < ACCEPTS_PER_EVENT && listener->fd >= 0; i++) {
        aero_addr peer = {0};
        int fd;

        peer.len = sizeof peer.sa;
        fd = accept(listener->fd, (struct sockaddr *)&peer.sa, &peer.len);
        if (fd < 0) {
            return;
        }
        fcntl(fd, F_SETFD, FD_CLOEXEC);
        srv_session_open(listener, fd, &peer);
    }
}

static void
on_readable(uv_poll_t *poll, int status, int events)
{
    (void)events;
    if (status == 0) {
        accept_some(poll->data);
    }
}

static void
on_closed(uv_handle_t *handle)
{
    aero_free(handle);
}

static aero_rc
watch(srv_listener *listener, aero_status *st)
{
    uv_poll_t *poll = aero_zalloc(sizeof *poll);

    if (poll == NULL ||
        uv_poll_init(&listener->server->loop, poll, listener->fd) != 0) {
        aero_free(poll);
        return aero_fail(st, AERO_ERR_CLIENT, "cannot watch a listener");
    }
    poll->data = listener;
    listener->poll = poll;
    uv_poll_start(poll, UV_READABLE, on_readable);
    return AERO_OK;
}

static void
stop_listening(srv_listener *listener)
{
    if (listener->poll != NULL) {
        uv_poll_stop(listener->poll);
        uv_close((uv_handle_t *)listener->poll, on_closed);
        listener->poll = NULL;
    }
    close_fd(&listener->fd);
}

/* ---- the nodes' listeners ---- */

/* Where clients find it: "host:port", "[v6]:port". */
static void
put_address(const char *host, uint16_t port, char *out, size_t size)
{
    bool v6 = strchr(host, ':') != NULL;

    snprintf(out, size, v6 ? "[%s]:%u" : "%s:%u", host, port);
}

static aero_rc
open_node(aero_server *server, unsigned i, const aero_server_config *config,
          aero_status *st)
{
    const uint16_t ports[SRV_LISTENERS] = {config->port, config->tls_port};
    const char *access =
        config->access_host != NULL ? config->access_host : server->host;
    srv_node *node = &server->core.cluster.nodes[i];

    for (int kind = 0; kind < SRV_LISTENERS; kind++) {
        srv_listener *listener = &server->listeners[i][kind];

        if (kind == SRV_LISTEN_TLS && server->tls == NULL) {
            continue;
        }
        listener->port =
            ports[kind] != 0 ? (uint16_t)(ports[kind] + i) : (uint16_t)0;
        if (start_listening(listener, st) != AERO_OK) {
            return AERO_ERROR;
        }
    }
    node->port = server->listeners[i][SRV_LISTEN_CLEAR].port;
    put_address(access, node->port, node->address, sizeof node->address);
    if (server->tls != NULL) {
        node->tls_port = server->listeners[i][SRV_LISTEN_TLS].port;
        put_address(access, node->tls_port, node->tls_address,
                    sizeof node->tls_address);
    }
    return AERO_OK;
}

aero_rc
srv_listeners_open(aero_server *server, const aero_server_config *config,
                   aero_status *st)
{
    aero_rc rc = AERO_OK;

    for (unsigned i = 0; rc == AERO_OK && i < server->core.cluster.count;
         i++) {
        rc = open_node(server, i, config, st);
    }
    return rc;
}

aero_rc
srv_listeners_watch(aero_server *server, aero_status *st)
{
    for (unsigned i = 0; i < server->core.cluster.count; i++) {
        for (int kind = 0; kind < SRV_LISTENERS; kind++) {
            srv_listener *listener = &server->listeners[i][kind];

            if (listener->fd >= 0 && watch(listener, st) != AERO_OK) {
                return AERO_ERROR;
            }
        }
    }
    return AERO_OK;
}

void
srv_listeners_pause(aero_server *server, unsigned node)
{
    for (int kind = 0; kind < SRV_LISTENERS; kind++) {
        stop_listening(&server->listeners[node][kind]);
    }
}

aero_rc
srv_listeners_resume(aero_server *server, unsigned node, aero_status *st)
{
    for (int kind = 0; kind < SRV_LISTENERS; kind++) {
        srv_listener *listener = &server->listeners[node][kind];

        if (listener->port == 0 || listener->fd >= 0) {
            continue;
        }
        if (start_listening(listener, st) != AERO_OK ||
            watch(listener, st) != AERO_OK) {
            return AERO_ERROR;
        }
    }
    return AERO_OK;
}

void
srv_listeners_close(aero_server *server)
{
    for (unsigned i = 0; i < AERO_SERVER_NODES_MAX; i++) {
        for (int kind = 0; kind < SRV_LISTENERS; kind++) {
            stop_listening(&server->listeners[i][kind]);
            close_fd(&server->listeners[i][kind].place_fd);
        }
    }
}
