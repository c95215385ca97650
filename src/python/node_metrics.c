/* What the core counts for each node and namespace, for aerospike_py._metrics,
 * which says who gets it and when.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "build.h"
#include "client.h"

/* ---- a snapshot ---- */

static PyObject *
columns_of(const aero_ns_metrics *row, aero_latency kind)
{
    PyObject *list = PyList_New(row->columns);

    for (int i = 0; list != NULL && i < row->columns; i++) {
        PyObject *number = PyLong_FromUnsignedLongLong(
            atomic_load(&row->counts[kind * row->columns + i]));

        if (number == NULL) {
            Py_CLEAR(list);
        }
        else {
            PyList_SET_ITEM(list, i, number);
        }
    }
    return list;
}

static PyObject *
namespace_of(const aero_ns_metrics *row)
{
    return Py_BuildValue(
        "{s:s#,s:K,s:K,s:K,s:K,s:K,s:N,s:N,s:N,s:N,s:N}", "ns", row->ns,
        (Py_ssize_t)row->ns_len, "bytes_in", atomic_load(&row->bytes_in),
        "bytes_out", atomic_load(&row->bytes_out), "error_count",
        atomic_load(&row->errors), "timeout_count",
        atomic_load(&row->timeouts), "key_busy_count", atomic_load(&row->busy),
        "conn_latency", columns_of(row, AERO_LATENCY_CONN), "write_latency",
        columns_of(row, AERO_LATENCY_WRITE), "read_latency",
        columns_of(row, AERO_LATENCY_READ), "batch_latency",
        columns_of(row, AERO_LATENCY_BATCH), "query_latency",
        columns_of(row, AERO_LATENCY_QUERY));
}

/* Takes `item`; false with an exception. */
static bool
append(PyObject *list, PyObject *item)
{
    bool fine = item != NULL && PyList_Append(list, item) == 0;

    Py_XDECREF(item);
    return fine;
}

static PyObject *
namespaces_of(const aero_node *node, uint32_t round)
{
    const aero_ns_metrics *row = atomic_load(&node->metrics.first);
    PyObject *list = PyList_New(0);

    for (; list != NULL && row != NULL; row = row->next) {
        if (row->round == round && !append(list, namespace_of(row))) {
            Py_CLEAR(list);
        }
    }
    return list;
}

static PyObject *
node_of(const aero_node *node, uint32_t round)
{
    aero_pool_stats pool;
    char host[AERO_ADDR_TEXT_MAX];

    aero_pool_get_all_stats(node->pool, &pool);
    aero_addr_host(&node->addr, host);
    return Py_BuildValue(
        "{s:s,s:s,s:i,s:{s:I,s:I,s:K,s:K},s:N}", "name", node->name, "address",
        host, "port", aero_addr_port(&node->addr), "conns", "in_use",
        pool.in_use, "in_pool", pool.idle, "opened", pool.opened, "closed",
        pool.closed, "metrics", namespaces_of(node, round));
}

static PyObject *
nodes_of(aero_cluster *cluster)
{
    uint32_t round = atomic_load(&cluster->metrics.round);
    aero_map *map = aero_cluster_map(cluster);
    PyObject *list = PyList_New(0);

    for (size_t i = 0; list != NULL && map != NULL && i < map->n_nodes; i++) {
        if (!append(list, node_of(map->nodes[i], round))) {
            Py_CLEAR(list);
        }
    }
    aero_map_release(map);
    return list;
}

PyObject *
client_snapshot_metrics(PyObject *op, PyObject *unused)
{
    aero_cluster *cluster = client_peek((Client *)op);
    PyObject *made;

    (void)unused;
    if (cluster == NULL) {
        Py_RETURN_NONE;
    }
    made = Py_BuildValue(
        "{s:z,s:z,s:I,s:K,s:K,s:N}", "cluster_name",
        cluster->config.cluster_name, "app_id", cluster->config.app_id,
        "invalid_node_count", atomic_load(&cluster->n_invalid),
        "command_count", atomic_load(&cluster->n_commands), "retry_count",
        atomic_load(&cluster->n_retries), "nodes", nodes_of(cluster));
    aero_cluster_release(cluster);
    return made;
}

/* _switch_metrics(columns, shift): no columns, no metrics. */
PyObject *
client_switch_metrics(PyObject *op, PyObject *args)
{
    unsigned columns;
    unsigned shift;
    aero_cluster *cluster;

    if (!PyArg_ParseTuple(args, "II:_switch_metrics", &columns, &shift)) {
        return NULL;
    }
    cluster = client_peek((Client *)op);
    if (cluster == NULL) {
        Py_RETURN_NONE;
    }
    if (columns == 0 || columns > AERO_METRICS_COLUMNS_MAX) {
        atomic_store(&cluster->metrics.on, false);
    }
    else {
        aero_metrics_enable(&cluster->metrics, columns, shift);
    }
    aero_cluster_release(cluster);
    Py_RETURN_NONE;
}

/* ---- the methods ---- */

static PyObject *
call_module(Client *client, const char *function, PyObject *policy)
{
    PyObject *module = PyImport_ImportModule("aerospike_py._metrics");
    PyObject *done = module == NULL
                         ? NULL
                         : PyObject_CallMethod(module, function, "OO",
                                               (PyObject *)client, policy);

    Py_XDECREF(module);
    return done;
}

PyObject *
plain_enable_metrics(Client *client, PyObject *const *argv)
{
    aero_cluster *cluster = client_cluster(client);
    PyObject *policy = argv[0] == NULL ? Py_None : argv[0];

    if (cluster == NULL) {
        return NULL;
    }
    aero_cluster_release(cluster);
    return call_module(client, "enable", policy);
}

PyObject *
plain_disable_metrics(Client *client, PyObject *const *argv)
{
    aero_cluster *cluster = client_cluster(client);

    (void)argv;
    if (cluster == NULL) {
        return NULL;
    }
    aero_cluster_release(cluster);
    return call_module(client, "disable", Py_None);
}
