/* Builders of the methods about users and roles.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "aero/base/alloc.h"
#include "admin.h"

static void
free_admin(Call *call)
{
    Admin *admin = call->more;

    if (admin->begun) {
        aero_cmd_cancel(&call->cmd, AERO_ERR_CLIENT_ABORT, "cancelled");
    }
    aero_hash_fini(&admin->hash);
    aero_admin_records_fini(&admin->records);
    aero_free(admin);
}

/* ---- running ---- */

static void
cancel_admin(Call *call)
{
    aero_cmd_cancel(&call->cmd, AERO_ERR_CLIENT_ABORT, "cancelled");
}

/* First the hash, then the request that carries it. */
static aero_rc
next(aero_task *task)
{
    Admin *admin = (Admin *)task;
    aero_cmd *cmd = &admin->call->cmd;

    switch (admin->round++) {
    case 0:
        admin->jobs[0] = &admin->hash.job;
        return AERO_MORE;
    case 1:
        if (cmd->state == AERO_CMD_DONE) {
            return cmd->rc; /* cancelled meanwhile */
        }
        if (admin->hash.st.code != 0) {
            aero_cmd_cancel(cmd, admin->hash.st.code, admin->hash.st.text);
            return AERO_ERROR;
        }
        memcpy(cmd->out.ptr + admin->hash_at, admin->hash.hash,
               AERO_HASH_SIZE);
        admin->jobs[0] = &cmd->job;
        return AERO_MORE;
    default:
        return cmd->rc;
    }
}

static int
begin_hash(Call *call, Admin *admin)
{
    if (aero_hash_begin(&admin->hash, admin->password, &call->cmd.st) !=
        AERO_OK) {
        raise_status(call->state, &call->cmd.st);
        return -1;
    }
    admin->task.next = next;
    admin->task.jobs = admin->jobs;
    admin->task.n_jobs = 1;
    call->task = &admin->task;
    call->cancel = cancel_admin;
    return 0;
}

static void
patch_old_hash(Call *call, const Admin *admin)
{
    aero_cluster *cluster = call->cluster;

    pthread_mutex_lock(&cluster->lock);
    if (cluster->config.credential != NULL) {
        memcpy(call->cmd.out.ptr + admin->old_hash_at,
               cluster->config.credential, AERO_HASH_SIZE);
    }
    pthread_mutex_unlock(&cluster->lock);
}

static int
begin(Call *call, const aero_source *source, uint64_t now)
{
    Admin *admin = call->more;
    aero_cmd *cmd = &call->cmd;

    if (cmd->out.failed) {
        raise_error(call->state, EXC_ParamValueError,
                    "the request is too large");
        return -1;
    }
    cmd->node = aero_cluster_some_node(call->cluster);
    if (cmd->node == NULL) {
        raise_error(call->state, EXC_ClusterError, "the cluster has no node");
        return -1;
    }
    cmd->node_is_given = true;
    if (admin->needs_8_1 && !aero_node_is_build(cmd->node, 8, 1, 0)) {
        raise_error(call->state, EXC_UnsupportedFeature,
                    "node %s runs %u.%u, users of certificates need 8.1",
                    cmd->node->name, cmd->node->build[0], cmd->node->build[1]);
        return -1;
    }
    if (admin->old_hash_at != 0) {
        patch_old_hash(call, admin);
    }
    aero_cmd_begin(cmd, call->cluster, source, now);
    admin->begun = true;
    return admin->hash_at != 0 && aero_auth_can_hash()
               ? begin_hash(call, admin)
               : 0;
}

/* ---- ends ---- */

static int
check(Call *call)
{
    if (PyErr_Occurred()) {
        return -1; /* interrupted */
    }
    return result_check(call, NULL);
}

static PyObject *
finish_zero(Call *call)
{
    return check(call) < 0 ? NULL : PyLong_FromLong(0);
}

/* Go on with the new password. */
static PyObject *
finish_password(Call *call)
{
    const Admin *admin = call->more;
    char hash[AERO_HASH_SIZE + 1] = "";
    const char *user = call->cluster->config.user;
    aero_status st;

    if (check(call) < 0) {
        return NULL;
    }
    aero_status_clear(&st);
    if (admin->is_own && user != NULL) {
        memcpy(hash, call->cmd.out.ptr + admin->hash_at, AERO_HASH_SIZE);
        if (aero_cluster_set_password(call->cluster, admin->password, hash,
                                      &st) != AERO_OK) {
            return raise_status(call->state, &st);
        }
    }
    return PyLong_FromLong(0);
}

static int
check_records(Call *call)
{
    const Admin *admin = call->more;

    call->cmd.result = admin->records.result == AERO_ERR_QUERY_END
                           ? AERO_ERR_OK
                           : admin->records.result;
    return check(call);
}

