/* The request of a path operation:
 *
 *   [type, value, type, value ...], flags, (expression)
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "cdt_path.h"

/* Build an expression. */
static int
check(const path_walk *w, aero_span expression)
{
    if (w->eval == NULL) {
        return AERO_ERR_REQUEST_INVALID;
    }
    return w->eval->check == NULL ? AERO_ERR_OK
                                  : w->eval->check(w->eval->ctx, expression);
}

/* An expression is a list; `true` stands for all.  Builds it. */
static int
take_filter(const path_walk *w, aero_span *in, aero_span *out)
{
    aero_span packed;
    aero_span ahead;
    aero_token token;

    if (!aero_token_take_whole(in, &packed)) {
        return AERO_ERR_REQUEST_INVALID;
    }
    ahead = packed;
    if (!aero_token_take(&ahead, &token)) {
        return AERO_ERR_REQUEST_INVALID;
    }
    if (token.kind == AERO_TOKEN_BOOL && token.truth) {
        return AERO_ERR_OK;
    }
    if (token.kind != AERO_TOKEN_LIST) {
        return AERO_ERR_REQUEST_INVALID;
    }
    *out = packed;
    return check(w, packed);
}

static int
take_value(path_walk *w, path_step *s, aero_span *in)
{
    switch (s->type & AERO_STEP_BASE) {
    case AERO_STEP_INDEX:
    case AERO_STEP_RANK:
        return cdt_take_integer(in, &s->index) ? AERO_ERR_OK
                                               : AERO_ERR_REQUEST_INVALID;
    case AERO_STEP_KEY:
    case AERO_STEP_VALUE:
    case AERO_STEP_KEY_LIST:
        return aero_token_take_whole(in, &s->value) ? AERO_ERR_OK
                                                    : AERO_ERR_REQUEST_INVALID;
    case AERO_STEP_EXPRESSION:
        return take_filter(w, in, &s->filter);
    default:
        return AERO_ERR_REQUEST_INVALID;
    }
}

/* A filter that narrows the step before it. */
static int
take_and(path_walk *w, int64_t type, aero_span *in)
{
    path_step *s;

    if (type != (AERO_STEP_AND | AERO_STEP_EXPRESSION) || w->n_steps == 0) {
        return AERO_ERR_REQUEST_INVALID;
    }
    s = &w->step[w->n_steps - 1];
    if (s->has_and || (s->type & AERO_STEP_BASE) == AERO_STEP_EXPRESSION) {
        return AERO_ERR_REQUEST_INVALID;
    }
    s->has_and = true;
    return take_filter(w, in, &s->and_filter);
}

static int
take_steps(path_walk *w, aero_span *in)
{
    aero_token head;

    if (!aero_token_take(in, &head) || head.kind != AERO_TOKEN_LIST ||
        head.count == 0 || head.count % 2 != 0 ||
        head.count / 2 > AERO_PATH_LEVELS_MAX) {
        return AERO_ERR_REQUEST_INVALID;
    }
    w->step = aero_arena_array(w->arena, head.count / 2, sizeof *w->step);
    if (w->step == NULL) {
        return AERO_ERR_SERVER;
    }
    for (uint32_t i = 0; i < head.count / 2; i++) {
        path_step *s = &w->step[w->n_steps];
        int64_t type;
        int rc;

        if (!cdt_take_integer(in, &type)) {
            return AERO_ERR_REQUEST_INVALID;
        }
        if ((type & AERO_STEP_AND) != 0) {
            rc = take_and(w, type, in);
        }
        else {
            s->type = (unsigned)type;
            w->n_steps++;
            rc = take_value(w, s, in);
        }
        if (rc != AERO_ERR_OK) {
            return rc;
        }
    }
    return AERO_ERR_OK;
}

/* [steps, flags] or [steps, flags, expression] */
int
path_take_request(path_walk *w, aero_span in, uint32_t n_args, bool modify)
{
    int64_t flags;
    int rc = take_steps(w, &in);

    if (rc != AERO_ERR_OK) {
        return rc;
    }
    if (!cdt_take_integer(&in, &flags)) {
        return AERO_ERR_REQUEST_INVALID;
    }
    w->mode = (unsigned)flags & AERO_PATH_MODE;
    w->no_fail = (flags & AERO_PATH_NO_FAIL) != 0;
    if (w->mode > AERO_PATH_APPLY ||
        n_args != (w->mode == AERO_PATH_APPLY ? 3 : 2)) {
        return AERO_ERR_REQUEST_INVALID;
    }
    if (w->mode != AERO_PATH_APPLY) {
        return AERO_ERR_OK;
    }
    if (!modify || !aero_token_take_whole(&in, &w->apply)) {
        return AERO_ERR_REQUEST_INVALID;
    }
    return check(w, w->apply);
}
