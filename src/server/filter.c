/* Records as expressions see them, and filters.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "command.h"

static aero_val
bin_at_work(void *ctx, aero_span name)
{
    const srv_cmd *cmd = ctx;
    const srv_bin *bin = srv_bins_find(&cmd->bins, name);

    return bin != NULL ? bin->val
                       : aero_val_of(AERO_PARTICLE_NIL, aero_span_of(NULL, 0));
}

static aero_val
bin_as_kept(void *ctx, aero_span name)
{
    return srv_record_bin(((const srv_cmd *)ctx)->rec, name);
}

static uint64_t
unix_ns(uint64_t lut)
{
    return (lut + (uint64_t)AERO_EPOCH_2010 * 1000) * AERO_NS_PER_MS;
}

/* A key is seen only once it is kept, not when the command sends it. */
static void
expose(const srv_cmd *cmd, uint16_t set, aero_exp_record *out)
{
    aero_span key =
        cmd->rec != NULL ? srv_record_key(cmd->rec) : aero_span_of(NULL, 0);

    memset(out, 0, sizeof *out);
    out->ctx = (void *)cmd;
    out->digest = cmd->digest;
    out->set = srv_set_name(cmd->ns, set);
    if (key.len != 0) {
        out->key = aero_val_of(key.ptr[0], aero_span_skip(key, 1));
    }
    out->now = srv_clock_ns(&cmd->core->clock);
    out->size = cmd->rec != NULL ? cmd->rec->used : SRV_FLAT_BLOCK;
}

void
srv_cmd_expose(const srv_cmd *cmd, aero_exp_record *out)
{
    expose(cmd, cmd->set, out);
    out->bin = bin_at_work;
    out->last_update = unix_ns(cmd->lut);
    out->void_time = cmd->void_time;
}

static void
expose_kept(const srv_cmd *cmd, aero_exp_record *out)
{
    expose(cmd, cmd->rec->set, out);
    out->bin = bin_as_kept;
    out->last_update = unix_ns(cmd->rec->lut);
    out->void_time = cmd->rec->void_time;
}

/* ---- filters ---- */

int
srv_core_filter(srv_core *core, aero_span packed, const aero_exp **out)
{
    int code = AERO_ERR_OK;

    if (core->filter == NULL ||
        !aero_span_equal(packed, aero_buf_span(&core->filter_bytes))) {
        aero_exp_free(core->filter);
        core->filter = NULL;
        core->filter_bytes.len = 0;
        code = aero_exp_build_filter(packed, &core->filter);
        aero_buf_put_span(&core->filter_bytes, packed);
    }
    *out = core->filter;
    return core->filter_bytes.failed ? AERO_ERR_SERVER : code;
}

int
srv_cmd_check_filter(srv_cmd *cmd)
{
    bool own = srv_req_has(cmd->req, AERO_FIELD_FILTER);
    aero_span packed =
        own ? srv_req_field(cmd->req, AERO_FIELD_FILTER) : cmd->filter;
    const aero_exp *filter;
    aero_exp_record record;
    int code;

    if (!own && packed.len == 0) {
        return AERO_ERR_OK;
    }
    code = srv_core_filter(cmd->core, packed, &filter);
    if (code != AERO_ERR_OK) {
        return code;
    }
    expose_kept(cmd, &record);
    return aero_exp_matches(filter, &record) ? AERO_ERR_OK
                                             : AERO_ERR_FILTERED_OUT;
}
