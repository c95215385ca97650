/* GeoJSON texts to shapes, and which point lies in which region.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "geo_shape.h"
#include "json.h"
#include "made.h"

enum {
    COVER_MAX = 12 /* cells the server keeps of a region */
};

static const double earth_radius = 6371000; /* metres */

/* What `coordinates` say; result codes.  Every member of a shape below is
 * one of the JSON reader's values. */
typedef int (*shape_fn)(aero_span value, aero_arena *arena, aero_geo *out);

static bool
take_position(aero_span value, vec3 *out)
{
    aero_span in = json_open(value);
    aero_span item[2];
    double lng;
    double lat;

    if (json_count(value) != 2 || !json_next(&in, &item[0]) ||
        !json_next(&in, &item[1])) {
        return false;
    }
    return json_number(item[0], &lng) && json_number(item[1], &lat) &&
           sphere_point(lng, lat, out);
}

static void
set_point(aero_geo *geo, vec3 p)
{
    geo->point[0] = p.at[0];
    geo->point[1] = p.at[1];
    geo->point[2] = p.at[2];
}

static int
take_point(aero_span value, aero_arena *arena, aero_geo *out)
{
    vec3 p;

    (void)arena;
    if (!take_position(value, &p)) {
        return AERO_ERR_GEO_INVALID_GEOJSON;
    }
    out->kind = AERO_GEO_POINT;
    set_point(out, sphere_leaf(p));
    return AERO_ERR_OK;
}

static int
take_circle(aero_span value, aero_arena *arena, aero_geo *out)
{
    aero_span in = json_open(value);
    aero_span item[2];
    double radius;
    vec3 centre;

    (void)arena;
    if (json_count(value) != 2 || !json_next(&in, &item[0]) ||
        !json_next(&in, &item[1]) || !take_position(item[0], &centre) ||
        !json_number(item[1], &radius)) {
        return AERO_ERR_GEO_INVALID_GEOJSON;
    }
    out->kind = AERO_GEO_CIRCLE;
    out->chord2 = sphere_chord2_of(radius / earth_radius);
    set_point(out, centre);
    return AERO_ERR_OK;
}

/* At least three different vertices and the first again at the end. */
static int
take_ring(aero_span value, aero_arena *arena, ring *out)
{
    aero_span in = json_open(value);
    size_t most = json_count(value);
    vec3 *at = aero_arena_array(arena, most + 1, sizeof *at);
    vec3 *scratch = aero_arena_array(arena, most + 1, sizeof *at);
    size_t count = 0;
    aero_span item;

    if (at == NULL || scratch == NULL) {
        return AERO_ERR_SERVER;
    }
    while (json_next(&in, &item)) {
        if (!take_position(item, &at[count])) {
            return AERO_ERR_GEO_INVALID_GEOJSON;
        }
        if (count == 0 || !vec3_equal(at[count - 1], at[count])) {
            count++;
        }
    }
    if (count < 4 || !vec3_equal(at[0], at[count - 1])) {
        return AERO_ERR_GEO_INVALID_GEOJSON;
    }
    ring_init(out, at, count - 1, scratch);
    return AERO_ERR_OK;
}

static int
take_rings(aero_span value, aero_arena *arena, struct aero_geo_polygon *out)
{
    aero_span in = json_open(value);
    aero_span item;

    if (!json_is(value, '[')) {
        return AERO_ERR_GEO_INVALID_GEOJSON;
    }
    out->count = 0;
    out->rings =
        aero_arena_array(arena, json_count(value) + 1, sizeof *out->rings);
    if (out->rings == NULL) {
        return AERO_ERR_SERVER;
    }
    while (json_next(&in, &item)) {
        int rc = take_ring(item, arena, &out->rings[out->count]);

        if (rc != AERO_ERR_OK) {
            return rc;
        }
        out->count++;
    }
    return AERO_ERR_OK;
}

static int
start_polygons(aero_geo *out, aero_arena *arena, size_t most)
{
    out->kind = AERO_GEO_POLYGONS;
    out->count = 0;
    out->polygons = aero_arena_array(arena, most, sizeof *out->polygons);
    return out->polygons == NULL ? AERO_ERR_SERVER : AERO_ERR_OK;
}

