/* What the files about clients share.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_PYTHON_CLIENT_H
#define AERO_PYTHON_CLIENT_H

#include "call.h"

/* An object of the type, configured by its first argument. */
PyObject *client_alloc(PyTypeObject *type, PyObject *args, PyObject *kwargs,
                       const Face *face, bool is_async);

/* A cluster by the client's configuration, not yet tended; user and password
 * (borrowed, or NULL) take the place of the configured ones. */
aero_cluster *client_new_cluster(Client *client, PyObject *user,
                                 PyObject *password);

/* The steps of a life.  enter: 0 the caller connects, 1 it is connected
 * already, -1 an exception; leave: how it ended (takes `cluster`). */
int client_enter(Client *client, bool explicit_call);
void client_leave(Client *client, aero_cluster *cluster, bool explicit_call);
int client_take_out(Client *client, aero_cluster **cluster);
void client_stop(aero_cluster *cluster);
void *client_raise_not_connected(Client *client);
void client_forget_params(ModState *state);

#endif
