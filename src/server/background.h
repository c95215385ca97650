/* Queries that change records behind the requests: operations, or a function
 * of a module, on each record that a query finds.  They are answered at once
 * and go on when the loop has nothing else to do.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SRV_BACKGROUND_H
#define SRV_BACKGROUND_H

#include "serve.h"

/* Begin; a result code. */
int srv_background_open(const srv_call *call, const srv_req *req, srv_ns *ns);

/* Go on for a while. */
void srv_background_work(srv_core *core);
/* Milliseconds until there is something to do; UINT32_MAX: there is not. */
uint32_t srv_background_rest_ms(const srv_core *core);
void srv_background_fini(srv_core *core);

#endif
