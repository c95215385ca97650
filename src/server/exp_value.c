/* Values of expressions from and to particles and packed items.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "exp_internal.h"
#include "made.h"

aero_span
exp_keep(exp_run *run, aero_span bytes)
{
    aero_span kept;

    if (bytes.len == 0) {
        return aero_span_of("", 0);
    }
    kept = aero_arena_copy(&run->arena, bytes);
    run->failed |= kept.ptr == NULL;
    return kept;
}

exp_value
exp_of_val(aero_val val)
{
    exp_value value = {.kind = val.particle, .bytes = val.bytes};
    bool good = true;

    switch (val.particle) {
    case AERO_PARTICLE_INTEGER:
        good = aero_integer_take(val.bytes, &value.number);
        break;
    case AERO_PARTICLE_FLOAT:
        good = val.bytes.len == 8;
        value.real = good ? aero_get_f64(val.bytes.ptr) : 0;
        break;
    case AERO_PARTICLE_BOOL:
        good = val.bytes.len == 1;
        value.truth = good && val.bytes.ptr[0] != 0;
        break;
    case AERO_PARTICLE_GEOJSON:
        good = aero_geojson_take(val.bytes, &value.bytes);
        break;
    default:
        break;
    }
    return good ? value : exp_unknown();
}

/* A raw item: its particle byte says what it is. */
static exp_value
of_raw(aero_span raw)
{
    if (raw.len == 0) {
        return exp_of_bytes(KIND_OTHER, raw);
    }
    return exp_of_bytes(raw.ptr[0], aero_span_skip(raw, 1));
}

exp_value
exp_of_packed(aero_span packed)
{
    exp_value nil = {.kind = AERO_PARTICLE_NIL};
    aero_span in = packed;
    aero_token token;

    if (!aero_token_take(&in, &token)) {
        return exp_unknown();
    }
    switch (token.kind) {
    case AERO_TOKEN_NIL:
        return nil;
    case AERO_TOKEN_BOOL:
        return exp_of_bool(token.truth);
    case AERO_TOKEN_INT:
        return exp_of_int(token.number);
    case AERO_TOKEN_UINT:
        return exp_of_int((int64_t)token.big);
    case AERO_TOKEN_DOUBLE:
        return exp_of_real(token.real);
    case AERO_TOKEN_RAW:
        return of_raw(token.bytes);
    case AERO_TOKEN_LIST:
        return exp_of_bytes(AERO_PARTICLE_LIST, packed);
    case AERO_TOKEN_MAP:
        return exp_of_bytes(AERO_PARTICLE_MAP, packed);
    default:
        return exp_of_bytes(KIND_OTHER, packed);
    }
}

bool
exp_pack(const exp_value *value, aero_buf *out)
{
    switch (value->kind) {
    case KIND_UNKNOWN:
    case KIND_REMOVE:
        return false;
    case AERO_PARTICLE_NIL:
        aero_pack_nil(out);
        return true;
    case AERO_PARTICLE_BOOL:
        aero_pack_bool(out, value->truth);
        return true;
    case AERO_PARTICLE_INTEGER:
        aero_pack_int(out, value->number);
        return true;
    case AERO_PARTICLE_FLOAT:
        aero_pack_double(out, value->real);
        return true;
    case AERO_PARTICLE_LIST:
    case AERO_PARTICLE_MAP:
    case KIND_OTHER:
        aero_buf_put_span(out, value->bytes);
        return true;
    default:
        aero_pack_raw(out, value->kind, value->bytes);
        return true;
    }
}

/* A region that a bin could not hold is no value. */
static bool
make_geo(exp_run *run, const exp_value *value, aero_made *out)
{
    int rc = aero_geo_make(value->bytes, out);

    run->failed |= rc == AERO_ERR_SERVER;
    return rc == AERO_ERR_OK;
}

bool
exp_make(exp_run *run, const exp_value *value, aero_made *out)
{
    int rc = AERO_ERR_OK;

    switch (value->kind) {
    case KIND_UNKNOWN:
    case KIND_REMOVE:
    case KIND_OTHER:
        return false;
    case AERO_PARTICLE_NIL:
        made_as(out, AERO_PARTICLE_NIL);
        break;
    case AERO_PARTICLE_BOOL:
        rc = made_bool(out, value->truth);
        break;
    case AERO_PARTICLE_INTEGER:
        rc = made_int(out, value->number);
        break;
    case AERO_PARTICLE_FLOAT:
        rc = made_real(out, value->real);
        break;
    case AERO_PARTICLE_GEOJSON:
        return make_geo(run, value, out);
    default:
        rc = made_bytes(out, value->kind, value->bytes);
        break;
    }
    run->failed |= rc != AERO_ERR_OK;
    return true;
}
