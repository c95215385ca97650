/* Tending: who holds which partition, what is published, and the house.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "aero/base/alloc.h"
#include "tend.h"

/* ---- tables ---- */

void
aero_tend_begin_tables(aero_tend *tend)
{
    static const char *const commands[] = {"partition-generation",
                                           "replicas:max=3", "rack-ids"};

    for (size_t i = 0; i < tend->n_members; i++) {
        aero_member *member = tend->members[i];
        bool lone = member->n_peers == 0 && tend->n_members > 1;

        member->asked_table =
            member->failures == 0 && atomic_load(&member->node->active) &&
            ((member->wants_table && !lone) || member->wants_racks ||
             member->partition_generation == UNKNOWN_GENERATION);
        if (member->asked_table) {
            aero_tend_ask(tend, member, commands,
                          tend->cluster->config.rack_aware ? 3 : 2);
        }
    }
}

static aero_table *
table_of(aero_tend *tend, aero_span ns)
{
    aero_table *table;

    for (size_t i = 0; i < tend->n_tables; i++) {
        table = tend->tables[i];
        if (aero_span_is(ns, table->ns)) {
            return table;
        }
    }
    if (tend->n_tables == NAMESPACES_MAX) {
        return NULL;
    }
    table = aero_zalloc(sizeof *table);
    if (table != NULL) {
        memcpy(table->ns, ns.ptr, ns.len);
        table->ns_len = (uint8_t)ns.len;
        table->n_replicas = 1;
        tend->tables[tend->n_tables++] = table;
    }
    return table;
}

/* Somebody else claims its partitions: what it says itself is asked again. */
static void
lost_partition(void *ctx, aero_node *node)
{
    aero_member *member = aero_tend_member(ctx, aero_span_str(node->name));

    if (member != NULL) {
        member->partition_generation = UNKNOWN_GENERATION;
    }
}

static void
read_racks(aero_tend *tend, aero_member *member, aero_span value)
{
    aero_span text;
    int code;

    if (aero_info_error(value, &code, &text)) {
        value = aero_span_of(value.ptr, 0); /* no racks here */
    }
    if (member->racks == NULL || !aero_span_is(value, member->racks)) {
        char *copy = aero_strndup(value.ptr, value.len);

        if (copy != NULL) {
            aero_free(member->racks);
            member->racks = copy;
            tend->changed = true;
        }
    }
    member->wants_racks = false;
}

static void
read_tables(aero_tend *tend, aero_member *member)
{
    aero_span body = aero_ask_body(&member->ask);
    aero_replicas *claim = &tend->claim;
    aero_status st;
    aero_span value;
    int64_t generation;
    aero_rc rc;

    aero_status_clear(&st);
    if (aero_tend_generation(body, "partition-generation", &generation, &st) !=
            AERO_OK ||
        aero_tend_find(body, "replicas:max=3", &value, &st) != AERO_OK) {
        aero_tend_fail(tend, member, st.text);
        return;
    }
    while ((rc = aero_replicas_take(&value, claim, &st)) == AERO_OK) {
        aero_table *table = table_of(tend, claim->ns);

        if (table == NULL) {
            continue;
        }
        table->strong = table->strong || claim->regime != 0;
        tend->changed |=
            aero_table_merge(table, claim, member->node, lost_partition, tend);
    }
    if (rc == AERO_ERROR) {
        aero_tend_fail(tend, member, st.text);
        return;
    }
    member->partition_generation = generation;
    member->wants_table = false;
    if (aero_info_find(body, "rack-ids", &value)) {
        read_racks(tend, member, value);
    }
}

void
aero_tend_end_tables(aero_tend *tend)
{
    for (size_t i = 0; i < tend->n_members; i++) {
        aero_member *member = tend->members[i];

        if (!member->asked_table) {
            continue;
        }
        member->asked_table = false;
        if (member->ask.rc == AERO_OK) {
            read_tables(tend, member);
        }
        else {
            aero_tend_fail(tend, member, member->ask.st.text);
        }
    }
}

/* ---- the end of a tend ---- */

static bool
is_mentioned(const aero_tend *tend, const aero_node *node)
{
    for (size_t i = 0; i < tend->n_tables; i++) {
        if (aero_table_mentions(tend->tables[i], node)) {
            return true;
        }
    }
    return false;
}

/* Has another member read out its list, and is this one on none?  One that
 * joined in this tend was on the list that led to it. */
static bool
is_lonely(const aero_tend *tend, const aero_member *member)
{
    if (member->friends != 0 || member->since == tend->round) {
        return false;
    }
    for (size_t i = 0; i < tend->n_members; i++) {
        if (tend->members[i] != member && tend->members[i]->has_listed) {
            return true;
        }
    }
    return false;
}

