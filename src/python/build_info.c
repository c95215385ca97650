/* Builders of the info methods, and what is answered without asking.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "aero/base/alloc.h"
#include "aero/client/fan.h"
#include "build.h"

/* ---- one node ---- */

static int
take_command(Call *call, PyObject *obj, const char *what)
{
    if (!PyUnicode_Check(obj)) {
        raise_param_type(call->state, "%s", what);
        return -1;
    }
    if (value_as_text(call->state, obj, &call->command) < 0) {
        return -1;
    }
    if (call->command.len == 0 ||
        memchr(call->command.ptr, '\n', call->command.len) != NULL) {
        raise_param_value(call->state,
                          "an info command is one line and not empty");
        return -1;
    }
    return 0;
}

static int
begin_on(Call *call, aero_node *node, const aero_source *source, uint64_t now)
{
    aero_info_open(&call->cmd, node, call->command, call->policy.timeout);
    aero_cmd_begin(&call->cmd, call->cluster, source, now);
    return 0;
}

static int
no_node(Call *call)
{
    raise_error(call->state, EXC_ClusterError, "the cluster has no node");
    return -1;
}

static int
begin_random(Call *call, const aero_source *source, uint64_t now)
{
    aero_map *map = aero_cluster_map(call->cluster);
    int rc;

    if (map == NULL || map->n_nodes == 0) {
        aero_map_release(map);
        return no_node(call);
    }
    rc = begin_on(call,
                  map->nodes[aero_cluster_turn(call->cluster) % map->n_nodes],
                  source, now);
    aero_map_release(map);
    return rc;
}

static int
begin_named(Call *call, const aero_source *source, uint64_t now)
{
    aero_map *map = aero_cluster_map(call->cluster);
    aero_node *node = map == NULL ? NULL : aero_map_node(map, call->host);
    int rc = -1;

    if (node == NULL) {
        char name[80];

        snprintf(name, sizeof name, "%.*s", (int)call->host.len,
                 (const char *)call->host.ptr);
        raise_param_value(call->state, "Could not get node with name %s.",
                          name);
    }
    else {
        rc = begin_on(call, node, source, now);
    }
    aero_map_release(map);
    return rc;
}

/* The answer to the command; 0, or -1 with the error that it is. */
static int
take_answer(Call *call, const aero_cmd *cmd, aero_span *value)
{
    aero_status st;

    if (aero_fan_value(cmd, value, &st) == AERO_OK) {
        return 0;
    }
    raise_status(call->state, &st);
    return -1;
}

static PyObject *
text_of(aero_span text)
{
    return PyUnicode_DecodeUTF8((const char *)text.ptr, (Py_ssize_t)text.len,
                                "replace");
}

static PyObject *
finish_value(Call *call)
{
    aero_span value;

    if (result_check(call, NULL) < 0 ||
        take_answer(call, &call->cmd, &value) < 0) {
        return NULL;
    }
    return text_of(call->face->strict ? aero_cmd_body(&call->cmd) : value);
}

static PyObject *
finish_line(Call *call)
{
    aero_span value;

    if (result_check(call, NULL) < 0 ||
        take_answer(call, &call->cmd, &value) < 0) {
        return NULL;
    }
    return text_of(aero_cmd_body(&call->cmd));
}

int
build_info_random_node(Call *call)
{
    call->begin = begin_random;
    call->finish = finish_value;
    return take_command(call, call->argv[0], "Request should be a string.") < 0
               ? -1
               : call_take_policy(call, call->argv[1], AERO_POLICY_INFO);
}

int
build_info_single_node(Call *call)
{
    call->begin = begin_named;
    call->finish = finish_line;
    if (take_command(call, call->argv[0], "Request should be a string.") < 0) {
        return -1;
    }
    if (!PyUnicode_Check(call->argv[1])) {
        raise_param_type(call->state, "Host must be a string.");
        return -1;
    }
    if (value_as_text(call->state, call->argv[1], &call->host) < 0) {
        return -1;
    }
    return call_take_policy(call, call->argv[2], AERO_POLICY_INFO);
}

/* ---- ping ---- */

static PyObject *
finish_ping(Call *call)
{
    return PyBool_FromLong(call->cmd.rc == AERO_OK);
}

static PyObject *
finish_no_ping(Call *call)
{
    (void)call;
    Py_RETURN_FALSE;
}

static int
begin_ping(Call *call, const aero_source *source, uint64_t now)
{
    if (begin_random(call, source, now) < 0) {
        PyErr_Clear();
        call->cmd.state = AERO_CMD_DONE;
        call->cmd.rc = AERO_ERROR;
    }
    return 0;
}

int
build_ping(Call *call)
{
    call->policy = call->client->defaults[AERO_POLICY_INFO];
    call->command = aero_span_str("build");
    call->begin = begin_ping;
    call->finish = finish_ping;
    call->cluster = client_peek(call->client);
    if (call->cluster == NULL) {
        call->task = NULL;
        call->finish = finish_no_ping;
    }
    return 0;
}

/* ---- all nodes ---- */

static void
free_fan(Call *call)
{
    aero_fan_fini(call->more);
    aero_free(call->more);
}

