/* Pools and nodes, with connections that are no sockets.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "aero/base/alloc.h"
#include "aero/cluster/node.h"
#include "test.h"

static aero_conn *
make_conn(void)
{
    aero_conn *conn = aero_zalloc(sizeof *conn);

    if (conn != NULL) {
        conn->fd = -1;
    }
    return conn;
}

static void
check_stats(aero_pool *pool, unsigned in_use, unsigned idle, unsigned opened,
            unsigned closed)
{
    aero_pool_stats stats;

    aero_pool_get_stats(pool, &stats);
    CHECK_INT(stats.in_use, in_use);
    CHECK_INT(stats.idle, idle);
    CHECK_INT(stats.opened, opened);
    CHECK_INT(stats.closed, closed);
}

TEST(pool_gives_the_newest_and_no_more_than_its_limit)
{
    aero_pool *pool = aero_pool_new(2);
    aero_conn *a = make_conn();
    aero_conn *b = make_conn();
    aero_conn *got;

    REQUIRE(pool != NULL && a != NULL && b != NULL);
    CHECK(aero_pool_take(pool, &got) == AERO_MORE && got == NULL);
    CHECK(aero_pool_take(pool, &got) == AERO_MORE);
    CHECK(aero_pool_take(pool, &got) == AERO_ERROR);
    check_stats(pool, 2, 0, 2, 0);
    aero_pool_give(pool, a, 1);
    aero_pool_give(pool, b, 2);
    check_stats(pool, 0, 2, 2, 0);
    CHECK(aero_pool_take(pool, &got) == AERO_OK && got == b);
    CHECK(aero_pool_take(pool, &got) == AERO_OK && got == a);
    CHECK(aero_pool_take(pool, &got) == AERO_ERROR);
    aero_pool_drop(pool, a);
    CHECK(aero_pool_take(pool, &got) == AERO_MORE);
    aero_pool_drop(pool, NULL); /* it could not be opened */
    check_stats(pool, 1, 0, 3, 2);
    aero_pool_give(pool, b, 3);
    aero_pool_release(pool);
}

TEST(pools_beside_each_other_are_counted_together)
{
    aero_pool *own = aero_pool_new(4);
    aero_pool *one = aero_pool_new(4);
    aero_pool *two = aero_pool_new(4);
    aero_conn *conn = make_conn();
    aero_pool_stats all;
    aero_conn *got;

    REQUIRE(own != NULL && one != NULL && two != NULL && conn != NULL);
    aero_pool_join(own, one);
    aero_pool_join(own, two);
    CHECK(aero_pool_take(own, &got) == AERO_MORE);
    CHECK(aero_pool_take(one, &got) == AERO_MORE);
    CHECK(aero_pool_take(two, &got) == AERO_MORE);
    CHECK(aero_pool_take(two, &got) == AERO_MORE);
    aero_pool_give(two, conn, 1);
    check_stats(own, 1, 0, 1, 0); /* its own alone */
    aero_pool_get_all_stats(own, &all);
    CHECK(all.in_use == 3 && all.idle == 1);
    CHECK(all.opened == 4 && all.closed == 0);
    aero_pool_leave(own, two);
    aero_pool_get_all_stats(own, &all);
    CHECK(all.in_use == 2 && all.idle == 0);
    CHECK(all.opened == 4 && all.closed == 2);
    aero_pool_leave(own, one);
    aero_pool_get_all_stats(own, &all);
    CHECK(all.in_use == 1 && all.opened == 4 && all.closed == 3);
    aero_pool_release(two);
    aero_pool_release(one);
    aero_pool_release(own);
}

TEST(closed_pool_closes_what_comes_back)
{
    aero_pool *pool = aero_pool_new(3);
    aero_conn *used = make_conn();
    aero_conn *idle = make_conn();
    aero_conn *got;

    REQUIRE(pool != NULL && used != NULL && idle != NULL);
    CHECK(aero_pool_take(pool, &got) == AERO_MORE);
    aero_pool_add(pool, idle, 1);
    check_stats(pool, 1, 1, 2, 0);
    aero_pool_close(pool);
    check_stats(pool, 1, 0, 2, 1);
    CHECK(aero_pool_take(pool, &got) == AERO_ERROR);
    aero_pool_give(pool, used, 2);
    check_stats(pool, 0, 0, 2, 2);
    aero_pool_add(pool, make_conn(), 3); /* closed at once */
    check_stats(pool, 0, 0, 2, 2);
    aero_pool_release(pool);
}

TEST(connections_beyond_the_limit_do_not_join)
{
    aero_pool *pool = aero_pool_new(1);

    REQUIRE(pool != NULL);
    aero_pool_add(pool, make_conn(), 1);
    aero_pool_add(pool, make_conn(), 2);
    check_stats(pool, 0, 1, 1, 0);
    aero_pool_release(pool);
}

TEST(idle_connection_is_removed_wherever_it_stands)
{
    aero_pool *pool = aero_pool_new(4);
    aero_conn *conns[3];
    aero_conn *stranger = make_conn();

    REQUIRE(pool != NULL && stranger != NULL);
    for (int i = 0; i < 3; i++) {
        conns[i] = make_conn();
        aero_pool_add(pool, conns[i], (uint64_t)i);
    }
    CHECK(!aero_pool_remove(pool, stranger));
    CHECK(aero_pool_remove(pool, conns[1]));
    CHECK(aero_pool_remove(pool, conns[2]));
    CHECK(aero_pool_remove(pool, conns[0]));
    check_stats(pool, 0, 0, 3, 3);
    aero_conn_free(stranger);
    aero_pool_release(pool);
}

