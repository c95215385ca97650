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
    PyObject *ns;  /* owned; of the newest record */
    PyObject *set; /* owned; the same */
} RecordMaker;

/* None of many records that are being made is garbage: the collector, which
 * would look at all of them again and again, waits until they are there.
 * Nobody else runs meanwhile, unless values are made by code of the user: then
 * it does not wait. */
static inline bool
collector_pause(const Decoder *dec)
{
#ifndef Py_GIL_DISABLED
    return dec->deserializer == NULL && PyGC_Disable() == 1;
#else
    (void)dec; /* it is the other threads' as well */
    return false;
#endif
}

static inline void
collector_resume(bool paused)
{
    if (paused) {
        PyGC_Enable();
    }
}

/* `ns` and `set` are those that are expected. */
void record_maker_init(RecordMaker *maker, const Decoder *dec, PyObject *ns,
                       PyObject *set);
void record_maker_fini(RecordMaker *maker);

/* A Record, or the strict face's tuple. */
PyObject *record_make(RecordMaker *maker, const aero_query_item *item);

/* The bins of a message: a dict, the last value of a name counts. */
PyObject *record_bins(const Decoder *dec, aero_span ops, unsigned count);

#endif