static void
cancel_fan(Call *call)
{
    aero_fan_cancel(call->more);
}

static int
begin_all(Call *call, const aero_source *source, uint64_t now)
{
    aero_fan *fan = aero_zalloc(sizeof *fan);

    if (fan == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    call->more = fan;
    call->free_more = free_fan;
    if (aero_fan_begin(fan, call->cluster, source, call->command,
                       call->policy.timeout, now, &call->cmd.st) != AERO_OK) {
        raise_status(call->state, &call->cmd.st);
        return -1;
    }
    call->task = &fan->task;
    call->cancel = cancel_fan;
    return 0;
}

/* (node_name, error_code, response) of the main face. */
static PyObject *
node_result(Call *call, const aero_cmd *cmd)
{
    PyObject *name = PyUnicode_FromString(cmd->st.node);
    aero_span body;
    aero_span command;
    aero_span value;
    aero_span text;
    int code = 0;

    if (cmd->rc != AERO_OK) {
        return result_tuple(call->state->InfoNodeResult, 3, name,
                            PyLong_FromLong(cmd->st.code),
                            PyUnicode_FromString(cmd->st.text));
    }
    body = aero_cmd_body(cmd);
    if (aero_info_take_line(&body, &command, &value, NULL) != AERO_OK) {
        value = aero_span_of(NULL, 0);
        code = AERO_ERR_CLIENT;
    }
    else {
        (void)aero_info_error(value, &code, &text);
    }
    return result_tuple(call->state->InfoNodeResult, 3, name,
                        PyLong_FromLong(code), text_of(value));
}

static PyObject *
finish_all(Call *call)
{
    const aero_fan *fan = call->more;
    PyObject *list;

    if (PyErr_Occurred()) {
        return NULL; /* interrupted */
    }
    list = PyObject_CallNoArgs((PyObject *)call->state->InfoResults);
    for (size_t i = 0; list != NULL && i < fan->count; i++) {
        PyObject *item = node_result(call, &fan->cmds[i]);

        if (item == NULL || PyList_Append(list, item) < 0) {
            Py_CLEAR(list);
        }
        Py_XDECREF(item);
    }
    return list;
}

/* {node_name: (None, "value\n")} of the strict face. */
static int
add_strict(Call *call, PyObject *dict, const aero_cmd *cmd)
{
    PyObject *line = NULL;
    PyObject *pair = NULL;
    aero_span value;
    int rc = -1;

    if (cmd->rc != AERO_OK) {
        raise_status(call->state, &cmd->st);
        return -1;
    }
    if (take_answer(call, cmd, &value) < 0) {
        return -1;
    }
    value.len += 1; /* its newline stands behind it */
    line = text_of(value);
    pair = line == NULL ? NULL : PyTuple_Pack(2, Py_None, line);
    if (pair != NULL) {
        rc = PyDict_SetItemString(dict, cmd->st.node, pair);
    }
    Py_XDECREF(line);
    Py_XDECREF(pair);
    return rc;
}

static PyObject *
finish_all_strict(Call *call)
{
    const aero_fan *fan = call->more;
    PyObject *dict;

    if (PyErr_Occurred()) {
        return NULL;
    }
    dict = PyDict_New();
    for (size_t i = 0; dict != NULL && i < fan->count; i++) {
        if (add_strict(call, dict, &fan->cmds[i]) < 0) {
            Py_CLEAR(dict);
        }
    }
    return dict;
}

int
build_info_all(Call *call)
{
    call->begin = begin_all;
    call->finish = call->face->strict ? finish_all_strict : finish_all;
    return take_command(call, call->argv[0], "Request must be a string") < 0
               ? -1
               : call_take_policy(call, call->argv[1], AERO_POLICY_INFO);
}

/* ---- without asking ---- */

static PyObject *
node_address(const aero_node *node)
{
    char host[AERO_ADDR_TEXT_MAX];

    aero_addr_host(&node->addr, host);
    return PyUnicode_FromString(host);
}

static PyObject *
node_port(const aero_node *node)
{
    return PyLong_FromLong(aero_addr_port(&node->addr));
}

static PyObject *
make_node_name(Client *client, const aero_node *node)
{
    PyObject *address = node_address(node);
    PyObject *port = node_port(node);
    PyObject *made = NULL;

    if (address == NULL || port == NULL) {
        /* an exception is set */
    }
    else if (client->face->strict) {
        made = Py_BuildValue("{sOsOss}", "address", address, "port", port,
                             "node_name", node->name);
    }
    else {
        made = PyObject_CallFunction((PyObject *)client->state->NodeName,
                                     "sOO", node->name, address, port);
    }
    Py_XDECREF(address);
    Py_XDECREF(port);
    return made;
}

static PyObject *
make_node_pair(Client *client, const aero_node *node)
{
    (void)client;
    return result_tuple(&PyTuple_Type, 2, node_address(node), node_port(node));
}

static PyObject *
each_node(Client *client, PyObject *(*make)(Client *, const aero_node *))
{
    aero_cluster *cluster = client_cluster(client);
    aero_map *map = cluster == NULL ? NULL : aero_cluster_map(cluster);
    PyObject *list = cluster == NULL ? NULL : PyList_New(0);

    for (size_t i = 0; list != NULL && map != NULL && i < map->n_nodes; i++) {
        PyObject *item = make(client, map->nodes[i]);

        if (item == NULL || PyList_Append(list, item) < 0) {
            Py_CLEAR(list);
        }
        Py_XDECREF(item);
    }
    aero_map_release(map);
    aero_cluster_release(cluster);
    return list;
}

PyObject *
plain_get_node_names(Client *client, PyObject *const *argv)
{
    (void)argv;
    return each_node(client, make_node_name);
}

PyObject *
plain_get_nodes(Client *client, PyObject *const *argv)
{
    (void)argv;
    return each_node(client, make_node_pair);
}

PyObject *
plain_is_connected(Client *client, PyObject *const *argv)
{
    aero_cluster *cluster = client_peek(client);
    bool connected = cluster != NULL;

    (void)argv;
    aero_cluster_release(cluster);
    return PyBool_FromLong(connected);
}

PyObject *
plain_get_key_digest(Client *client, PyObject *const *argv)
{
    aero_key key;

    if (key_take_parts(client->state, client->face, argv[0], argv[1], argv[2],
                       &key) < 0) {
        return NULL;
    }
    return PyByteArray_FromStringAndSize((const char *)key.digest,
                                         AERO_DIGEST_SIZE);
}

PyObject *
plain_get_key_partition_id(Client *client, PyObject *const *argv)
{
    ModState *state = client->state;
    aero_key key;

    if (!PyUnicode_Check(argv[0])) {
        return raise_param_type(state, "Namespace should be a string.");
    }
    if (!PyUnicode_Check(argv[1])) {
        return raise_param_type(state, "Set should be a string or unicode.");
    }
    if (!PyUnicode_Check(argv[2]) && !PyLong_Check(argv[2]) &&
        !PyByteArray_Check(argv[2])) {
        return raise_param_type(state, "Key is invalid.");
    }
    if (key_take_parts(state, client->face, argv[0], argv[1], argv[2], &key) <
        0) {
        return NULL;
    }
    return PyLong_FromUnsignedLong(aero_partition_of(key.digest));
}

PyObject *
plain_get_policies(Client *client, PyObject *const *argv)
{
    PyObject *all = PyDict_New();

    (void)argv;
    for (int i = 0; all != NULL && i < AERO_POLICY_KINDS; i++) {
        PyObject *one = policy_show(client->state, client->face,
                                    (aero_policy_kind)i, &client->defaults[i]);

        if (one == NULL ||
            PyDict_SetItemString(all, policy_kind_name((aero_policy_kind)i),
                                 one) < 0) {
            Py_CLEAR(all);
        }
        Py_XDECREF(one);
    }
    return all;
}

PyObject *
plain_shm_key(Client *client, PyObject *const *argv)
{
    PyObject *key = client->config == NULL
                        ? NULL
                        : PyDict_GetItemString(client->config, "shm_key");

    (void)argv;
    return Py_NewRef(key != NULL ? key : Py_None);
}

/* ---- counters ---- */

static PyObject *
node_stats(const aero_node *node)
{
    aero_pool_stats pool;
    char host[AERO_ADDR_TEXT_MAX];

    aero_pool_get_all_stats(node->pool, &pool);
    aero_addr_host(&node->addr, host);
    return Py_BuildValue(
        "{s:s,s:s,s:i,s:I,s:I,s:K,s:K,s:K,s:K,s:K}", "name", node->name,
        "address", host, "port", aero_addr_port(&node->addr), "in_use",
        pool.in_use, "in_pool", pool.idle, "opened", pool.opened, "closed",
        pool.closed, "error_count", atomic_load(&node->n_errors),
        "timeout_count", atomic_load(&node->n_timeouts), "key_busy_count",
        atomic_load(&node->n_busy));
}

PyObject *
plain_get_stats(Client *client, PyObject *const *argv)
{
    aero_cluster *cluster = client_cluster(client);
    aero_map *map = cluster == NULL ? NULL : aero_cluster_map(cluster);
    PyObject *nodes = cluster == NULL ? NULL : PyList_New(0);
    PyObject *made = NULL;

    (void)argv;
    for (size_t i = 0; nodes != NULL && map != NULL && i < map->n_nodes; i++) {
        PyObject *one = node_stats(map->nodes[i]);

        if (one == NULL || PyList_Append(nodes, one) < 0) {
            Py_CLEAR(nodes);
        }
        Py_XDECREF(one);
    }
    if (nodes != NULL) {
        made = PyObject_CallMethod(client->state->config_module, "make_stats",
                                   "OKIKKK", nodes,
                                   atomic_load(&cluster->n_retries),
                                   atomic_load(&cluster->n_recovering),
                                   atomic_load(&cluster->n_commands),
                                   atomic_load(&cluster->n_recovered),
                                   atomic_load(&cluster->n_aborted));
    }
    Py_XDECREF(nodes);
    aero_map_release(map);
    aero_cluster_release(cluster);
    return made;
}