static int
add_polygon(aero_span value, aero_arena *arena, aero_geo *out)
{
    int rc = take_rings(value, arena, &out->polygons[out->count]);

    out->count += rc == AERO_ERR_OK;
    return rc;
}

static int
take_polygon(aero_span value, aero_arena *arena, aero_geo *out)
{
    int rc = start_polygons(out, arena, 1);

    return rc != AERO_ERR_OK ? rc : add_polygon(value, arena, out);
}

static int
take_multipolygon(aero_span value, aero_arena *arena, aero_geo *out)
{
    aero_span in = json_open(value);
    aero_span item;
    int rc = start_polygons(out, arena, json_count(value) + 1);

    if (!json_is(value, '[')) {
        return AERO_ERR_GEO_INVALID_GEOJSON;
    }
    while (rc == AERO_ERR_OK && json_next(&in, &item)) {
        rc = add_polygon(item, arena, out);
    }
    return rc;
}

static const struct {
    const char *type;
    shape_fn take;
} shapes[] = {
    {"Point", take_point},
    {"Polygon", take_polygon},
    {"MultiPolygon", take_multipolygon},
    {"AeroCircle", take_circle},
};

static int
take_shape(aero_span object, aero_arena *arena, aero_geo *out)
{
    aero_span type;
    aero_span coordinates;

    if (!json_member(object, "type", &type) ||
        !json_member(object, "coordinates", &coordinates)) {
        return AERO_ERR_GEO_INVALID_GEOJSON;
    }
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        if (json_text_is(type, shapes[i].type)) {
            return shapes[i].take(coordinates, arena, out);
        }
    }
    return AERO_ERR_GEO_INVALID_GEOJSON;
}

int
aero_geo_parse(aero_span text, aero_arena *arena, aero_geo *out)
{
    aero_span object;
    aero_span type;

    if (!json_check(text, &object)) {
        return AERO_ERR_GEO_INVALID_GEOJSON;
    }
    if (json_member(object, "type", &type) && json_text_is(type, "Feature") &&
        !json_member(object, "geometry", &object)) {
        return AERO_ERR_GEO_INVALID_GEOJSON;
    }
    return take_shape(object, arena, out);
}

/* ---- which lies where ---- */

bool
polygon_contains(const struct aero_geo_polygon *polygon, vec3 p)
{
    bool inside = false;

    for (size_t i = 0; i < polygon->count; i++) {
        inside ^= ring_contains(&polygon->rings[i], p);
    }
    return inside;
}

static vec3
point_of(const aero_geo *geo)
{
    return vec3_of(geo->point[0], geo->point[1], geo->point[2]);
}

static bool
region_contains(const aero_geo *region, vec3 p)
{
    if (region->kind == AERO_GEO_CIRCLE) {
        return sphere_chord2(point_of(region), p) <= region->chord2;
    }
    for (size_t i = 0; i < region->count; i++) {
        if (polygon_contains(&region->polygons[i], p)) {
            return true;
        }
    }
    return false;
}

bool
aero_geo_within(const aero_geo *a, const aero_geo *b)
{
    if (aero_geo_is_region(a) == aero_geo_is_region(b)) {
        return false;
    }
    return aero_geo_is_region(a) ? region_contains(a, point_of(b))
                                 : region_contains(b, point_of(a));
}

/* ---- bins ---- */

static int
check(aero_span text, bool *region)
{
    aero_arena arena;
    aero_geo geo;
    int rc;

    aero_arena_init(&arena);
    rc = aero_geo_parse(text, &arena, &geo);
    if (rc == AERO_ERR_OK) {
        *region = aero_geo_is_region(&geo);
        if (*region && geo_cover(&geo) > COVER_MAX) {
            rc = AERO_ERR_GEO_INVALID_GEOJSON;
        }
    }
    aero_arena_fini(&arena);
    return rc;
}

int
aero_geo_check(aero_span text)
{
    bool region;

    return check(text, &region);
}

int
aero_geo_make(aero_span text, aero_made *out)
{
    bool region = false;
    int rc = check(text, &region);
    aero_buf *buf;

    if (rc != AERO_ERR_OK) {
        return rc;
    }
    buf = made_as(out, AERO_PARTICLE_GEOJSON);
    aero_buf_put_u8(buf, region);
    aero_buf_put_u16(buf, 0);
    aero_buf_put_span(buf, text);
    return made_rc(out);
}
