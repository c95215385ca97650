/* GeoJSON: what is read, what is refused, and what lies within.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "aero/server/geo.h"
#include "aero/wire/value.h"
#include "op_check.h"
#include "vectors.h"

#define POINT(at)    "{\"type\":\"Point\",\"coordinates\":[" at "]}"
#define POLYGON(of)  "{\"type\":\"Polygon\",\"coordinates\":[" of "]}"
#define POLYGONS(of) "{\"type\":\"MultiPolygon\",\"coordinates\":[" of "]}"
#define CIRCLE(of)   "{\"type\":\"AeroCircle\",\"coordinates\":[" of "]}"
#define SQUARE       "[[0,0],[10,0],[10,10],[0,10],[0,0]]"
#define SQUARE_CW    "[[0,0],[0,10],[10,10],[10,0],[0,0]]"
#define HOLE         "[[4,4],[6,4],[6,6],[4,6],[4,4]]"
#define DATE_LINE    "[[170,-10],[-170,-10],[-170,10],[170,10],[170,-10]]"
#define NORTH        "[[0,80],[90,80],[180,80],[-90,80],[0,80]]"

static int
check_text(const char *text)
{
    return aero_geo_check(aero_span_str(text));
}

/* 0, 1, or less than 0 for what cannot be read. */
static int
within_text(aero_span a, aero_span b)
{
    aero_arena arena;
    aero_geo shapes[2];
    int result;

    aero_arena_init(&arena);
    if (aero_geo_parse(a, &arena, &shapes[0]) != 0 ||
        aero_geo_parse(b, &arena, &shapes[1]) != 0) {
        result = -1;
    }
    else {
        result = aero_geo_within(&shapes[0], &shapes[1]);
    }
    aero_arena_fini(&arena);
    return result;
}

static int
within(const char *a, const char *b)
{
    return within_text(aero_span_str(a), aero_span_str(b));
}

static void
check_texts(const char *const *texts, size_t count, int rc)
{
    for (size_t i = 0; i < count; i++) {
        int got = check_text(texts[i]);

        if (got != rc) {
            test_failed(__FILE__, __LINE__, "%d, not %d: %s", got, rc,
                        texts[i]);
        }
    }
}

#define ALL(rc, ...)                                                          \
    do {                                                                      \
        static const char *const texts_[] = {__VA_ARGS__};                    \
        check_texts(texts_, sizeof texts_ / sizeof texts_[0], rc);            \
    } while (0)

/* ---- reading ---- */

TEST(all_five_shapes_are_read)
{
    ALL(0, POINT("0,0"), POINT("-122,37.5"), POLYGON(SQUARE),
        POLYGON(SQUARE_CW), POLYGON(SQUARE "," HOLE),
        POLYGONS("[" SQUARE "],[" DATE_LINE "]"), CIRCLE("[0,0],1000"),
        CIRCLE("[0,0],0"), CIRCLE("[0,0],-5"), POLYGON(""), POLYGONS(""),
        "{\"type\":\"Feature\",\"geometry\":" POINT("1,2") ",\"id\":7}");
}

TEST(other_shapes_and_wrong_members_are_refused)
{
    ALL(160, "", "{}", "[]", "7", "{\"type\":\"Point\"}",
        "{\"type\":1,\"coordinates\":[0,0]}", "[" POINT("0,0") "]",
        "{\"type\":\"LineString\",\"coordinates\":[[0,0],[1,1]]}",
        "{\"type\":\"MultiPoint\",\"coordinates\":[[0,0]]}",
        "{\"type\":\"Feature\",\"geometry\":null}", "{\"type\":\"Feature\"}",
        "{\"type\":\"Feature\",\"geometry\":{\"type\":\"Feature\","
        "\"geometry\":" POINT("0,0") "}}",
        "{\"type\":\"Polygon\",\"coordinates\":{}}",
        "{\"type\":\"MultiPolygon\",\"coordinates\":7}");
}

