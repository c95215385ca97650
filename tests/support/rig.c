/* The rig.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include "../../src/drive/internal.h"
#include "aero/base/alloc.h"
#include "aero/drive/tender.h"
#include "rig.h"

enum {
    PATIENCE_MS = 5000
};

void
rig_add_seed(aero_cluster_config *config, const char *host, uint16_t port)
{
    aero_seed *seeds = aero_resize(config->seeds, (config->n_seeds + 1) *
                                                      sizeof *config->seeds);

    if (seeds == NULL) {
        abort();
    }
    config->seeds = seeds;
    memset(&seeds[config->n_seeds], 0, sizeof seeds[0]);
    snprintf(seeds[config->n_seeds].host, AERO_HOST_MAX, "%s", host);
    seeds[config->n_seeds++].port = port;
}

void
rig_config(aero_cluster_config *config, uint16_t port)
{
    aero_cluster_config_init(config);
    rig_add_seed(config, "127.0.0.1", port);
}

static bool
start_server(rig *r, const rig_options *options)
{
    aero_server_config config = {.nodes = options->nodes,
                                 .control = true,
                                 .racks = options->racks,
                                 .enterprise = options->racks != NULL ||
                                               options->user != NULL,
                                 .security = options->user != NULL};
    static const char *const roles[] = {"read-write"};
    const aero_server_user user = {options->user, options->user, roles, 1};

    if (options->user != NULL) {
        config.users = &user;
        config.n_users = 1;
    }
    r->server = aero_server_start(&config, &r->st);
    return r->server != NULL;
}

static bool
start_cluster(rig *r, const rig_options *options)
{
    aero_cluster_config config;

    rig_config(&config, aero_server_port(r->server, 0));
    config.rack_aware = options->rack_aware;
    config.min_conns = options->min_conns;
    config.max_error_rate = options->max_error_rate;
    if (options->max_conns != 0) {
        config.max_conns = options->max_conns;
    }
    if (options->tend_ms != 0) {
        config.tend_interval_ms = options->tend_ms;
    }
    if (options->user != NULL) {
        char hash[AERO_HASH_SIZE + 1];

        if (aero_auth_hash(options->user, hash, &r->st) != AERO_OK) {
            aero_cluster_config_fini(&config);
            return false;
        }
        config.user = aero_strndup(options->user, strlen(options->user));
        config.password = aero_strndup(options->user, strlen(options->user));
        config.credential = aero_strndup(hash, AERO_HASH_SIZE);
    }
    r->cluster = aero_cluster_new(&config, NULL);
    if (r->cluster == NULL) {
        aero_cluster_config_fini(&config);
        return false;
    }
    if (options->tender) {
        return aero_tender_start(r->cluster, NULL, &r->st) == AERO_OK;
    }
    r->tend = aero_tend_new(r->cluster, &aero_thread_resolver);
    return r->tend != NULL && rig_tend(r) == AERO_OK;
}

bool
rig_open(rig *r, const rig_options *options)
{
    memset(r, 0, sizeof *r);
    if (start_server(r, options) && start_cluster(r, options)) {
        return true;
    }
    test_failed(__FILE__, __LINE__, "the rig does not stand: %s", r->st.text);
    rig_close(r);
    return false;
}

void
rig_close(rig *r)
{
    aero_tend_free(r->tend);
    if (r->cluster != NULL) {
        aero_tender_stop(r->cluster);
    }
    aero_cluster_release(r->cluster);
    aero_server_stop(r->server);
    memset(r, 0, sizeof *r);
}

const char *
rig_control(rig *r, const char *fmt, ...)
{
    static char text[2048];
    aero_buf reply = AERO_BUF_INIT;
    aero_status st;
    char line[256];
    va_list args;

    va_start(args, fmt);
    vsnprintf(line, sizeof line, fmt, args);
    va_end(args);
    aero_status_clear(&st);
    if (aero_server_control(r->server, line, &reply, &st) != AERO_OK) {
        test_failed(__FILE__, __LINE__, "'%s': %s", line, st.text);
    }
    snprintf(text, sizeof text, "%.*s", (int)reply.len,
             reply.len != 0 ? (char *)reply.ptr : "");
    aero_buf_fini(&reply);
    return text;
}

long
rig_count(rig *r, const char *what)
{
    const char *at = strstr(rig_control(r, "counts"), what);

    return at == NULL ? -1 : atol(at + strlen(what) + 1);
}

aero_rc
rig_tend(rig *r)
{
    uint64_t by = aero_clock_after(aero_clock_now(), PATIENCE_MS);

    aero_sync_task(aero_tend_begin(r->tend, by), NULL);
    return aero_tend_result(r->tend, &r->st);
}

bool
rig_tend_until(rig *r, size_t nodes)
{
    uint64_t from = aero_clock_now();

    while (rig_ms_since(from) < PATIENCE_MS) {
        aero_map *map;
        size_t count;

        rig_tend(r);
        map = aero_cluster_map(r->cluster);
        count = map == NULL ? 0 : map->n_nodes;
        aero_map_release(map);
        if (count == nodes) {
            return true;
        }
        usleep(2000);
    }
    return false;
}

/* ---- commands ---- */