TEST(trimming_closes_the_oldest_but_keeps_the_least)
{
    static const struct {
        uint64_t before;
        uint32_t keep;
        unsigned left;
    } rows[] = {{0, 0, 5}, {3, 0, 2}, {3, 2, 2}, {3, 4, 4},
                {9, 0, 0}, {9, 1, 1}, {9, 9, 5}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        aero_pool *pool = aero_pool_new(10);
        aero_pool_stats stats;

        REQUIRE(pool != NULL);
        for (uint64_t used = 0; used < 5; used++) {
            aero_pool_add(pool, make_conn(), used);
        }
        aero_pool_trim(pool, rows[i].before, rows[i].keep);
        aero_pool_get_stats(pool, &stats);
        CHECK_INT(stats.idle, rows[i].left);
        CHECK_INT(stats.in_use, 0);
        aero_pool_release(pool);
    }
}

TEST(trimming_counts_those_in_use_among_the_least)
{
    aero_pool *pool = aero_pool_new(10);
    aero_conn *got;

    REQUIRE(pool != NULL);
    CHECK(aero_pool_take(pool, &got) == AERO_MORE);
    CHECK(aero_pool_take(pool, &got) == AERO_MORE);
    aero_pool_add(pool, make_conn(), 1);
    aero_pool_add(pool, make_conn(), 2);
    aero_pool_trim(pool, 100, 3);
    check_stats(pool, 2, 1, 4, 1);
    aero_pool_drop(pool, NULL);
    aero_pool_drop(pool, NULL);
    aero_pool_release(pool);
}

static void
count(void *ctx)
{
    ++*(int *)ctx;
}

TEST(those_who_wait_are_told_of_free_places)
{
    aero_pool *pool = aero_pool_new(2);
    aero_conn *got;
    int told = 0;

    REQUIRE(pool != NULL);
    pool->notify = count;
    pool->notify_ctx = &told;
    aero_pool_add(pool, make_conn(), 1);
    CHECK_INT(told, 1);
    CHECK(aero_pool_take(pool, &got) == AERO_OK);
    CHECK_INT(told, 1);
    aero_pool_give(pool, got, 2);
    CHECK_INT(told, 2);
    CHECK(aero_pool_take(pool, &got) == AERO_OK);
    aero_pool_drop(pool, got);
    CHECK_INT(told, 3);
    aero_pool_release(pool);
}

/* ---- nodes ---- */

static aero_node *
make_node(const char *name)
{
    aero_addr addr;

    aero_addr_parse(aero_span_str("127.0.0.1"), 3000, &addr);
    return aero_node_new(aero_span_str(name), &addr, "", 0, 10);
}

TEST(node_names_have_a_limit)
{
    aero_node *node = make_node("BB9020011AC4202");

    REQUIRE(node != NULL);
    CHECK(strcmp(node->name, "BB9020011AC4202") == 0);
    aero_node_release(node);
    CHECK(make_node("") == NULL);
    CHECK(make_node("12345678901234567890") == NULL);
    aero_node_release(make_node("1234567890123456789"));
}

TEST(breaker_opens_at_the_limit_and_halves_it)
{
    aero_node *node = make_node("A");

    REQUIRE(node != NULL);
    aero_node_end_window(node, 8);
    CHECK_INT(atomic_load(&node->max_errors), 8);
    for (int i = 0; i < 8; i++) {
        CHECK(aero_node_may_try(node));
        aero_node_count_error(node);
    }
    CHECK(!aero_node_may_try(node));
    for (unsigned want = 4; want >= 1; want /= 2) {
        aero_node_end_window(node, 8);
        CHECK_INT(atomic_load(&node->max_errors), want);
        CHECK(aero_node_may_try(node));
        for (unsigned i = 0; i < want; i++) {
            aero_node_count_error(node);
        }
    }
    aero_node_end_window(node, 8);
    CHECK_INT(atomic_load(&node->max_errors), 1); /* never none at all */
    CHECK_INT(atomic_load(&node->n_errors), 8 + 4 + 2 + 1);
    aero_node_release(node);
}

TEST(breaker_recovers_by_doubling)
{
    aero_node *node = make_node("A");

    REQUIRE(node != NULL);
    atomic_store(&node->max_errors, 1);
    for (unsigned want = 2; want <= 8; want *= 2) {
        aero_node_end_window(node, 10);
        CHECK_INT(atomic_load(&node->max_errors), want);
    }
    aero_node_end_window(node, 10);
    CHECK_INT(atomic_load(&node->max_errors), 10);
    aero_node_end_window(node, 10);
    CHECK_INT(atomic_load(&node->max_errors), 10);
    aero_node_end_window(node, 0);
    for (int i = 0; i < 1000; i++) {
        aero_node_count_error(node);
    }
    CHECK(aero_node_may_try(node)); /* no limit */
    aero_node_release(node);
}

TEST(builds_are_compared_number_by_number)
{
    aero_node node = {.build = {8, 1, 2, 0}};

    CHECK(aero_node_is_build(&node, 8, 1, 2));
    CHECK(aero_node_is_build(&node, 8, 1, 1));
    CHECK(aero_node_is_build(&node, 7, 9, 9));
    CHECK(!aero_node_is_build(&node, 8, 1, 3));
    CHECK(!aero_node_is_build(&node, 8, 2, 0));
    CHECK(!aero_node_is_build(&node, 9, 0, 0));
}