static PyObject *
finish_users(Call *call)
{
    const Admin *admin = call->more;

    return check_records(call) < 0
               ? NULL
               : admin_users(call->state, aero_buf_span(&admin->records.buf),
                             call->face->strict);
}

static PyObject *
finish_user(Call *call)
{
    const Admin *admin = call->more;

    return check_records(call) < 0
               ? NULL
               : admin_user(call->state, aero_buf_span(&admin->records.buf),
                            call->face->strict);
}

static PyObject *
make_roles(Call *call, RoleShape shape, bool one)
{
    const Admin *admin = call->more;
    aero_span records = aero_buf_span(&admin->records.buf);

    if (check_records(call) < 0) {
        return NULL;
    }
    return one ? admin_role(call->state, records, shape)
               : admin_roles(call->state, records, shape);
}

static PyObject *
finish_query_role(Call *call)
{
    return make_roles(call, call->face->strict ? ROLE_PRIVILEGES : ROLE_NAMED,
                      true);
}

static PyObject *
finish_query_roles(Call *call)
{
    return make_roles(call, call->face->strict ? ROLE_PRIVILEGES : ROLE_NAMED,
                      false);
}

static PyObject *
finish_get_role(Call *call)
{
    return make_roles(call, ROLE_LIMITS, true);
}

static PyObject *
finish_get_roles(Call *call)
{
    return make_roles(call, ROLE_LIMITS, false);
}

/* ---- arguments ---- */

