/* Records of replies with many of them: what they have in common is made
 * once.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_PYTHON_RECORD_H
#define AERO_PYTHON_RECORD_H

#include "value.h"

#include "aero/wire/query.h"

typedef struct RecordMaker {
    Decoder dec;
    PyObject *ns;        /* owned; of the newest record */
    PyObject *set;       /* owned; the same */
    PyObject *meta;      /* owned; of a record that lives for ever, or NULL */
    uint32_t generation; /* that it has */
} RecordMaker;

/* `ns` and `set` are those that are expected. */
void record_maker_init(RecordMaker *maker, const Decoder *dec, PyObject *ns,
                       PyObject *set);
void record_maker_fini(RecordMaker *maker);

/* A Record, or the strict face's tuple. */
PyObject *record_make(RecordMaker *maker, const aero_query_item *item);

/* The bins of a message: a dict, the last value of a name counts. */
PyObject *record_bins(const Decoder *dec, aero_span ops, unsigned count);

#endif