TEST(positions_are_two_numbers_in_range)
{
    ALL(160, POINT("1"), POINT("1,2,3"), POINT("\"1\",\"2\""),
        POINT("180.0000001,0"), POINT("0,90.1"), POINT("-181,0"),
        POINT("null,0"), POINT("[0],[0]"), CIRCLE("[0,0]"),
        CIRCLE("[0,0],1,2"), CIRCLE("[0,0],\"1\""), CIRCLE("[0,0,0],1"));
    ALL(0, POINT("180,90"), POINT("-180,-90"), POINT("-0,-0.0"),
        POINT("1e1,1E+1"), POINT("0,90.000000000000001"));
}

TEST(rings_have_three_vertices_and_are_closed)
{
    ALL(160, POLYGON("[[0,0],[1,1],[1,0]]"), POLYGON("[[0,0],[1,1],[0,0]]"),
        POLYGON("[[0,0],[0,0],[1,1],[0,0]]"), POLYGON("[]"),
        POLYGON("[[180,0],[170,10],[160,0],[-180,0]]"), POLYGONS("[[]]"),
        POLYGON(SQUARE ",[]"));
    ALL(0, POLYGON("[[0,0],[0,0],[1,1],[1,0],[1,0],[0,0]]"));
}

TEST(text_is_strict_json)
{
#define WITH(more) "{\"type\":\"Point\"," more "\"coordinates\":[0,0]}"
    ALL(0, WITH("\"a\":[true,false,null,{\"b\":{}}],"), WITH(" \n\t\r"),
        WITH("\"a\":\"\\/\\b\\f\\n\\r\\t\\\"\\\\\\u00e9\","),
        WITH("\"a\":\"\\ud800\\udc00\","), WITH("\"a\":\"\xc3\xa9\","),
        WITH("\"a\":\"\x7f\","), WITH("\"a\":-9223372036854775808,"),
        WITH("\"a\":1e-400,"), WITH("\"\":1,"),
        "{\"typ\\u0065\":\"P\\u006fint\",\"coordinates\":[0,0]}",
        POINT("0,0") " \n");
    ALL(160, WITH("\"a\":TRUE,"), WITH("\"a\":01,"), WITH("\"a\":+1,"),
        WITH("\"a\":1.,"), WITH("\"a\":.1,"), WITH("\"a\":-,"),
        WITH("\"a\":1e,"), WITH("\"a\":1e400,"),
        WITH("\"a\":99999999999999999999,"),
        WITH("\"a\":-9223372036854775809,"), WITH("\"a\":\"\\x\","),
        WITH("\"a\":\"\\u0000\","), WITH("\"a\":\"\\ud800\","),
        WITH("\"a\":\"\\udc00\","), WITH("\"a\":\"\\u12\","),
        WITH("\"a\":\"\x01\","), WITH("\"a\":\"\xff\","),
        WITH("\"a\":\"\xc0\x80\","), WITH("\"a\":\"\xed\xa0\x80\","),
        WITH("\"a\":\"\xf4\x90\x80\x80\","), WITH("a:1,"), WITH("\"a\",,"),
        WITH("\x0c"), POINT("0,0,"), POINT("0,0") " x",
        "\xef\xbb\xbf" POINT("0,0"),
        "{\"type\":\"Point\",\"coordinates\":[0,0],}",
        "{\"type\":\"Point\",\"coordinates\":[0,0}]", POINT("0,0") "\x01");
#undef WITH
    CHECK_INT(
        aero_geo_check(aero_span_of(POINT("0,0") "\0", sizeof POINT("0,0"))),
        160);
}

TEST(of_equal_members_the_last_counts)
{
    ALL(0, "{\"type\":\"LineString\",\"type\":\"Point\","
           "\"coordinates\":[0,0]}");
    ALL(160, "{\"type\":\"Point\",\"type\":\"LineString\","
             "\"coordinates\":[0,0]}");
}

