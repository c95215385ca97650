/* Names and texts of the codes, from the same tables as the enums.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>

#include "aero/wire/codes.h"

const char *
aero_result_name(int code)
{
    switch (code) {
#define RESULT(name, code, exception, text)                                   \
    case code:                                                                \
        return #name;
#define RESULT_NAMED(name, code, exception, text, public)                     \
    RESULT(name, code, exception, text)
#include "aero/wire/tables/result.def"
#undef RESULT
#undef RESULT_NAMED
    default:
        return NULL;
    }
}

const char *
aero_result_short(int code)
{
    switch (code) {
#define SHORT(code, name)                                                     \
    case code:                                                                \
        return #name;
#include "aero/wire/tables/result_short.def"
#undef SHORT
    default:
        return NULL;
    }
}

const char *
aero_result_text(int code)
{
    switch (code) {
#define RESULT(name, code, exception, text)                                   \
    case code:                                                                \
        return text;
#define RESULT_NAMED(name, code, exception, text, public)                     \
    RESULT(name, code, exception, text)
#include "aero/wire/tables/result.def"
#undef RESULT
#undef RESULT_NAMED
    default:
        return "unknown result code";
    }
}

const char *
aero_particle_text(int code)
{
    switch (code) {
#define PARTICLE(name, code, text)                                            \
    case code:                                                                \
        return text;
#include "aero/wire/tables/particle.def"
#undef PARTICLE
    default:
        return "unknown particle";
    }
}

const char *
aero_field_text(int code)
{
    switch (code) {
#define FIELD(name, code, text)                                               \
    case code:                                                                \
        return text;
#include "aero/wire/tables/field.def"
#undef FIELD
    default:
        return "unknown field";
    }
}

const char *
aero_op_text(int code)
{
    switch (code) {
#define OP(name, code, mode, text)                                            \
    case code:                                                                \
        return text;
#include "aero/wire/tables/op.def"
#undef OP
    default:
        return "unknown operation";
    }
}

int
aero_op_is_write(int code)
{
    enum {
        MODE_READ = 0,
        MODE_WRITE = 1
    };

    switch (code) {
#define OP(name, code, mode, text)                                            \
    case code:                                                                \
        return MODE_##mode;
#include "aero/wire/tables/op.def"
#undef OP
    default:
        return -1;
    }
}
