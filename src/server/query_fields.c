/* The fields of a query.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "query.h"

enum {
    INDEX_NAME_MAX = 63,
    STRING_RANGE_MAX = 2048,
    GEO_RANGE_MAX = 1 << 20
};

int
srv_query_take_number(const srv_req *req, aero_field_type type, size_t size,
                      uint64_t *out)
{
    aero_span data = srv_req_field(req, type);

    if (!srv_req_has(req, type)) {
        return AERO_ERR_OK;
    }
    if (data.len != size) {
        return AERO_ERR_REQUEST_INVALID;
    }
    *out = size == 4 ? aero_get_u32(data.ptr) : aero_get_u64(data.ptr);
    return AERO_ERR_OK;
}

/* ---- partitions ---- */

static int
take_ids(srv_pids *pids, aero_span ids)
{
    size_t count = ids.len / 2;

    if (count == 0 || count > AERO_PARTITIONS) {
        return AERO_ERR_REQUEST_INVALID;
    }
    for (size_t i = 0; i < count; i++) {
        uint16_t pid = aero_get_u16le(ids.ptr + 2 * i);

        if (pid >= AERO_PARTITIONS || pids->asked[pid]) {
            return AERO_ERR_REQUEST_INVALID;
        }
        pids->asked[pid] = true;
        pids->count++;
    }
    return AERO_ERR_OK;
}

static int
take_digests(srv_pids *pids, aero_span digests)
{
    size_t count = digests.len / AERO_DIGEST_SIZE;

    if (count == 0 || count > AERO_PARTITIONS) {
        return AERO_ERR_REQUEST_INVALID;
    }
    pids->digests = digests;
    for (size_t i = 0; i < count; i++) {
        uint32_t pid = aero_partition_of(digests.ptr + AERO_DIGEST_SIZE * i);

        if (pids->asked[pid]) {
            return AERO_ERR_REQUEST_INVALID;
        }
        pids->asked[pid] = true;
        pids->resume[pid] = (uint16_t)(i + 1);
        pids->count++;
        pids->n_digests++;
    }
    return AERO_ERR_OK;
}

/* Values of an index stand beside the digests, one each. */
static int
take_numbers(const srv_req *req, srv_pids *pids)
{
    size_t digests =
        srv_req_field(req, AERO_FIELD_DIGESTS).len / AERO_DIGEST_SIZE;
    size_t values = srv_req_field(req, AERO_FIELD_BVALS).len / 8;
    bool has_digests = srv_req_has(req, AERO_FIELD_DIGESTS);
    bool has_values = srv_req_has(req, AERO_FIELD_BVALS);

    if (!has_digests) {
        return has_values ? AERO_ERR_REQUEST_INVALID : AERO_ERR_OK;
    }
    if (!srv_req_has(req, AERO_FIELD_INDEX_RANGE)) {
        return AERO_ERR_OK;
    }
    pids->numbers = srv_req_field(req, AERO_FIELD_BVALS);
    return has_values && values == digests ? AERO_ERR_OK
                                           : AERO_ERR_REQUEST_INVALID;
}

int
srv_query_take_pids(const srv_req *req, srv_pids *pids)
{
    int code = AERO_ERR_OK;

    if (!srv_req_has(req, AERO_FIELD_PARTITIONS) &&
        !srv_req_has(req, AERO_FIELD_DIGESTS)) {
        return AERO_ERR_OK;
    }
    if (srv_req_has(req, AERO_FIELD_PARTITIONS)) {
        code = take_ids(pids, srv_req_field(req, AERO_FIELD_PARTITIONS));
    }
    if (code == AERO_ERR_OK && srv_req_has(req, AERO_FIELD_DIGESTS)) {
        code = take_digests(pids, srv_req_field(req, AERO_FIELD_DIGESTS));
    }
    return code == AERO_ERR_OK ? take_numbers(req, pids) : code;
}

/* ---- the range of an index ---- */

static bool
take_bytes(aero_span *in, size_t len, aero_span *out)
{
    if (in->len < len) {
        return false;
    }
    *out = aero_span_of(in->ptr, len);
    *in = aero_span_skip(*in, len);
    return true;
}

/* A length and as many bytes. */
static bool
take_value(aero_span *in, aero_span *out)
{
    aero_span size;

    return take_bytes(in, 4, &size) &&
           take_bytes(in, aero_get_u32(size.ptr), out);
}

static bool
take_ends(aero_span *in, srv_range *range)
{
    if (!take_value(in, &range->begin)) {
        return false;
    }
    switch (range->particle) {
    case AERO_PARTICLE_INTEGER:
        return range->begin.len == 8 && take_value(in, &range->end) &&
               range->end.len == 8 &&
               (int64_t)aero_get_u64(range->begin.ptr) <=
                   (int64_t)aero_get_u64(range->end.ptr);
    case AERO_PARTICLE_STRING:
    case AERO_PARTICLE_BLOB:
        return range->begin.len < STRING_RANGE_MAX;
    case AERO_PARTICLE_GEOJSON:
        return range->begin.len != 0 && range->begin.len < GEO_RANGE_MAX;
    default:
        return false;
    }
}

/* The index is found by its bin, or by a name, or by an expression. */
static bool
names_one_way(const srv_req *req, aero_span bin)
{
    bool name = srv_req_has(req, AERO_FIELD_INDEX_NAME);
    bool expression = srv_req_has(req, AERO_FIELD_INDEX_EXPRESSION);
    bool context = srv_req_has(req, AERO_FIELD_INDEX_CONTEXT);

    if (bin.len > AERO_BIN_NAME_MAX || (name && expression) ||
        (context && (name || expression))) {
        return false;
    }
    return (bin.len != 0) != (name || expression);
}

static bool
names_well(const srv_req *req)
{
    size_t len = srv_req_field(req, AERO_FIELD_INDEX_NAME).len;

    if (srv_req_has(req, AERO_FIELD_INDEX_NAME) &&
        (len == 0 || len > INDEX_NAME_MAX)) {
        return false;
    }
    return !srv_req_has(req, AERO_FIELD_INDEX_EXPRESSION) ||
           srv_req_field(req, AERO_FIELD_INDEX_EXPRESSION).len != 0;
}

int
srv_query_take_range(const srv_req *req, srv_range *range)
{
    aero_span in = srv_req_field(req, AERO_FIELD_INDEX_RANGE);
    aero_span head;
    aero_span particle;
    bool good;

    if (!srv_req_has(req, AERO_FIELD_INDEX_RANGE)) {
        return AERO_ERR_OK;
    }
    good = take_bytes(&in, 2, &head) && head.ptr[0] == 1 &&
           take_bytes(&in, head.ptr[1], &range->bin) &&
           names_one_way(req, range->bin) && take_bytes(&in, 1, &particle);
    if (good) {
        range->particle = particle.ptr[0];
        good = take_ends(&in, range) && names_well(req);
    }
    return good ? AERO_ERR_OK : AERO_ERR_REQUEST_INVALID;
}
