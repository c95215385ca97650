/* Records of replies.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_PYTHON_RECORD_H
#define AERO_PYTHON_RECORD_H

#include "value.h"

/* The bins of a message: a dict, the last value of a name counts. */
PyObject *record_bins(const Decoder *dec, aero_span ops, unsigned count);

#endif
