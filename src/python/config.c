/* From the normalized configuration (aerospike_py/_config.py has checked it)
 * to what the core wants.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "aero/base/alloc.h"
#include "aero/cluster/auth.h"
#include "client.h"

#include "aero/base/b64.h"

/* What the build says, as a text. */
#define TEXT_OF_(x) #x
#define TEXT_OF(x)  TEXT_OF_(x)

enum {
    AGENT_MAX = 63 /* servers refuse more */
};

enum {
    IDLE_S = 55 /* servers close what is idle for 60 */
};

/* ---- reading the normalized dict ---- */

/* Borrowed; NULL for None or nothing. */
static PyObject *
get(PyObject *dict, const char *name)
{
    PyObject *value = PyDict_GetItemString(dict, name);

    return value == Py_None ? NULL : value;
}

static uint32_t
get_u32(PyObject *dict, const char *name, uint32_t initial)
{
    PyObject *value = get(dict, name);

    return value == NULL ? initial : (uint32_t)PyLong_AsUnsignedLong(value);
}

static bool
get_flag(PyObject *dict, const char *name, bool initial)
{
    PyObject *value = get(dict, name);

    return value == NULL ? initial : value == Py_True;
}

/* What the key says, or what it is initially by the table. */
#define NUMBER(dict, key) get_u32(dict, #key, AERO_CONFIG_##key)
#define FLAG(dict, key)   get_flag(dict, #key, AERO_CONFIG_##key)

/* A copy that the core owns; NULL for nothing. */
static char *
copy_text(PyObject *value)
{
    Py_ssize_t len;
    const char *text;

    if (value == NULL) {
        return NULL;
    }
    text = PyUnicode_AsUTF8AndSize(value, &len);
    return text == NULL ? NULL : aero_strndup(text, (size_t)len);
}

static int
copy_into(char *out, size_t cap, PyObject *value)
{
    Py_ssize_t len;
    const char *text = PyUnicode_AsUTF8AndSize(value, &len);

    if (text == NULL) {
        return -1;
    }
    if ((size_t)len >= cap) {
        PyErr_Format(PyExc_ValueError, "'%U' is too long", value);
        return -1;
    }
    memcpy(out, text, (size_t)len + 1);
    return 0;
}

static int
read_seeds(PyObject *config, aero_cluster_config *out)
{
    PyObject *hosts = PyDict_GetItemString(config, "hosts");
    Py_ssize_t count = PyList_GET_SIZE(hosts);

    out->seeds = aero_zalloc(((size_t)count + 1) * sizeof *out->seeds);
    if (out->seeds == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *item = PyList_GET_ITEM(hosts, i);
        aero_seed *seed = &out->seeds[i];

        if (copy_into(seed->host, sizeof seed->host,
                      PyTuple_GET_ITEM(item, 0)) < 0 ||
            copy_into(seed->tls_name, sizeof seed->tls_name,
                      PyTuple_GET_ITEM(item, 2)) < 0) {
            return -1;
        }
        seed->port = (uint16_t)PyLong_AsLong(PyTuple_GET_ITEM(item, 1));
        out->n_seeds++;
    }
    return 0;
}

