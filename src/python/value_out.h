/* What the files that make Python objects of bytes share: value_out.c, bins;
 * value_unpack.c, lists and maps; value_text.c, their strings.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_PYTHON_VALUE_OUT_H
#define AERO_PYTHON_VALUE_OUT_H

#include "value.h"

/* An exception: the server sent a malformed `what`.  Always NULL. */
PyObject *value_malformed(const Decoder *dec, const char *what);

/* All of them give a new reference, or NULL with an exception. */
PyObject *value_text(const Decoder *dec, aero_span bytes);
/* The same, perhaps one that is kept: for a key of a map. */
PyObject *value_key(const Decoder *dec, aero_span bytes);
PyObject *value_bytes(aero_span bytes);
PyObject *value_blob(const Decoder *dec, aero_span bytes);
PyObject *value_geo(const Decoder *dec, aero_span text);
PyObject *value_hll(const Decoder *dec, aero_span bytes);

#endif
