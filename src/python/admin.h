/* What the files about users and roles share.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_PYTHON_ADMIN_H
#define AERO_PYTHON_ADMIN_H

#include "build.h"

#include "aero/client/admin.h"
#include "aero/drive/hash.h"

/* What a call about users needs beside its command.  Where a password goes
 * along, its hash is made first, by a thread. */
typedef struct Admin {
    aero_task task; /* first: a task of this is this */
    aero_job *jobs[1];
    Call *call; /* borrowed */
    aero_admin_ask ask;
    aero_admin_records records;
    aero_hash_job hash;
    const char *password; /* borrowed from an argument; NULL: none */
    size_t hash_at;       /* in the request; 0: none */
    size_t old_hash_at;   /* likewise */
    bool is_own;          /* the client goes on with the password */
    bool needs_8_1;
    bool begun;
    int round;
} Admin;

/* Each puts an argument into the request of the call.  -1 with an exception.
 */
#define ROLE_NAME "Role name should be a string"

int admin_put_user(Call *call, PyObject *obj);
int admin_put_role(Call *call, PyObject *obj, const char *what);
int admin_take_password(Call *call, PyObject *obj);
int admin_put_password(Call *call, const char *password, size_t len,
                       aero_admin_code id);
int admin_put_role_names(Call *call, PyObject *list);
int admin_put_privileges(Call *call, PyObject *list);
int admin_put_whitelist(Call *call, PyObject *list);
int admin_put_quotas(Call *call, PyObject *read, PyObject *write);

/* Records of an answer as the methods give them; NULL with an exception.
 * Users: a dict each; strictly a dict by name. */
PyObject *admin_users(ModState *state, aero_span records, bool strict);
PyObject *admin_user(ModState *state, aero_span records, bool strict);

typedef enum RoleShape {
    ROLE_NAMED,      /* a dict with its name and all there is */
    ROLE_PRIVILEGES, /* the list of its privileges alone */
    ROLE_LIMITS      /* a dict without its name */
} RoleShape;

PyObject *admin_roles(ModState *state, aero_span records, RoleShape shape);
PyObject *admin_role(ModState *state, aero_span records, RoleShape shape);

#endif
