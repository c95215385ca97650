/* Points on the sphere and exact orientation.
 *
 * A sign is first computed in doubles with an error bound; when that cannot
 * tell, as an exact sum of products (Shewchuk's expansions); when that is
 * zero, each point counts as moved by its own infinitely small amount
 * (Edelsbrunner and Muecke, Simulation of Simplicity), smaller points in
 * lexicographic order by larger amounts.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <float.h>
#include <math.h>

#include "sphere.h"

vec3
vec3_unit(vec3 v)
{
    double len = sqrt(vec3_dot(v, v));
    double by = len != 0 ? 1 / len : 0;

    return vec3_of(v.at[0] * by, v.at[1] * by, v.at[2] * by);
}

bool
sphere_point(double lng, double lat, vec3 *out)
{
    double phi = M_PI / 180 * lat;
    double theta = M_PI / 180 * lng;

    if (!(fabs(phi) <= M_PI_2) || !(fabs(theta) <= M_PI)) {
        return false;
    }
    *out = vec3_of(cos(theta) * cos(phi), sin(theta) * cos(phi), sin(phi));
    return true;
}

double
sphere_chord2(vec3 a, vec3 b)
{
    vec3 d = vec3_less(a, b);

    return fmin(4, vec3_dot(d, d));
}

double
sphere_chord2_of(double radians)
{
    double chord = 2 * sin(0.5 * fmin(M_PI, radians));

    return radians < 0 ? -1 : chord * chord;
}

/* ---- the grid ---- */

vec3
sphere_face(int face, double u, double v)
{
    switch (face) {
    case 0:
        return vec3_of(1, u, v);
    case 1:
        return vec3_of(-u, 1, v);
    case 2:
        return vec3_of(-u, -v, 1);
    case 3:
        return vec3_of(-1, -v, -u);
    case 4:
        return vec3_of(v, -1, -u);
    default:
        return vec3_of(v, u, -1);
    }
}

static int
face_of(vec3 p)
{
    double x = fabs(p.at[0]);
    double y = fabs(p.at[1]);
    double z = fabs(p.at[2]);
    int axis = x > y ? (x > z ? 0 : 2) : (y > z ? 1 : 2);

    return p.at[axis] < 0 ? axis + 3 : axis;
}

/* The coordinate on a face, -1 to 1, that `at` has along `axis`. */
static double
on_face(vec3 p, int face, vec3 axis)
{
    double depth = p.at[face % 3];

    return vec3_dot(p, axis) / (face < 3 ? depth : -depth);
}

/* Snap a coordinate to the centre of its cell.  The grid is even in s, which
 * runs from 0 to 1 and makes cells of about the same area. */
static double
snap(double u)
{
    const double cells = 1 << 30;
    double s = u >= 0 ? 0.5 * sqrt(1 + 3 * u) : 1 - 0.5 * sqrt(1 - 3 * u);
    double cell = fmax(0, fmin(cells - 1, rint(cells * s - 0.5)));

    s = (2 * cell + 1) / (2 * cells);
    return s >= 0.5 ? (1 / 3.) * (4 * s * s - 1)
                    : (1 / 3.) * (1 - 4 * (1 - s) * (1 - s));
}

int
sphere_on_face(vec3 p, double *u, double *v)
{
    int face = face_of(p);
    vec3 origin = sphere_face(face, 0, 0);

    *u = on_face(p, face, vec3_less(sphere_face(face, 1, 0), origin));
    *v = on_face(p, face, vec3_less(sphere_face(face, 0, 1), origin));
    return face;
}

vec3
sphere_leaf(vec3 p)
{
    double u;
    double v;
    int face = sphere_on_face(p, &u, &v);

    return vec3_unit(sphere_face(face, snap(u), snap(v)));
}

/* ---- exact sums ---- */

/* A sum of doubles without rounding: from small to large, no two overlap. */
typedef struct exact {
    int count;
    double part[24];
} exact;

static void
exact_add(exact *e, double x)
{
    int kept = 0;

    for (int i = 0; i < e->count; i++) {
        double a = e->part[i];
        double sum = x + a;
        double b = sum - x;
        double rest = (x - (sum - b)) + (a - b);

        if (rest != 0) {
            e->part[kept++] = rest;
        }
        x = sum;
    }
    if (x != 0) {
        e->part[kept++] = x;
    }
    e->count = kept;
}

/* Add a * b * c. */
static void
exact_add_product(exact *e, double a, double b, double c)
{
    double high = a * b;
    double low = fma(a, b, -high);
    double top = high * c;
    double bottom = low * c;

    exact_add(e, fma(low, c, -bottom));
    exact_add(e, bottom);
    exact_add(e, fma(high, c, -top));
    exact_add(e, top);
}

static int
sign_of(double x)
{
    return (x > 0) - (x < 0);
}

static int
exact_sign(const exact *e)
{
    return e->count == 0 ? 0 : sign_of(e->part[e->count - 1]);
}

/* Sign of p[i] * q[j] - p[j] * q[i]. */
static int
minor_sign(vec3 p, vec3 q, int i, int j)
{
    exact e = {0, {0}};

    exact_add_product(&e, p.at[i], q.at[j], 1);
    exact_add_product(&e, -p.at[j], q.at[i], 1);
    return exact_sign(&e);
}

static int
determinant_sign(vec3 a, vec3 b, vec3 c)
{
    exact e = {0, {0}};

    for (int i = 0; i < 3; i++) {
        int j = (i + 1) % 3;
        int k = (i + 2) % 3;

        exact_add_product(&e, a.at[i], b.at[j], c.at[k]);
        exact_add_product(&e, -a.at[i], b.at[k], c.at[j]);
    }
    return exact_sign(&e);
}

/* ---- orientation ---- */

/* The determinant of a < b < c is zero: the sign of its coefficient of the
 * largest perturbation that has one. */
static int
perturbed_sign(vec3 a, vec3 b, vec3 c)
{
    const int by_size[] = {
        minor_sign(b, c, 0, 1), minor_sign(b, c, 2, 0), minor_sign(b, c, 1, 2),
        minor_sign(c, a, 0, 1), sign_of(c.at[0]),       -sign_of(c.at[1]),
        minor_sign(c, a, 2, 0), sign_of(c.at[2]),       minor_sign(a, b, 0, 1),
        -sign_of(b.at[0]),      sign_of(b.at[1]),       sign_of(a.at[0])};

    for (size_t i = 0; i < sizeof by_size / sizeof by_size[0]; i++) {
        if (by_size[i] != 0) {
            return by_size[i];
        }
    }
    return 1;
}

static bool
put_in_order(vec3 *a, vec3 *b)
{
    vec3 t = *a;

    if (!vec3_before(*b, *a)) {
        return false;
    }
    *a = *b;
    *b = t;
    return true;
}

static int
slow_sign(vec3 a, vec3 b, vec3 c)
{
    int swaps = 0;
    int sign;

    if (vec3_equal(a, b) || vec3_equal(b, c) || vec3_equal(c, a)) {
        return 0;
    }
    swaps += put_in_order(&a, &b);
    swaps += put_in_order(&b, &c);
    swaps += put_in_order(&a, &b);
    sign = determinant_sign(a, b, c);
    if (sign == 0) {
        sign = perturbed_sign(a, b, c);
    }
    return swaps % 2 != 0 ? -sign : sign;
}

int
sphere_side(vec3 a, vec3 b, vec3 normal, vec3 c)
{
    double det = vec3_dot(normal, c);

    if (fabs(det) > 4 * DBL_EPSILON) {
        return det > 0 ? 1 : -1;
    }
    return slow_sign(a, b, c);
}