/* An object around `levels` arrays. */
static int
check_nested(size_t levels)
{
    aero_buf text = AERO_BUF_INIT;
    int rc;

    aero_buf_put_str(&text, "{\"type\":\"Point\",\"a\":");
    for (size_t i = 0; i < 2 * levels; i++) {
        aero_buf_put_u8(&text, i < levels ? '[' : ']');
    }
    aero_buf_put_str(&text, ",\"coordinates\":[0,0]}");
    rc = aero_geo_check(aero_buf_span(&text));
    aero_buf_fini(&text);
    return rc;
}

TEST(text_may_nest_2048_levels)
{
    CHECK_INT(check_nested(2047), 0);
    CHECK_INT(check_nested(2048), 160);
    CHECK_INT(check_nested(1000000), 160);
}

TEST(particles_say_whether_they_are_a_region)
{
    aero_made made = {0};

    CHECK_INT(aero_geo_make(aero_span_str(POINT("1,2")), &made), 0);
    CHECK_INT(made.particle, AERO_PARTICLE_GEOJSON);
    CHECK(made.bytes.len == 3 + strlen(POINT("1,2")));
    CHECK_INT(made.bytes.ptr[0], 0);
    CHECK_INT(aero_geo_make(aero_span_str(CIRCLE("[1,2],3")), &made), 0);
    CHECK_INT(made.bytes.ptr[0], 1);
    CHECK_INT(made.bytes.ptr[1] | made.bytes.ptr[2], 0);
    CHECK_INT(aero_geo_make(aero_span_str(POINT("1,200")), &made), 160);
    aero_made_fini(&made);
}

TEST(regions_that_meet_too_much_of_the_sphere_are_no_bins)
{
    ALL(160, CIRCLE("[0,0],1e9"), CIRCLE("[0,0],20000000"),
        POLYGON("[[0,0],[90,0],[180,0],[-90,0],[0,0]]"),
        POLYGON("[[0,0],[10,10],[10,0],[0,10],[0,0]]"),
        POLYGON("[[0,0],[180,0],[90,45],[0,0]]"));
    ALL(0, CIRCLE("[0,0],3000000"), POLYGON(NORTH),
        POLYGON("[[0,0],[10,10],[20,0],[20,10],[0,0]]"),
        POLYGON("[[0,0],[180,0],[90,0],[0,0]]"));
    /* in an expression they are fine */
    CHECK_INT(within(CIRCLE("[0,0],1e9"), POINT("180,0")), 1);
}

/* ---- within ---- */

TEST(points_lie_in_polygons_whatever_the_winding)
{
    CHECK_INT(within(POINT("5,5"), POLYGON(SQUARE)), 1);
    CHECK_INT(within(POLYGON(SQUARE), POINT("5,5")), 1);
    CHECK_INT(within(POINT("5,5"), POLYGON(SQUARE_CW)), 1);
    CHECK_INT(within(POINT("11,5"), POLYGON(SQUARE)), 0);
    CHECK_INT(within(POINT("-170,-5"), POLYGON(SQUARE)), 0);
    CHECK_INT(within(POINT("5,5"), POLYGONS("[" DATE_LINE "],[" SQUARE "]")),
              1);
    CHECK_INT(within(POINT("5,5"), POLYGON("")), 0);
}

TEST(holes_are_outside_whatever_their_place_in_the_list)
{
    CHECK_INT(within(POINT("5,5"), POLYGON(SQUARE "," HOLE)), 0);
    CHECK_INT(within(POINT("5,5"), POLYGON(HOLE "," SQUARE)), 0);
    CHECK_INT(within(POINT("3,3"), POLYGON(SQUARE "," HOLE)), 1);
}

TEST(edges_are_geodesics)
{
    /* the edge from (0,60) to (90,60) passes (45, 67.8) */
    const char *polygon = POLYGON("[[0,0],[90,0],[90,60],[0,60],[0,0]]");

    CHECK_INT(within(POINT("45,67.7"), polygon), 1);
    CHECK_INT(within(POINT("45,67.9"), polygon), 0);
}

