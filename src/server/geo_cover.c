/* Which cells of S2's grid a region meets, and how much of the sphere that
 * is, in cells of the first level: four on each of six faces.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "geo_shape.h"

/* A cell is where four planes through the origin all lie below. */
typedef struct cell {
    vec3 corner[4]; /* turning left */
    vec3 edge[4];   /* normal of the plane from corner i to the next, inward */
    vec3 middle;
} cell;

static void
cell_init(cell *c, int face, const geo_square *at)
{
    const double us[] = {at->u0, at->u1, at->u1, at->u0};
    const double vs[] = {at->v0, at->v0, at->v1, at->v1};

    for (int i = 0; i < 4; i++) {
        c->corner[i] = vec3_unit(sphere_face(face, us[i], vs[i]));
    }
    for (int i = 0; i < 4; i++) {
        c->edge[i] =
            vec3_unit(vec3_cross(c->corner[i], c->corner[(i + 1) % 4]));
    }
    c->middle = vec3_unit(
        sphere_face(face, (at->u0 + at->u1) / 2, (at->v0 + at->v1) / 2));
}

/* Whether a geodesic edge of up to 90 degrees meets the cell or touches it:
 * the chord between its ends is clipped by the four planes. */
static bool
short_edge_meets(const cell *c, vec3 a, vec3 b)
{
    const double touch = 1e-15;
    double from = 0;
    double to = 1;

    for (int i = 0; i < 4; i++) {
        double at_a = vec3_dot(c->edge[i], a) + touch;
        double at_b = vec3_dot(c->edge[i], b) + touch;

        if (at_a < 0 && at_b < 0) {
            return false;
        }
        if (at_a < 0) {
            from = fmax(from, at_a / (at_a - at_b));
        }
        else if (at_b < 0) {
            to = fmin(to, at_a / (at_a - at_b));
        }
    }
    return from <= to;
}

static bool
edge_meets(const cell *c, vec3 a, vec3 b)
{
    vec3 middle;

    if (vec3_dot(a, b) >= 0) {
        return short_edge_meets(c, a, b);
    }
    middle =
        vec3_unit(vec3_cross(vec3_unit(vec3_normal(a, b)), vec3_less(a, b)));
    return short_edge_meets(c, a, middle) || short_edge_meets(c, middle, b);
}

static bool
ring_meets(const cell *c, const ring *r)
{
    for (size_t i = 0; i < r->count; i++) {
        if (edge_meets(c, r->at[i], r->at[(i + 1) % r->count])) {
            return true;
        }
    }
    return false;
}

static bool
polygons_meet(const cell *c, const aero_geo *geo)
{
    for (size_t i = 0; i < geo->count; i++) {
        const struct aero_geo_polygon *polygon = &geo->polygons[i];

        for (size_t k = 0; k < polygon->count; k++) {
            if (ring_meets(c, &polygon->rings[k])) {
                return true;
            }
        }
        if (polygon_contains(polygon, c->middle)) {
            return true;
        }
    }
    return false;
}

/* Squared chord from a point to the nearest of an edge of the cell. */
static double
edge_chord2(const cell *c, int i, vec3 p)
{
    vec3 a = c->corner[i];
    vec3 b = c->corner[(i + 1) % 4];
    vec3 across = vec3_cross(c->edge[i], p);

    /* nearest between the ends: by the angle to the plane */
    if (vec3_dot(across, a) < 0 && vec3_dot(across, b) > 0) {
        return sphere_chord2_of(asin(fabs(vec3_dot(c->edge[i], p))));
    }
    return fmin(sphere_chord2(p, a), sphere_chord2(p, b));
}

static bool
circle_meets(const cell *c, const aero_geo *geo)
{
    vec3 p = {{geo->point[0], geo->point[1], geo->point[2]}};
    bool within = true;

    if (geo->chord2 < 0) {
        return false;
    }
    for (int i = 0; i < 4; i++) {
        within = within && vec3_dot(c->edge[i], p) >= 0;
        if (edge_chord2(c, i, p) <= geo->chord2) {
            return true;
        }
    }
    return within;
}

bool
geo_meets(const aero_geo *geo, int face, const geo_square *at)
{
    cell c;

    cell_init(&c, face, at);
    return geo->kind == AERO_GEO_CIRCLE ? circle_meets(&c, geo)
                                        : polygons_meet(&c, geo);
}

int
geo_cover(const aero_geo *geo)
{
    int count = 0;

    for (int number = 0; number < 24; number++) {
        double u = number % 2;
        double v = number / 2 % 2;
        const geo_square quarter = {u - 1, u, v - 1, v};

        count += geo_meets(geo, number / 4, &quarter);
    }
    return count;
}