static const char *
why_remove(aero_tend *tend, const aero_member *member)
{
    if (!atomic_load(&member->node->active)) {
        return "its address belongs to another node";
    }
    if (tend->n_responded == 0) {
        return member->failures >= FAILURES_MAX ? "it does not answer" : NULL;
    }
    if (!is_lonely(tend, member)) {
        return NULL;
    }
    if (member->failures != 0) {
        return "it does not answer and no peer lists it";
    }
    if (!is_mentioned(tend, member->node)) {
        return "no peer lists it and it has no partitions";
    }
    tend->someone_is_lonely = true; /* it will lose its partitions, or fail */
    return NULL;
}

void
aero_tend_remove_members(aero_tend *tend)
{
    for (size_t i = 0; i < tend->n_members;) {
        const char *why = why_remove(tend, tend->members[i]);

        if (why != NULL) {
            aero_tend_drop(tend, i, why);
        }
        else {
            i++;
        }
    }
}

static int32_t
rack_in(const char *racks, const char *ns)
{
    aero_span value;
    aero_span rest = aero_span_str(racks != NULL ? racks : "");
    int64_t id;

    while (rest.len != 0) {
        aero_span item = aero_span_cut(&rest, ';');
        aero_span name = aero_span_cut(&item, ':');

        value = item;
        if (aero_span_is(name, ns) && aero_info_number(value, &id) &&
            id >= 0 && id <= INT32_MAX) {
            return (int32_t)id;
        }
    }
    return AERO_RACK_NONE;
}

static bool
fill_map(const aero_tend *tend, aero_map *map)
{
    for (size_t i = 0; i < tend->n_members; i++) {
        map->nodes[map->n_nodes++] = aero_node_acquire(tend->members[i]->node);
    }
    for (size_t i = 0; i < tend->n_tables; i++) {
        aero_table *copy = aero_alloc(sizeof *copy);

        if (copy == NULL) {
            return false;
        }
        *copy = *tend->tables[i];
        map->tables[map->n_tables++] = copy;
    }
    if (!tend->cluster->config.rack_aware) {
        return true;
    }
    map->racks =
        aero_alloc_array(map->n_nodes * map->n_tables + 1, sizeof *map->racks);
    if (map->racks == NULL) {
        return false;
    }
    for (size_t t = 0; t < map->n_tables; t++) {
        for (size_t n = 0; n < map->n_nodes; n++) {
            map->racks[t * map->n_nodes + n] =
                rack_in(tend->members[n]->racks, map->tables[t]->ns);
        }
    }
    return true;
}

void
aero_tend_publish(aero_tend *tend)
{
    aero_map *map;

    if (!tend->changed) {
        return;
    }
    map = aero_map_new(tend->n_members, tend->n_tables);
    if (map == NULL) {
        return; /* next time */
    }
    if (!fill_map(tend, map)) {
        aero_map_release(map);
        return;
    }
    tend->changed = false;
    aero_cluster_publish(tend->cluster, map);
}

void
aero_tend_keep_house(aero_tend *tend)
{
    const aero_cluster_config *config = &tend->cluster->config;
    uint64_t idle_ms =
        config->max_idle_ms != 0 ? config->max_idle_ms : DEFAULT_IDLE_MS;
    uint64_t now = aero_clock_now();
    uint64_t before =
        now > idle_ms * AERO_NS_PER_MS ? now - idle_ms * AERO_NS_PER_MS : 0;

    for (size_t i = 0; i < tend->n_members; i++) {
        aero_node *node = tend->members[i]->node;

        if (config->error_rate_window == 0 ||
            tend->round % config->error_rate_window == 0) {
            aero_node_end_window(node, config->max_error_rate);
        }
        aero_pool_trim(node->pool, before, config->min_conns);
    }
}

/* ---- warm connections ---- */

void
aero_tend_begin_warm(aero_tend *tend)
{
    uint32_t least = tend->cluster->config.min_conns;

    for (size_t i = 0; i < tend->n_members && least != 0; i++) {
        aero_node *node = tend->members[i]->node;
        aero_pool_stats stats;

        aero_pool_get_stats(node->pool, &stats);
        for (uint32_t n = stats.in_use + stats.idle;
             n < least && tend->n_warm < WARM_MAX; n++) {
            aero_warm *warm = &tend->warm[tend->n_warm++];

            warm->node = aero_node_acquire(node);
            aero_ask_init(&warm->ask, tend->cluster, &node->addr,
                          node->tls_name, node->login);
            aero_ask_set(&warm->ask, NULL, 0, tend->by);
            aero_tend_add_job(tend, &warm->ask.job);
        }
    }
}

void
aero_tend_end_warm(aero_tend *tend)
{
    while (tend->n_warm != 0) {
        aero_warm *warm = &tend->warm[--tend->n_warm];

        if (warm->ask.rc == AERO_OK && warm->ask.conn != NULL) {
            aero_pool_add(warm->node->pool, warm->ask.conn, aero_clock_now());
            warm->ask.conn = NULL;
        }
        aero_ask_fini(&warm->ask);
        aero_node_release(warm->node);
    }
}
