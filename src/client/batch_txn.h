/* Rows of a batch that belong to a transaction.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_CLIENT_BATCH_TXN_H
#define AERO_CLIENT_BATCH_TXN_H

#include "aero/client/batch.h"
#include "aero/client/txn.h"

/* AERO_MORE: *monitor (owned by the caller) is a command that has to end
 * before rows are sent.  AERO_OK: none is needed. */
aero_rc aero_batch_txn_begin(aero_batch *batch, aero_txn *txn,
                             aero_cmd **monitor, aero_status *st);

/* The row's body with the fields of the transaction; closes the row. */
void aero_batch_txn_put(aero_batch_put *put, aero_txn *txn,
                        const aero_row *row);

/* The row has ended: remember what it read or wrote. */
aero_rc aero_batch_txn_note(aero_txn *txn, const aero_row *row,
                            aero_span fields, aero_status *st);

#endif
