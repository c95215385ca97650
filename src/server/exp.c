/* What others ask of expressions: evaluate, filter, and the operations
 * EXP_READ and EXP_MODIFY.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "args.h"
#include "exp_internal.h"

int
aero_exp_eval(const aero_exp *exp, const aero_exp_record *record,
              aero_made *out, bool *unknown)
{
    exp_run run;
    exp_value value;

    exp_run_init(&run, exp);
    run.record = record;
    aero_made_clear(out);
    value = exp_eval(&run);
    *unknown = !exp_make(&run, &value, out);
    exp_run_fini(&run);
    if (run.failed || *unknown) {
        out->present = false;
    }
    return run.failed ? AERO_ERR_SERVER : AERO_ERR_OK;
}

bool
aero_exp_is_of_bins(const aero_exp *exp)
{
    uint32_t count = (uint32_t)(exp->nodes.len / sizeof(exp_node));
    bool bins = false;

    for (uint32_t i = 0; i < count; i++) {
        uint8_t code = exp_node_at(exp, i)->code;

        if ((code > AERO_EXP_DIGEST_MOD && code <= AERO_EXP_KEY) ||
            code == AERO_EXP_UNKNOWN) {
            return false;
        }
        bins |= code == AERO_EXP_DIGEST_MOD || code == AERO_EXP_BIN ||
                code == AERO_EXP_BIN_TYPE;
    }
    return bins;
}

bool
aero_exp_matches(const aero_exp *exp, const aero_exp_record *record)
{
    exp_run run;
    exp_value value;

    exp_run_init(&run, exp);
    run.record = record;
    value = exp_eval(&run);
    exp_run_fini(&run);
    return !run.failed && exp_is_true(&value);
}

/* [expression, flags]; flags may be missing, and what is no integer in their
 * place counts as missing. */
static int
take_operation(aero_span payload, int64_t allowed, aero_exp **exp,
               int64_t *flags)
{
    aero_span packed;
    uint32_t count;

    if (!take_list(&payload, &count) || count == 0 || count > 2 ||
        !aero_token_take_whole(&payload, &packed)) {
        return AERO_ERR_REQUEST_INVALID;
    }
    if (!take_int(&payload, flags)) {
        *flags = 0;
    }
    if ((*flags & ~allowed) != 0) {
        return AERO_ERR_REQUEST_INVALID;
    }
    return exp_build_at(packed, 0, false, exp);
}

/* Evaluate for an operation: unknown fails it unless that is allowed, and
 * then there is no value. */
static int
eval_for(const aero_exp *exp, const aero_exp_record *record, int64_t flags,
         aero_made *out)
{
    bool unknown;
    int rc = aero_exp_eval(exp, record, out, &unknown);

    if (rc == AERO_ERR_OK && unknown && (flags & AERO_EXP_EVAL_NO_FAIL) == 0) {
        rc = AERO_ERR_OP_NOT_APPLICABLE;
    }
    return rc;
}

int
aero_exp_read(aero_span payload, const aero_exp_record *record,
              aero_made *reply)
{
    aero_exp *exp;
    int64_t flags;
    int rc;

    aero_made_clear(reply);
    rc = take_operation(payload, AERO_EXP_EVAL_NO_FAIL, &exp, &flags);
    if (rc != AERO_ERR_OK) {
        return rc;
    }
    rc = eval_for(exp, record, flags, reply);
    aero_exp_free(exp);
    return rc;
}

/* Whether flags forbid the bin to exist or to be missing. */
static int
check_bin(bool exists, int64_t flags)
{
    if (exists && (flags & AERO_EXP_CREATE_ONLY) != 0) {
        return AERO_ERR_BIN_EXISTS;
    }
    if (!exists && (flags & AERO_EXP_UPDATE_ONLY) != 0) {
        return AERO_ERR_BIN_NOT_FOUND;
    }
    return AERO_ERR_OK;
}

/* Nil deletes a bin only if that is allowed; any other flag then makes it no
 * error either, as on the server. */
static int
check_delete(bool exists, int64_t flags, aero_made *after)
{
    if (!after->present || after->particle != AERO_PARTICLE_NIL) {
        return AERO_ERR_OK;
    }
    if (!exists) {
        after->present = false;
        return AERO_ERR_OK;
    }
    if ((flags & AERO_EXP_ALLOW_DELETE) != 0) {
        return AERO_ERR_OK;
    }
    after->present = false;
    return flags != 0 ? AERO_ERR_OK : AERO_ERR_OP_NOT_APPLICABLE;
}

int
aero_exp_modify(aero_span payload, const aero_exp_record *record, aero_val bin,
                aero_made *after)
{
    bool exists = bin.particle != AERO_PARTICLE_NIL;
    aero_exp *exp;
    int64_t flags;
    int rc;

    aero_made_clear(after);
    rc = take_operation(payload, 0x1f, &exp, &flags);
    if (rc != AERO_ERR_OK) {
        return rc;
    }
    rc = check_bin(exists, flags);
    if (rc != AERO_ERR_OK) {
        rc = (flags & AERO_EXP_POLICY_NO_FAIL) != 0 ? AERO_ERR_OK : rc;
    }
    else {
        rc = eval_for(exp, record, flags, after);
        if (rc == AERO_ERR_OK) {
            rc = check_delete(exists, flags, after);
        }
    }
    aero_exp_free(exp);
    return rc;
}