TEST(polygons_cross_the_antimeridian_and_hold_poles)
{
    CHECK_INT(within(POINT("175,0"), POLYGON(DATE_LINE)), 1);
    CHECK_INT(within(POINT("-175,0"), POLYGON(DATE_LINE)), 1);
    CHECK_INT(within(POINT("180,0"), POLYGON(DATE_LINE)), 1);
    CHECK_INT(within(POINT("-180,0"), POLYGON(DATE_LINE)), 1);
    CHECK_INT(within(POINT("165,0"), POLYGON(DATE_LINE)), 0);
    CHECK_INT(within(POINT("0,0"), POLYGON(DATE_LINE)), 0);
    CHECK_INT(within(POINT("33,90"), POLYGON(NORTH)), 1);
    CHECK_INT(within(POINT("-33,85"), POLYGON(NORTH)), 1);
    CHECK_INT(within(POINT("0,-90"), POLYGON(NORTH)), 0);
}

TEST(circles_are_measured_on_a_sphere_of_6371_km)
{
    double degree = 6371000 * 3.14159265358979323846 / 180;
    char circle[100];

    snprintf(circle, sizeof circle, CIRCLE("[10,0],%.3f"), degree + 0.1);
    CHECK_INT(within(POINT("11,0"), circle), 1);
    CHECK_INT(within(POINT("10,-1"), circle), 1);
    snprintf(circle, sizeof circle, CIRCLE("[10,0],%.3f"), degree - 0.1);
    CHECK_INT(within(POINT("11,0"), circle), 0);
    CHECK_INT(within(POINT("10,0"), CIRCLE("[10,0],-1")), 0);
    CHECK_INT(within(POINT("-179.9,0"), CIRCLE("[179.9,0],30000")), 1);
}

TEST(two_points_or_two_regions_are_never_within)
{
    CHECK_INT(within(POINT("5,5"), POINT("5,5")), 0);
    CHECK_INT(within(POLYGON(HOLE), POLYGON(SQUARE)), 0);
    CHECK_INT(within(CIRCLE("[5,5],1"), POLYGON(SQUARE)), 0);
}

/* ---- golden vectors ---- */

static size_t
check_written(const char *group)
{
    vectors all;
    size_t count = 0;

    vectors_init_group(&all, group);
    for (size_t i = 0; i < all.count; i++) {
        const vector *v = &all.at[i];
        aero_made made = {0};
        aero_span text;

        if (v->op != AERO_OP_WRITE || v->particle != AERO_PARTICLE_GEOJSON ||
            !aero_geojson_take(v->payload, &text)) {
            continue;
        }
        count++;
        CHECK_INT(aero_geo_make(text, &made), v->rc);
        if (v->rc == 0) {
            CHECK_INT(made.bytes.ptr[0], v->after.bytes.ptr[0]);
            CHECK_BYTES(aero_span_skip(aero_buf_span(&made.bytes), 3), text);
        }
        aero_made_fini(&made);
    }
    vectors_fini(&all);
    return count;
}

TEST(golden_vectors_of_written_shapes_are_answered_as_they_say)
{
    CHECK_INT(check_written("particle"), 2);
    CHECK_INT(check_written("probe"), 11);
}

