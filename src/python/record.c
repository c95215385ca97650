/* Records of replies.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "call.h"
#include "record.h"

PyObject *
record_bins(const Decoder *dec, aero_span ops, unsigned count)
{
    PyObject *bins = PyDict_New();

    for (unsigned i = 0; bins != NULL && i < count; i++) {
        aero_status st;
        aero_op op;
        PyObject *name;
        PyObject *value;

        if (aero_op_take(&ops, &op, &st) != AERO_OK) {
            raise_status(dec->state, &st);
            Py_CLEAR(bins);
            break;
        }
        name = value_name(dec->state, op.name);
        value = name == NULL ? NULL : value_take(dec, op.particle, op.value);
        if (value == NULL ||
            result_set_bin(dec->face, bins, name, value) < 0) {
            Py_CLEAR(bins);
        }
        Py_XDECREF(name);
        Py_XDECREF(value);
    }
    return bins;
}
