/* Policies.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "aero/client/policy.h"

void
aero_policy_init(aero_policy *policy, aero_policy_kind kind)
{
    memset(policy, 0, sizeof *policy);
#define POLICY(key, type, kinds, initial, text)                               \
    policy->key = (AERO_POLICY_TYPE_##type)initial;
#define POLICY_INITIAL(of, key, value)                                        \
    if (kind == AERO_POLICY_##of) {                                           \
        policy->key = value;                                                  \
    }
#include "aero/wire/tables/policy.def"
#undef POLICY
#undef POLICY_INITIAL
}

static void
put_gen(const aero_policy *policy, uint32_t generation, aero_msg *msg)
{
    switch ((aero_gen_mode)policy->gen) {
    case AERO_GEN_IGNORE:
        return;
    case AERO_GEN_EQ:
        msg->info2 |= AERO_INFO2_GENERATION;
        break;
    case AERO_GEN_GT:
        msg->info2 |= AERO_INFO2_GENERATION_GT;
        break;
    }
    msg->generation = generation;
}

static void
put_exists(const aero_policy *policy, aero_msg *msg)
{
    switch ((aero_exists_mode)policy->exists) {
    case AERO_EXISTS_UPDATE:
        break;
    case AERO_EXISTS_UPDATE_ONLY:
        msg->info3 |= AERO_INFO3_UPDATE_ONLY;
        break;
    case AERO_EXISTS_CREATE_OR_REPLACE:
        msg->info3 |= AERO_INFO3_CREATE_OR_REPLACE;
        break;
    case AERO_EXISTS_REPLACE_ONLY:
        msg->info3 |= AERO_INFO3_REPLACE_ONLY;
        break;
    case AERO_EXISTS_CREATE_ONLY:
        msg->info2 |= AERO_INFO2_CREATE_ONLY;
        break;
    }
}

void
aero_policy_put_write(const aero_policy *policy, uint32_t generation,
                      uint32_t ttl, aero_msg *msg)
{
    msg->info2 |= AERO_INFO2_WRITE;
    msg->ttl = ttl;
    put_gen(policy, generation, msg);
    put_exists(policy, msg);
    if (policy->durable_delete) {
        msg->info2 |= AERO_INFO2_DURABLE_DELETE;
    }
    if (policy->commit_level != 0) {
        msg->info3 |= AERO_INFO3_COMMIT_LEVEL_MASTER;
    }
    if (policy->on_locking_only) {
        msg->info4 |= AERO_INFO4_TXN_ON_LOCKING_ONLY;
    }
}

void
aero_policy_put_read(const aero_policy *policy, aero_msg *msg)
{
    msg->info1 |= AERO_INFO1_READ;
    if (policy->read_mode_ap != 0) {
        msg->info1 |= AERO_INFO1_READ_MODE_AP_ALL;
    }
    if (policy->compress) {
        msg->info1 |= AERO_INFO1_COMPRESS_RESPONSE;
    }
    switch ((aero_read_sc)policy->read_mode_sc) {
    case AERO_READ_SC_SESSION:
        break;
    case AERO_READ_SC_LINEARIZE:
        msg->info3 |= AERO_INFO3_SC_READ_TYPE;
        break;
    case AERO_READ_SC_ALLOW_REPLICA:
        msg->info3 |= AERO_INFO3_SC_READ_RELAX;
        break;
    case AERO_READ_SC_ALLOW_UNAVAILABLE:
        msg->info3 |= AERO_INFO3_SC_READ_RELAX | AERO_INFO3_SC_READ_TYPE;
        break;
    }
    if ((msg->info2 & AERO_INFO2_WRITE) == 0) {
        msg->ttl = (uint32_t)policy->read_touch_ttl_percent;
    }
    msg->info4 |= (uint8_t)(policy->error_detail_verbosity << 5 &
                            AERO_INFO4_ERROR_DETAIL);
}
