/* Points and rings on the unit sphere, with exact decisions: which side of a
 * great circle a point lies on is never wrong, and ties are broken the same
 * way everywhere, as the S2 library does.  Knows no JSON.  Private to the
 * server.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_SERVER_SPHERE_H
#define AERO_SERVER_SPHERE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct vec3 {
    double at[3];
} vec3;

static inline vec3
vec3_of(double x, double y, double z)
{
    vec3 v = {{x, y, z}};

    return v;
}

static inline bool
vec3_equal(vec3 a, vec3 b)
{
    return a.at[0] == b.at[0] && a.at[1] == b.at[1] && a.at[2] == b.at[2];
}

/* Lexicographic order. */
static inline bool
vec3_before(vec3 a, vec3 b)
{
    int i = a.at[0] != b.at[0] ? 0 : a.at[1] != b.at[1] ? 1 : 2;

    return a.at[i] < b.at[i];
}

static inline vec3
vec3_sum(vec3 a, vec3 b)
{
    return vec3_of(a.at[0] + b.at[0], a.at[1] + b.at[1], a.at[2] + b.at[2]);
}

static inline vec3
vec3_less(vec3 a, vec3 b)
{
    return vec3_of(a.at[0] - b.at[0], a.at[1] - b.at[1], a.at[2] - b.at[2]);
}

static inline vec3
vec3_cross(vec3 a, vec3 b)
{
    return vec3_of(a.at[1] * b.at[2] - a.at[2] * b.at[1],
                   a.at[2] * b.at[0] - a.at[0] * b.at[2],
                   a.at[0] * b.at[1] - a.at[1] * b.at[0]);
}

static inline double
vec3_dot(vec3 a, vec3 b)
{
    return a.at[0] * b.at[0] + a.at[1] * b.at[1] + a.at[2] * b.at[2];
}

/* The direction of a x b, good also when they are close or opposite. */
static inline vec3
vec3_normal(vec3 a, vec3 b)
{
    return vec3_cross(vec3_less(a, b), vec3_sum(a, b));
}

/* Length 1, or 0 as it was. */
vec3 vec3_unit(vec3 v);

/* False when the degrees are out of range. */
bool sphere_point(double lng, double lat, vec3 *out);

/* Centre of the smallest cell of S2's grid around a point: what the server
 * keeps of it, some millimetres off. */
vec3 sphere_leaf(vec3 p);

/* The face of the grid a point lies on, and where: -1 to 1. */
int sphere_on_face(vec3 p, double *u, double *v);

/* The corner (u, v), each -1 to 1, of one of the grid's six faces; not of
 * unit length. */
vec3 sphere_face(int face, double u, double v);

/* Squared length of the chord between two points. */
double sphere_chord2(vec3 a, vec3 b);
/* The same for an angle; negative for a negative angle. */
double sphere_chord2_of(double radians);

/* 1: c lies left of the great circle from a to b; -1: right; 0 only when two
 * are the same. */
int sphere_side(vec3 a, vec3 b, vec3 normal, vec3 c);

/* The same, when the normal, vec3_cross(a, b), is not known yet. */
static inline int
sphere_sign(vec3 a, vec3 b, vec3 c)
{
    return sphere_side(a, b, vec3_cross(a, b), c);
}

/* A closed line of geodesic edges, the last vertex joined to the first. */
typedef struct ring {
    const vec3 *at; /* borrowed; at least 3, neighbours differ */
    size_t count;
    bool inside; /* whether it contains the sphere's reference point */
} ring;

/* Decide what is inside: the smaller side, whatever the winding.  `scratch`
 * has room for as many vertices. */
void ring_init(ring *r, const vec3 *at, size_t count, vec3 *scratch);

bool ring_contains(const ring *r, vec3 p);

#endif
