/* What functions on one record and functions on streams share.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SRV_UDF_H
#define SRV_UDF_H

#include "command.h"
#include "particle.h"

/* The function that is asked for.  A result code. */
int srv_udf_take(const srv_req *req, aero_lua_call *call, aero_span *package);

/* The record as scripts see it, in `arena`.  False: no memory. */
bool srv_udf_view(const srv_core *core, const srv_ns *ns,
                  const srv_record *rec, aero_arena *arena,
                  aero_lua_record *out);

/* What a script has said goes where the server's own lines go. */
void srv_udf_log(srv_core *core, const aero_lua_result *result);

#endif
