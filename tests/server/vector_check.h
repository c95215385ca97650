/* Golden vectors of operations on one bin.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_TESTS_VECTOR_CHECK_H
#define AERO_TESTS_VECTOR_CHECK_H

#include "op_check.h"
#include "vectors.h"

/* No value and nil are the same to a client. */
static inline void
vector_check_value(const vector *v, const char *what, uint8_t particle,
                   aero_span got, const vector_value *want)
{
    char name[256];

    snprintf(name, sizeof name, "%s, %s", v->id, what);
    if (particle != (want->there ? want->particle : AERO_PARTICLE_NIL)) {
        test_failed(__FILE__, __LINE__, "%s: particle %d", name, particle);
    }
    else if (particle != AERO_PARTICLE_NIL) {
        test_check_bytes(__FILE__, __LINE__, name, got, want->bytes);
    }
}

static inline void
vector_check(op_apply apply, const vector *v, bool modify)
{
    aero_val bin = v->before.there
                       ? aero_val_of(v->before.particle, v->before.bytes)
                       : op_value(AERO_PARTICLE_NIL, NULL);
    aero_made reply = {0};
    aero_made after = {0};
    int rc = apply(bin, modify, v->payload, &reply, &after);

    if (rc != v->rc) {
        test_failed(__FILE__, __LINE__, "%s: rc %d, not %d", v->id, rc, v->rc);
    }
    else if (rc == AERO_ERR_OK) {
        aero_val left = after.present ? aero_made_val(&after) : bin;

        vector_check_value(v, "reply",
                           reply.present ? reply.particle : AERO_PARTICLE_NIL,
                           aero_buf_span(&reply.bytes), &v->reply);
        if (!v->is_long) {
            vector_check_value(v, "after", left.particle, left.bytes,
                               &v->after);
        }
    }
    aero_made_fini(&reply);
    aero_made_fini(&after);
}

/* Those of a group that are of the two operations; how many. */
static inline size_t
vector_check_group(op_apply apply, const char *group, int read, int modify)
{
    vectors all;
    size_t count = 0;

    vectors_init_group(&all, group);
    for (size_t i = 0; i < all.count; i++) {
        const vector *v = &all.at[i];

        if (v->op == read || v->op == modify) {
            vector_check(apply, v, v->op == modify);
            count++;
        }
    }
    vectors_fini(&all);
    return count;
}

#endif
