/* Deletes.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "txn.h"

static int
check_record(srv_cmd *cmd)
{
    int code = srv_cmd_check_set(cmd, false);

    if (code == AERO_ERR_OK) {
        code = srv_cmd_check_generation(cmd, cmd->rec->generation);
    }
    if (code == AERO_ERR_OK) {
        code = srv_cmd_check_filter(cmd);
    }
    return code == AERO_ERR_OK ? srv_cmd_check_key(cmd) : code;
}

/* Unlike every other command, a delete finds a record that is dead and not
 * yet gone. */
int
srv_delete_run(srv_cmd *cmd)
{
    int code;

    code = srv_txn_check_delete(cmd);
    if (code == AERO_ERR_OK) {
        code = srv_txn_find(cmd, true);
    }
    if (code != AERO_ERR_OK) {
        return code;
    }
    if (cmd->rec == NULL) {
        return AERO_ERR_RECORD_NOT_FOUND;
    }
    code = check_record(cmd);
    if (code == AERO_ERR_OK && !srv_txn_drop(cmd)) {
        code = AERO_ERR_SERVER;
    }
    return code;
}