/* The queries of the vectors on their records: a bit for each. */
TEST(golden_queries_find_the_records_they_say)
{
    static const char *const records[] = {
        POINT("-122.0,37.5"),
        POINT("-122.05,37.5"),
        POINT("2.35,48.85"),
        POINT("179.99,0.0"),
        POINT("-179.99,0.0"),
        POINT("0.0,89.9"),
        POLYGON("[[-123.0,37.0],[-121.0,37.0],[-121.0,38.0],[-123.0,38.0],"
                "[-123.0,37.0]]"),
        CIRCLE("[-122.0,37.5],5000.0"),
        POLYGON(SQUARE "," HOLE)};
    static const struct {
        const char *asked;
        unsigned found;
    } queries[] = {
        {POLYGON("[[-123.0,37.0],[-121.0,37.0],[-121.0,38.0],"
                 "[-123.0,38.0],[-123.0,37.0]]"),
         0x003},
        {CIRCLE("[-122.0,37.5],6000"), 0x003},
        {CIRCLE("[-122.0,37.5],5000.0"), 0x003},
        {POINT("-122.0,37.5"), 0x0c0},
        {POINT("1,1"), 0x100},
        {"{\"type\":\"Feature\",\"properties\":{},\"geometry\":" POLYGON(
             "[[-123,37],[-121,37],[-121,38],[-123,38],"
             "[-123,37]]") "}",
         0x003},
        {POLYGON("[[-123,37],[-123,38],[-121,38],[-121,37],"
                 "[-123,37]]"),
         0x003}};

    for (size_t q = 0; q < sizeof queries / sizeof queries[0]; q++) {
        unsigned found = 0;

        for (size_t r = 0; r < sizeof records / sizeof records[0]; r++) {
            found |= within(queries[q].asked, records[r]) == 1 ? 1u << r : 0;
        }
        CHECK_INT(found, queries[q].found);
    }
}

/* These rings are wrong, but the server answers, and so it answers. */
TEST(rings_that_cross_themselves_are_what_the_server_makes_of_them)
{
    /* one spike: the ring walks there and back between its ends */
    const char *spike = POLYGON("[[-179.63833118407493,10.196781659241115],"
                                "[179.61594733026774,9.566941473128628],"
                                "[179.78073091842913,10.453824942837464],"
                                "[-179.9777686174456,10.274164585998944],"
                                "[-179.63833118407493,10.196781659241115],"
                                "[-179.77234905132562,9.698030257833866],"
                                "[-179.63833118407493,10.196781659241115]]");
    /* a pole as a vertex, and edges that cross */
    const char *pole =
        POLYGON("[[-59.718132305576134,89.99900295905638],[-60,90],"
                "[-59.851,89.999],[-59.896,89.999],"
                "[-59.89609020525249,89.99899456452965],"
                "[-60.299952034108145,89.99899769846547],[-60.305,89.999],"
                "[-60.32780907064708,89.99899985127236],[-60.324,89.999],"
                "[-60.02937684635117,89.99900570626684],"
                "[-59.718132305576134,89.99900295905638]]");

    CHECK_INT(within(POINT("179.9015157736208,10.364017281578466"), spike), 1);
    CHECK_INT(check_text(spike), 160);
    CHECK_INT(within(POINT("-179.99,0"), pole), 1);
    CHECK_INT(within(POINT("-59.896,89.999"), pole), 0);
    CHECK_INT(check_text(pole), 160);
    CHECK_INT(within(POINT("5,5"), POLYGON(SQUARE "," SQUARE)), 0);
    CHECK_INT(within(POINT("7,7"),
                     POLYGON(SQUARE ",[[5,5],[15,5],[15,15],[5,15],[5,5]]")),
              0);
}

/* A point moved over an edge by less and less changes sides once. */
TEST(sides_of_an_edge_are_told_apart_to_the_last_cell)
{
    char point[120];
    int changes = 0;
    int before = 1;

    for (int i = -60; i <= 60; i++) {
        double off = ldexp(i < 0 ? -1 : 1, -20 - (60 - abs(i)) / 2);
        int now;

        snprintf(point, sizeof point, POINT("%.17g,5"), 10 + off);
        now = within(point, POLYGON(SQUARE));
        changes += now != before;
        before = now;
    }
    CHECK_INT(changes, 1);
}