void
rig_key(aero_key *key, int64_t number)
{
    memset(key, 0, sizeof *key);
    key->ns = aero_span_str("test");
    key->set = aero_span_str("rig");
    aero_key_set_int(key, number);
    aero_digest(key->set, key->particle, key->value, key->digest);
}

static void
put_command(aero_cmd *cmd, int64_t number, const int64_t *value,
            const aero_policy *policy)
{
    aero_msg msg = {0};
    aero_policy usual;
    aero_single s;
    aero_key key;

    aero_policy_init(&usual,
                     value != NULL ? AERO_POLICY_WRITE : AERO_POLICY_READ);
    rig_key(&key, number);
    msg.info1 = value != NULL ? 0 : AERO_INFO1_READ | AERO_INFO1_GET_ALL;
    msg.info2 = value != NULL ? AERO_INFO2_WRITE : 0;
    aero_single_open(&s, cmd, &key, policy != NULL ? policy : &usual, &msg);
    if (value != NULL) {
        uint8_t wire[8];

        aero_set_u64(wire, (uint64_t)*value);
        aero_op_put(&cmd->out, AERO_OP_WRITE, AERO_PARTICLE_INTEGER,
                    aero_span_str("n"), aero_span_of(wire, 8));
    }
    aero_single_close(&s, value != NULL);
}

void
rig_put_get(aero_cmd *cmd, int64_t number, const aero_policy *policy)
{
    put_command(cmd, number, NULL, policy);
}

void
rig_put_write(aero_cmd *cmd, int64_t number, int64_t value,
              const aero_policy *policy)
{
    put_command(cmd, number, &value, policy);
}

aero_rc
rig_run(rig *r, aero_cmd *cmd)
{
    aero_rc rc;

    if (cmd->out.failed) {
        return aero_fail(&cmd->st, AERO_ERR_CLIENT, "no memory");
    }
    aero_cmd_begin(cmd, r->cluster, NULL, aero_clock_now());
    rc = aero_sync_task(&cmd->task, NULL);
    r->st = cmd->st;
    return rc;
}

static int
run_code(rig *r, aero_cmd *cmd)
{
    int code = rig_run(r, cmd) == AERO_OK ? cmd->result : cmd->st.code;

    r->st = cmd->st;
    aero_cmd_fini(cmd);
    return code;
}

int
rig_get(rig *r, int64_t number, const aero_policy *policy)
{
    aero_cmd cmd;

    aero_cmd_init(&cmd);
    rig_put_get(&cmd, number, policy);
    return run_code(r, &cmd);
}

int
rig_write(rig *r, int64_t number, int64_t value, const aero_policy *policy)
{
    aero_cmd cmd;

    aero_cmd_init(&cmd);
    rig_put_write(&cmd, number, value, policy);
    return run_code(r, &cmd);
}

double
rig_ms_since(uint64_t from)
{
    return (double)(aero_clock_now() - from) / (double)AERO_NS_PER_MS;
}