/* Begin a request; the policy stands last but for roles' limits. */
static Admin *
open_call(Call *call, aero_admin_code command, PyObject *policy,
          call_finish finish)
{
    Admin *admin;

    if (call_take_policy(call, policy, AERO_POLICY_ADMIN) < 0) {
        return NULL;
    }
    admin = aero_zalloc(sizeof *admin);
    if (admin == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    admin->call = call;
    call->more = admin;
    call->free_more = free_admin;
    call->begin = begin;
    call->finish = finish;
    aero_admin_open(&admin->ask, &call->cmd, command, call->policy.timeout);
    if (!call->cmd.is_write) {
        aero_admin_gather(&admin->ask, &admin->records);
    }
    return admin;
}

static int
close_call(Call *call)
{
    aero_admin_close(&((Admin *)call->more)->ask);
    return 0;
}

/* ---- users ---- */

int
build_admin_create_user(Call *call)
{
    PyObject **argv = call->argv;

    if (open_call(call, AERO_ADMIN_CREATE_USER, argv[3], finish_zero) ==
            NULL ||
        admin_put_user(call, argv[0]) < 0 ||
        admin_take_password(call, argv[1]) < 0 ||
        admin_put_role_names(call, argv[2]) < 0) {
        return -1;
    }
    return close_call(call);
}

int
build_admin_create_pki_user(Call *call)
{
    static const char nobody[] = "nopassword";
    PyObject **argv = call->argv;
    Admin *admin =
        open_call(call, AERO_ADMIN_CREATE_USER, argv[2], finish_zero);

    if (admin == NULL) {
        return -1;
    }
    admin->needs_8_1 = true;
    if (admin_put_user(call, argv[0]) < 0 ||
        admin_put_password(call, nobody, sizeof nobody - 1,
                           AERO_ADMIN_FIELD_PASSWORD) < 0 ||
        admin_put_role_names(call, argv[1]) < 0) {
        return -1;
    }
    return close_call(call);
}

int
build_admin_drop_user(Call *call)
{
    if (open_call(call, AERO_ADMIN_DROP_USER, call->argv[1], finish_zero) ==
            NULL ||
        admin_put_user(call, call->argv[0]) < 0) {
        return -1;
    }
    return close_call(call);
}

/* Is the argument the user who is logged in?  That is known once the client
 * is connected. */
static int
is_own_name(Call *call, PyObject *name)
{
    const char *user;

    if (!PyUnicode_Check(name)) {
        return 0; /* refused below */
    }
    if (call->cluster == NULL) {
        call->cluster = client_cluster(call->client);
        if (call->cluster == NULL) {
            return -1;
        }
    }
    user = call->cluster->config.user;
    return user != NULL && PyUnicode_CompareWithASCIIString(name, user) == 0;
}

static int
build_password(Call *call, bool with_old)
{
    PyObject **argv = call->argv;
    int own = is_own_name(call, argv[0]);
    Admin *admin;

    if (own < 0) {
        return -1;
    }
    with_old = with_old && (own || call->face->strict);
    admin = open_call(
        call, with_old ? AERO_ADMIN_CHANGE_PASSWORD : AERO_ADMIN_SET_PASSWORD,
        argv[2], finish_password);
    if (admin == NULL || admin_put_user(call, argv[0]) < 0) {
        return -1;
    }
    if (with_old) {
        admin->old_hash_at =
            aero_admin_put_hash(&admin->ask, AERO_ADMIN_FIELD_OLD_PASSWORD);
    }
    admin->is_own = own;
    return admin_take_password(call, argv[1]) < 0 ? -1 : close_call(call);
}

int
build_admin_set_password(Call *call)
{
    return build_password(call, false);
}

int
build_admin_change_password(Call *call)
{
    return build_password(call, true);
}

static int
build_roles(Call *call, aero_admin_code command)
{
    if (open_call(call, command, call->argv[2], finish_zero) == NULL ||
        admin_put_user(call, call->argv[0]) < 0 ||
        admin_put_role_names(call, call->argv[1]) < 0) {
        return -1;
    }
    return close_call(call);
}

int
build_admin_grant_roles(Call *call)
{
    return build_roles(call, AERO_ADMIN_GRANT_ROLES);
}

int
build_admin_revoke_roles(Call *call)
{
    return build_roles(call, AERO_ADMIN_REVOKE_ROLES);
}

int
build_admin_query_user_info(Call *call)
{
    if (open_call(call, AERO_ADMIN_QUERY_USERS, call->argv[1], finish_user) ==
            NULL ||
        admin_put_user(call, call->argv[0]) < 0) {
        return -1;
    }
    return close_call(call);
}

int
build_admin_query_users_info(Call *call)
{
    return open_call(call, AERO_ADMIN_QUERY_USERS, call->argv[0],
                     finish_users) == NULL
               ? -1
               : close_call(call);
}

/* ---- roles ---- */

int
build_admin_create_role(Call *call)
{
    PyObject **argv = call->argv;
    PyObject *read = argv[4] == Py_None ? NULL : argv[4];
    PyObject *write = argv[5] == Py_None ? NULL : argv[5];

    if (open_call(call, AERO_ADMIN_CREATE_ROLE, argv[2], finish_zero) ==
            NULL ||
        admin_put_role(call, argv[0], ROLE_NAME) < 0 ||
        (argv[1] != NULL && (argv[1] != Py_None || call->face->strict) &&
         admin_put_privileges(call, argv[1]) < 0) ||
        admin_put_whitelist(call, argv[3]) < 0) {
        return -1;
    }
    if ((read != NULL || write != NULL) &&
        admin_put_quotas(call, read, write) < 0) {
        return -1;
    }
    return close_call(call);
}

int
build_admin_drop_role(Call *call)
{
    if (open_call(call, AERO_ADMIN_DROP_ROLE, call->argv[1], finish_zero) ==
            NULL ||
        admin_put_role(call, call->argv[0], ROLE_NAME) < 0) {
        return -1;
    }
    return close_call(call);
}

static int
build_privileges(Call *call, aero_admin_code command)
{
    if (open_call(call, command, call->argv[2], finish_zero) == NULL ||
        admin_put_role(call, call->argv[0], ROLE_NAME) < 0 ||
        admin_put_privileges(call, call->argv[1]) < 0) {
        return -1;
    }
    return close_call(call);
}

int
build_admin_grant_privileges(Call *call)
{
    return build_privileges(call, AERO_ADMIN_GRANT_PRIVILEGES);
}

int
build_admin_revoke_privileges(Call *call)
{
    return build_privileges(call, AERO_ADMIN_REVOKE_PRIVILEGES);
}

int
build_admin_set_whitelist(Call *call)
{
    if (open_call(call, AERO_ADMIN_SET_WHITELIST, call->argv[2],
                  finish_zero) == NULL ||
        admin_put_role(call, call->argv[0], ROLE_NAME ".") < 0 ||
        admin_put_whitelist(call, call->argv[1]) < 0) {
        return -1;
    }
    return close_call(call);
}

int
build_admin_set_quotas(Call *call)
{
    PyObject **argv = call->argv;

    if (open_call(call, AERO_ADMIN_SET_QUOTAS, argv[3], finish_zero) == NULL ||
        admin_put_role(call, argv[0], ROLE_NAME ".") < 0 ||
        admin_put_quotas(call, argv[1], argv[2]) < 0) {
        return -1;
    }
    return close_call(call);
}

static int
build_role_query(Call *call, call_finish finish)
{
    if (open_call(call, AERO_ADMIN_QUERY_ROLES, call->argv[1], finish) ==
            NULL ||
        admin_put_role(call, call->argv[0], ROLE_NAME) < 0) {
        return -1;
    }
    return close_call(call);
}

int
build_admin_query_role(Call *call)
{
    return build_role_query(call, finish_query_role);
}

int
build_admin_get_role(Call *call)
{
    return build_role_query(call, finish_get_role);
}

int
build_admin_query_roles(Call *call)
{
    return open_call(call, AERO_ADMIN_QUERY_ROLES, call->argv[0],
                     finish_query_roles) == NULL
               ? -1
               : close_call(call);
}

int
build_admin_get_roles(Call *call)
{
    return open_call(call, AERO_ADMIN_QUERY_ROLES, call->argv[0],
                     finish_get_roles) == NULL
               ? -1
               : close_call(call);
}
