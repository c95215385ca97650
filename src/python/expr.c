/* Expressions and contexts in requests.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "build.h"

#include "aero/base/b64.h"

int
expr_pack(ModState *state, PyObject *obj, aero_buf *out)
{
    aero_span text;

    if (!PyUnicode_Check(obj)) {
        raise_param_type(state, "expressions is invalid");
        return -1;
    }
    if (value_as_text(state, obj, &text) < 0) {
        return -1;
    }
    if (text.len == 0 || !aero_b64_take(text, out)) {
        raise_param_value(state, "an expression as text must be base64");
        return -1;
    }
    return 0;
}

int
ctx_pack(ModState *state, PyObject *obj, aero_buf *out)
{
    if (!PyBytes_Check(obj)) {
        raise_param_type(state, "ctx must be a list of cdt_ctx objects");
        return -1;
    }
    aero_buf_put(out, PyBytes_AS_STRING(obj), (size_t)PyBytes_GET_SIZE(obj));
    return 0;
}