static int
read_ip_map(PyObject *config, aero_cluster_config *out)
{
    PyObject *pairs = get(config, "ip_map");
    Py_ssize_t pos = 0;
    PyObject *from;
    PyObject *to;

    if (pairs == NULL) {
        return 0;
    }
    out->ip_map = aero_zalloc(((size_t)PyDict_GET_SIZE(pairs) + 1) *
                              sizeof *out->ip_map);
    if (out->ip_map == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    while (PyDict_Next(pairs, &pos, &from, &to)) {
        aero_ip_pair *pair = &out->ip_map[out->n_ip_map];

        if (copy_into(pair->from, sizeof pair->from, from) < 0 ||
            copy_into(pair->to, sizeof pair->to, to) < 0) {
            return -1;
        }
        out->n_ip_map++;
    }
    return 0;
}

static int
read_racks(PyObject *config, aero_cluster_config *out)
{
    PyObject *ids = get(config, "rack_ids");

    out->rack_aware = FLAG(config, rack_aware);
    if (ids == NULL) {
        return 0;
    }
    out->rack_ids =
        aero_zalloc(((size_t)PyList_GET_SIZE(ids) + 1) * sizeof(int32_t));
    if (out->rack_ids == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(ids); i++) {
        out->rack_ids[out->n_rack_ids++] =
            (int32_t)PyLong_AsLong(PyList_GET_ITEM(ids, i));
    }
    return 0;
}

static int
read_tls(Client *client, PyObject *config, aero_cluster_config *out)
{
    PyObject *tls = get(config, "tls");
    aero_tls_config files = {0};
    aero_status st;

    if (tls == NULL) {
        return 0;
    }
#define FILE_NAME(key)                                                        \
    files.key =                                                               \
        get(tls, #key) == NULL ? NULL : PyUnicode_AsUTF8(get(tls, #key));
    FILE_NAME(cafile)
    FILE_NAME(capath)
    FILE_NAME(certfile)
    FILE_NAME(keyfile)
    FILE_NAME(keyfile_pw)
    FILE_NAME(cipher_suite)
    FILE_NAME(protocols)
    FILE_NAME(cert_blacklist)
#undef FILE_NAME
    files.crl_check = FLAG(tls, crl_check);
    files.crl_check_all = FLAG(tls, crl_check_all);
    out->tls_login_only = FLAG(tls, for_login_only);
    out->log_session_info = FLAG(tls, log_session_info);
    if (PyErr_Occurred()) {
        return -1;
    }
    aero_status_clear(&st);
    out->tls = aero_tls_context_new(&files, &st);
    if (out->tls == NULL) {
        raise_status(client->state, &st);
        return -1;
    }
    return 0;
}

/* ---- credentials ---- */

static int
hash_password(Client *client, aero_cluster_config *out)
{
    PyObject *made;

    if (strlen(out->password) >= AERO_PASSWORD_MAX) {
        raise_error(client->state, EXC_ClientError,
                    "password is longer than 63 bytes");
        return -1;
    }
    if (aero_auth_can_hash()) {
        return 0; /* by the one who logs in: it takes its time */
    }
    made = PyObject_CallMethod(client->state->config_module, "hash_password",
                               "s", out->password);
    if (made == NULL) {
        return -1;
    }
    out->credential = copy_text(made);
    Py_DECREF(made);
    return out->credential == NULL ? -1 : 0;
}

static int
read_login(Client *client, PyObject *user, PyObject *password,
           aero_cluster_config *out)
{
    PyObject *config = client->config;

    out->auth_mode = (aero_auth_mode)get_u32(config, "auth_mode", 0);
    if (user == NULL || user == Py_None) {
        user = get(config, "user");
        password = password == NULL || password == Py_None
                       ? get(config, "password")
                       : password;
    }
    if (user == NULL) {
        return 0;
    }
    if (!PyUnicode_Check(user)) {
        raise_param_type(client->state, "username must be a string");
        return -1;
    }
    if (password == NULL || !PyUnicode_Check(password)) {
        raise_param_type(client->state, "password must be a string");
        return -1;
    }
    out->user = copy_text(user);
    out->password = copy_text(password);
    if (out->user == NULL || out->password == NULL) {
        return -1;
    }
    return hash_password(client, out);
}

/* Who we are, as nodes are told: at most 63 bytes before base64. */
static int
read_agent(aero_cluster_config *out)
{
    char text[AGENT_MAX + 1];
    aero_buf coded = AERO_BUF_INIT;

    snprintf(text, sizeof text, "1,aerospike_py-%s,%s", TEXT_OF(AERO_VERSION),
             out->app_id != NULL ? out->app_id : "not-set");
    aero_b64_put(&coded, aero_span_str(text));
    if (!coded.failed) {
        out->agent = aero_strndup(coded.ptr, coded.len);
    }
    aero_buf_fini(&coded);
    if (out->agent == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    return 0;
}

static int
read_config(Client *client, PyObject *user, PyObject *password,
            aero_cluster_config *out)
{
    PyObject *config = client->config;

    aero_cluster_config_init(out);
    out->connect_timeout_ms = NUMBER(config, connect_timeout);
    out->login_timeout_ms = NUMBER(config, login_timeout_ms);
    out->tend_interval_ms = NUMBER(config, tend_interval);
    out->max_conns = NUMBER(config, max_conns_per_node);
    out->min_conns = NUMBER(config, min_conns_per_node);
    out->max_idle_ms = NUMBER(config, max_socket_idle) * 1000;
    out->max_error_rate = NUMBER(config, max_error_rate);
    out->error_rate_window = NUMBER(config, error_rate_window);
    out->use_alternate = FLAG(config, use_services_alternate);
    out->fail_if_not_connected = FLAG(config, fail_if_not_connected);
    out->force_single_node = FLAG(config, force_single_node);
    out->cluster_name = copy_text(get(config, "cluster_name"));
    out->app_id = copy_text(get(config, "app_id"));
    if (read_agent(out) < 0) {
        return -1;
    }
    if (read_seeds(config, out) < 0 || read_ip_map(config, out) < 0 ||
        read_racks(config, out) < 0 || read_tls(client, config, out) < 0) {
        return -1;
    }
    return read_login(client, user, password, out);
}

aero_cluster *
client_new_cluster(Client *client, PyObject *user, PyObject *password)
{
    PyObject *error = get(client->config, "error");
    aero_cluster_config config;
    aero_cluster *cluster;

    if (error != NULL) {
        PyErr_SetObject((PyObject *)Py_TYPE(error), error);
        return NULL; /* a mistake that was to be said here, not before */
    }
    if (read_config(client, user, password, &config) < 0) {
        aero_cluster_config_fini(&config);
        return NULL;
    }
    cluster = aero_cluster_new(&config, log_logger(client->state));
    aero_cluster_config_fini(&config);
    return cluster != NULL ? cluster : (aero_cluster *)PyErr_NoMemory();
}

/* ---- the object ---- */

static int
read_policies(Client *client)
{
    PyObject *policies = PyDict_GetItemString(client->config, "policies");

    for (int i = 0; i < AERO_POLICY_KINDS; i++) {
        aero_policy *policy = &client->defaults[i];
        PyObject *dict =
            policies == NULL
                ? NULL
                : PyDict_GetItemString(policies,
                                       policy_kind_name((aero_policy_kind)i));

        aero_policy_init(policy, (aero_policy_kind)i);
        if (policy_take(client->state, client->face, dict, 1u << i, false,
                        policy) < 0) {
            return -1;
        }
        policy->given = 0;
    }
    return 0;
}

static int
read_serializers(Client *client)
{
    PyObject *pair = get(client->config, "serialization");

    if (pair == NULL) {
        return 0;
    }
    if (PyTuple_GET_ITEM(pair, 0) != Py_None) {
        client->serializer = Py_NewRef(PyTuple_GET_ITEM(pair, 0));
    }
    if (PyTuple_GET_ITEM(pair, 1) != Py_None) {
        client->deserializer = Py_NewRef(PyTuple_GET_ITEM(pair, 1));
    }
    return 0;
}

/* What the asynchronous client makes its event loops with. */
static void
read_loop_options(Client *client)
{
    PyObject *config = client->config;
    uint32_t idle_s = NUMBER(config, max_socket_idle);

    client->max_conns = NUMBER(config, max_conns_per_node);
    client->warm_conns = NUMBER(config, async_warm_connections);
    if (client->warm_conns > client->max_conns) {
        client->warm_conns = client->max_conns;
    }
    client->max_idle_ms = (idle_s == 0 ? IDLE_S : idle_s) * 1000;
    client->coalesce = FLAG(config, coalesce_reads);
    client->max_rows = NUMBER(config, coalesce_max_rows);
    client->max_flights = NUMBER(config, coalesce_max_requests);
}

static int
read_gate(Client *client)
{
    uint32_t limit = NUMBER(client->config, max_concurrent_operations);

    if (limit == 0) {
        return 0;
    }
    client->gate = aero_gate_new(
        limit, NUMBER(client->config, operation_queue_timeout_ms));
    if (client->gate == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    return 0;
}

static int
configure(Client *client, PyObject *config)
{
    client->config =
        PyObject_CallMethod(client->state->config_module, "normalize", "OOO",
                            config, client->face->strict ? Py_True : Py_False,
                            client->is_async ? Py_True : Py_False);
    if (client->config == NULL) {
        return -1;
    }
    if (get_flag(client->config, "strict_results", false)) {
        client->face = &compat_face; /* official shapes on the main face */
    }
    read_loop_options(client);
    if (read_gate(client) < 0) {
        return -1;
    }
    client->validate_keys = FLAG(client->config, validate_keys);
    client->strict_types = FLAG(client->config, strict_types);
    client->bool_as_int = get_flag(client->config, "send_bool_as_int", false);
    client->forced = Py_XNewRef(get(client->config, "forced"));
    if (read_policies(client) < 0) {
        return -1;
    }
    return read_serializers(client);
}

static PyObject *
config_argument(ModState *state, const Face *face, PyObject *args,
                PyObject *kwargs)
{
    PyObject *config = NULL;

    if (PyTuple_GET_SIZE(args) > 0) {
        config = PyTuple_GET_ITEM(args, 0);
    }
    else if (kwargs != NULL) {
        config = PyDict_GetItemString(kwargs, "config");
    }
    if (config == NULL && !face->strict) {
        PyErr_SetString(PyExc_TypeError,
                        "client() missing required argument 'config' (pos 1)");
    }
    (void)state;
    return config;
}

/* (Python 3.11 has PyType_GetModuleByDef for this.) */
ModState *
state_of_type(PyTypeObject *type)
{
    PyObject *mro = type->tp_mro;

    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(mro); i++) {
        PyTypeObject *base = (PyTypeObject *)PyTuple_GET_ITEM(mro, i);
        PyObject *module = NULL;

        if (PyType_HasFeature(base, Py_TPFLAGS_HEAPTYPE)) {
            module = ((PyHeapTypeObject *)base)->ht_module;
        }
        if (module != NULL && PyModule_GetDef(module) == &aerospike_module) {
            return PyModule_GetState(module);
        }
    }
    PyErr_SetString(PyExc_SystemError, "the type has lost its module");
    return NULL;
}

PyObject *
client_alloc(PyTypeObject *type, PyObject *args, PyObject *kwargs,
             const Face *face, bool is_async)
{
    ModState *state = state_of_type(type);
    PyObject *config;
    Client *client;

    if (state == NULL) {
        return NULL;
    }
    config = config_argument(state, face, args, kwargs);
    if (config == NULL && PyErr_Occurred()) {
        return NULL;
    }
    client = (Client *)type->tp_alloc(type, 0);
    if (client == NULL) {
        return NULL;
    }
    client->module = Py_NewRef(state->module);
    client->state = state;
    client->face = face;
    client->is_async = is_async;
    pthread_mutex_init(&client->lock, NULL);
    pthread_mutex_init(&client->connect, NULL);
    if (config != NULL && configure(client, config) < 0) {
        Py_DECREF(client);
        return NULL;
    }
    return (PyObject *)client;
}
