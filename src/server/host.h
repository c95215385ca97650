/* The server as a process sees it: a loop on a thread, listeners, sessions.
 *
 * Everything below belongs to the loop's thread, but for what stands under
 * `lock`.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SRV_HOST_H
#define SRV_HOST_H

#include <uv.h>

#include "aero/net/conn.h"
#include "aero/wire/frame.h"
#include "core.h"
#include "fault.h"
#include "info.h"
#include "security.h"

typedef enum srv_listener_kind {
    SRV_LISTEN_CLEAR,
    SRV_LISTEN_TLS,
    SRV_LISTENERS
} srv_listener_kind;

typedef struct srv_listener {
    aero_server *server;
    unsigned node;
    srv_listener_kind kind;
    int fd;       /* owned; -1: does not listen */
    int place_fd; /* owned; keeps the port while the node is down; or -1 */
    uint16_t port;
    uv_poll_t *poll; /* owned; freed by the loop when it has been closed */
} srv_listener;

typedef enum srv_pause {
    SRV_PAUSE_NONE,
    SRV_PAUSE_DELAY, /* a fault: the request waits */
    SRV_PAUSE_RATE,  /* the stream is ahead of its rate */
    SRV_PAUSE_STALL  /* a fault: silence until the client goes */
} srv_pause;

typedef struct srv_session {
    struct srv_session *next;
    struct srv_session **link;
    aero_server *server;
    unsigned node;
    aero_conn *conn; /* owned */
    uv_poll_t poll;
    uv_timer_t timer;
    int handles; /* of the two that are not yet closed */
    int armed;   /* events that the poll waits for */
    bool opening;
    bool closing;
    bool drained;       /* the last receive took all there was */
    srv_pause pause;    /* what the timer ends */
    aero_buf in;        /* bytes received */
    size_t taken;       /* of them: behind the requests that are answered */
    size_t frame_len;   /* of the request that is being answered, or 0 */
    aero_buf inflated;  /* its body if it was compressed */
    aero_buf out;       /* bytes to send */
    size_t sent;        /* of them */
    srv_stream *stream; /* owned; more of the answer */
    uint32_t rest_ms;   /* before it goes on */
    int64_t may_send;   /* bytes until a fault cuts; -1: all */
    bool delayed;       /* the request has waited for a fault already */
    bool cut_stalls;
    unsigned logged; /* bits of the classes that were logged */
    srv_login who;
    char from[80];
    char agent[SRV_AGENT_MAX];
} srv_session;

struct aero_server {
    srv_core core;
    srv_faults faults;
    srv_info_hooks hooks;
    char host[AERO_ADDR_TEXT_MAX];
    char tls_name[256];
    aero_tls_context *tls; /* owned */
    srv_listener listeners[AERO_SERVER_NODES_MAX][SRV_LISTENERS];
    srv_session *sessions; /* owned, each frees itself */
    void (*log)(void *data, const char *line);
    void *log_data;
    uv_loop_t loop;
    uv_async_t wake;
    uv_timer_t tick;
    uv_prepare_t look; /* whether there is work behind the requests */
    uv_idle_t work;    /* runs while there is */
    uv_timer_t rest;   /* until there is again */
    uv_thread_t thread;
    uv_mutex_t lock;   /* of what follows */
    uv_cond_t changed; /* ... */
    bool stopping;
    const char *line; /* that a caller wants to be run; NULL: none */
    aero_buf *reply;
    aero_status *reply_st;
    aero_rc reply_rc;
    bool answered;
};

/* ---- listeners ---- */

/* Bind and listen where the configuration says; clients are told. */
aero_rc srv_listeners_open(aero_server *server,
                           const aero_server_config *config, aero_status *st);
/* Watch them, on the loop. */
aero_rc srv_listeners_watch(aero_server *server, aero_status *st);
/* A node stops listening; its port stays its own. */
void srv_listeners_pause(aero_server *server, unsigned node);
aero_rc srv_listeners_resume(aero_server *server, unsigned node,
                             aero_status *st);
void srv_listeners_close(aero_server *server);

/* ---- sessions ---- */

/* Takes `fd`. */
void srv_session_open(srv_listener *listener, int fd, const aero_addr *peer);
void srv_session_close(srv_session *session);
/* Close those of a node, or all (-1). */
void srv_sessions_close(aero_server *server, int node);

/* Leave the request where it is and come back to it. */
void srv_session_pause(srv_session *session, srv_pause why, uint32_t ms);

/* Answer the request whose body is given: into session->out, or by a stream.
 * False: the session is to be closed. */
bool srv_session_answer(srv_session *session, const aero_frame *frame,
                        aero_span body);

/* ---- control ---- */

aero_rc srv_control_run(aero_server *server, aero_span line, aero_buf *reply,
                        aero_status *st);
/* What info requests reach. */
void srv_hooks_init(aero_server *server);

void srv_log(aero_server *server, const char *fmt, ...) AERO_PRINTF(2, 3);
/* What a script says; `data` is the server. */
void srv_log_script(void *data, int level, const char *text);

#endif