TEST(a_point_lies_in_exactly_one_of_two_neighbours)
{
    uint64_t seed = 5;
    char point[120];

    for (int i = 0; i < 2000; i++) {
        double lat = (double)(test_random(&seed) % 1000000) / 100000;
        double lng = 10 + ((double)(test_random(&seed) % 2001) - 1000) * 1e-13;

        snprintf(point, sizeof point, POINT("%.17g,%.17g"), lng, lat);
        CHECK_INT(within(point, POLYGON(SQUARE)) +
                      within(point, POLYGON("[[10,0],[20,0],[20,10],[10,10],"
                                            "[10,0]]")),
                  1);
    }
}

/* What a real server said of each pair (tests/differential/pairs.py): lines
 * of a 0 or 1 and two texts, with tabs between. */
TEST(pairs_of_shapes_are_as_a_real_server_has_them)
{
    aero_span text = test_file("server/golden/geo.txt");
    int count = 0;

    for (; text.len != 0; count++) {
        aero_span point = aero_span_cut(&text, '\n');
        int want = aero_span_is(aero_span_cut(&point, '\t'), "1");
        aero_span region = aero_span_cut(&point, '\t');

        if (within_text(region, point) != want ||
            within_text(point, region) != want) {
            test_failed("geo.txt", count + 1, "should be %d", want);
        }
    }
    CHECK_INT(count, 240);
}

/* ---- robustness ---- */

/* As an operation: check the payload as a text, and look for it in what can
 * be read. */
static int
read_text(aero_val bin, bool modify, aero_span payload, aero_made *reply,
          aero_made *after)
{
    aero_arena arena;
    aero_geo region;
    aero_geo other;
    int rc = modify ? aero_geo_make(payload, after) : AERO_ERR_OK;

    (void)reply;
    aero_arena_init(&arena);
    if (!modify) {
        rc = aero_geo_parse(payload, &arena, &other);
        if (rc == AERO_ERR_OK) {
            rc = aero_geo_parse(bin.bytes, &arena, &region);
        }
        if (rc == AERO_ERR_OK) {
            aero_geo_within(&other, &region);
        }
    }
    aero_arena_fini(&arena);
    return rc;
}

static void
survive_texts(const char *const *texts, size_t count, long times)
{
    static uint8_t work[4096];
    aero_val bin = aero_val_of(AERO_PARTICLE_GEOJSON,
                               aero_span_str(POLYGON(SQUARE "," HOLE)));
    uint64_t seed = 3;

    for (size_t i = 0; i < count; i++) {
        size_t whole = strlen(texts[i]);

        for (size_t len = 0; len <= whole; len++) {
            op_survive(read_text, bin, len % 2 != 0, (const uint8_t *)texts[i],
                       len);
        }
        for (long n = 0; n < times; n++) {
            size_t len;

            memcpy(work, texts[i], whole);
            len = op_mutate(work, whole, &seed);
            op_survive(read_text, bin, n % 2 != 0, work, len);
        }
    }
}

TEST(texts_cut_or_changed_do_no_harm)
{
    static const char *const texts[] = {
        POINT("-122.5,37.25e0"),
        POLYGON(SQUARE "," HOLE),
        POLYGON(DATE_LINE),
        POLYGONS("[" NORTH "],[" SQUARE_CW "]"),
        CIRCLE("[179.5,-89.5],250000.5"),
        "{\"type\":\"Feature\",\"x\":\"\\ud800\\udc00\xc3\xa9\","
        "\"geometry\":" POINT("1,2") "}"};

    survive_texts(texts, sizeof texts / sizeof texts[0], 35000);
}

TEST(memory_that_is_not_there_is_a_server_error)
{
    static const char *const texts[] = {POINT("1,2"), CIRCLE("[1,2],3"),
                                        POLYGON(SQUARE "," HOLE),
                                        POLYGONS("[" SQUARE "]")};

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        WITH_EACH_ALLOC_FAILING({
            aero_made made = {0};
            int rc = aero_geo_make(aero_span_str(texts[i]), &made);

            CHECK(rc == 0 || (test_alloc_failed() && rc == 1));
            aero_made_fini(&made);
        });
    }
}
