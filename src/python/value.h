/* Values both ways: Python objects to the bytes of a request, bytes of a reply
 * to Python objects, with no tree in between.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_PYTHON_VALUE_H
#define AERO_PYTHON_VALUE_H

#include "state.h"

#include "aero/wire/value.h"

typedef struct Encoder {
    ModState *state;
    const Face *face;
    PyObject *serializer; /* borrowed; takes other types; NULL: none */
    bool bool_as_int;
    bool allow_special; /* CDTInfinite and CDTWildcard */
    bool in_put;        /* of bins: the strict face words refusals by it */
} Encoder;

/* Append the value as a particle and say which.  -1 with an exception. */
int value_put(const Encoder *enc, PyObject *value, aero_buf *out,
              uint8_t *particle);

/* Append it as one packed item of a list, map or argument. */
int value_pack(const Encoder *enc, PyObject *value, aero_buf *out);

/* A dict as a map without flags, whatever its class. */
int value_pack_items(const Encoder *enc, PyObject *dict, aero_buf *out);

/* An exact int64, from an int, bool or NumPy integer.  -1 with ParamError
 * that says `what`. */
int value_as_int64(ModState *state, PyObject *value, const char *what,
                   int64_t *out);

/* UTF-8 of a str (borrowed from it).  -1 with an exception. */
int value_as_text(ModState *state, PyObject *value, aero_span *out);

/* A NumPy scalar as a plain object (new reference), or the object itself. */
PyObject *value_unwrap(ModState *state, PyObject *value);

typedef struct Decoder {
    ModState *state;
    const Face *face;
    PyObject *deserializer; /* borrowed; NULL: blobs stay bytes */
    bool packed;            /* lists and maps stay bytes, too */
    bool skip_nil;          /* answers that are nil are left out */
} Decoder;

/* A new reference, or NULL with an exception. */
PyObject *value_take(const Decoder *dec, uint8_t particle, aero_span bytes);

/* The packed item as an object. */
PyObject *value_unpack(const Decoder *dec, aero_span packed);

/* A bin's name, from the cache of those seen before. */
PyObject *value_name(ModState *state, aero_span name);

#endif
