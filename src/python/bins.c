/* Bins of a dict to operations that write them.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "build.h"

static int
put_bin(const Encoder *enc, bool strict_types, PyObject *name_obj,
        PyObject *value, aero_buf *out)
{
    aero_span name;
    size_t mark;
    uint8_t particle;

    if (build_take_written_bin(
            enc->state, enc->face, strict_types, name_obj,
            "A bin name must be a string or unicode string.", &name) < 0) {
        return -1;
    }
    mark = aero_op_open(out, AERO_OP_WRITE, AERO_PARTICLE_NIL, name);
    if (value_put(enc, value, out, &particle) < 0) {
        errors_place(enc->state, "bins[%R]", name_obj);
        return -1;
    }
    aero_op_patch_particle(out, mark, particle);
    aero_op_close(out, mark);
    return 0;
}

int
bins_put(const Encoder *enc, bool strict_types, PyObject *bins, aero_buf *out,
         uint16_t *count)
{
    Py_ssize_t pos = 0;
    Py_ssize_t n = PyDict_GET_SIZE(bins);
    PyObject *name;
    PyObject *value;

    if (n > AERO_OPS_MAX) {
        raise_param_value(enc->state, "more than %d bins", AERO_OPS_MAX);
        return -1;
    }
    while (PyDict_Next(bins, &pos, &name, &value)) {
        int rc;

        Py_INCREF(name);
        Py_INCREF(value);
        rc = put_bin(enc, strict_types, name, value, out);
        Py_DECREF(name);
        Py_DECREF(value);
        if (rc < 0) {
            return -1;
        }
    }
    if (PyDict_GET_SIZE(bins) != n) {
        raise_error(enc->state, EXC_ClientError,
                    "bins changed while they were encoded");
        return -1;
    }
    *count = (uint16_t)n;
    return 0;
}
