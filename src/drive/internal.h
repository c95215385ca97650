/* What the files of this room share among themselves.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_DRIVE_INTERNAL_H
#define AERO_DRIVE_INTERNAL_H

#include "aero/cluster/probe.h"

/* Resolves names with the C library, each on a thread of its own, because
 * getaddrinfo waits as long as it likes. */
extern const aero_resolver aero_thread_resolver;

/* Two ends of a pipe, both non-blocking and closed on exec. */
bool aero_pipe(int fds[2]);

#endif
