/* Requests about one record: the head and the fields that all of them share.
 * Operations are put between open and close, straight into cmd->out.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_CLIENT_SINGLE_H
#define AERO_CLIENT_SINGLE_H

#include "aero/client/cmd.h"
#include "aero/wire/key.h"

typedef struct aero_single {
    aero_cmd *cmd;
    aero_msg msg; /* as it was put; bits may be added before close */
    size_t frame_at;
    size_t msg_at;
} aero_single;

/* Begin a request about `key`.  The policy gives limits, key sending and the
 * filter; the caller has set the bits of `msg`.  The digest must be known. */
void aero_single_open(aero_single *s, aero_cmd *cmd, const aero_key *key,
                      const aero_policy *policy, const aero_msg *msg);

/* A further field, before the first operation. */
void aero_single_put_field(aero_single *s, aero_field_type type,
                           aero_span data);

/* Write what is known now: bits, counts, sizes. */
void aero_single_close(aero_single *s, uint16_t n_ops);

/* Requests without operations, or with operations that carry only names. */
void aero_single_put_names(aero_single *s, const aero_span *names,
                           size_t count);

/* A request for info of a node (counted by the command). */
void aero_info_open(aero_cmd *cmd, aero_node *node, aero_span command,
                    uint32_t timeout_ms);

#endif
