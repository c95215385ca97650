/* Rings: what they contain, by counting the edges between a point and a
 * reference point whose side is known.
 *
 * Rings that cross themselves are not refused: their inside is where that
 * count says, as on the server.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <float.h>
#include <math.h>

#include "sphere.h"

/* Some 66 km from the north pole: unlikely to be on anybody's edge. */
static const vec3 reference = {
    {-0.0099994664350250197, 0.0025924542609324121, 0.99994664350250195}};

/* A direction at right angles to `p`, the same whenever p is. */
static vec3
direction_at(vec3 p)
{
    double x = fabs(p.at[0]);
    double y = fabs(p.at[1]);
    double z = fabs(p.at[2]);
    vec3 other = vec3_of(0.012, 0.0053, 0.00457);

    other.at[x > y ? (x > z ? 2 : 1) : (y > z ? 0 : 1)] = 1;
    return vec3_unit(vec3_cross(p, other));
}

/* Whether a, b, c are met in this order turning left around o. */
static bool
in_order(vec3 a, vec3 b, vec3 c, vec3 o)
{
    int right = (sphere_sign(b, o, a) >= 0) + (sphere_sign(c, o, b) >= 0) +
                (sphere_sign(a, o, c) > 0);

    return right >= 2;
}

/* Two edges that share a vertex cross if ab is met after cd around it. */
static bool
touch_crosses(vec3 a, vec3 b, vec3 c, vec3 d)
{
    if (vec3_equal(a, b) || vec3_equal(c, d)) {
        return false;
    }
    if (vec3_equal(a, c)) {
        return vec3_equal(b, d) || in_order(direction_at(a), d, b, a);
    }
    if (vec3_equal(b, d)) {
        return in_order(direction_at(b), c, a, b);
    }
    if (vec3_equal(a, d)) {
        return vec3_equal(b, c) || in_order(direction_at(a), c, b, a);
    }
    return in_order(direction_at(b), d, a, b);
}

/* Whether ab crosses cd, whose ends lie on different sides of its line. */
static bool
crosses(vec3 a, vec3 b, vec3 c, vec3 d, int c_side)
{
    return sphere_sign(c, d, b) == c_side && sphere_sign(c, d, a) == -c_side;
}

bool
ring_contains(const ring *r, vec3 p)
{
    bool inside = r->inside;
    vec3 c = r->at[r->count - 1];
    vec3 normal = vec3_cross(reference, p);
    int c_side = sphere_side(reference, p, normal, c);

    for (size_t i = 0; i < r->count; i++) {
        vec3 d = r->at[i];
        int d_side = sphere_side(reference, p, normal, d);

        if (c_side == 0 || d_side == 0) {
            inside ^= touch_crosses(reference, p, c, d);
        }
        else if (c_side != d_side) {
            inside ^= crosses(reference, p, c, d, c_side);
        }
        c = d;
        c_side = d_side;
    }
    return inside;
}

/* How far the line a, b, c turns left at b. */
static double
turn_at(vec3 a, vec3 b, vec3 c)
{
    vec3 n = vec3_normal(a, b);
    vec3 m = vec3_normal(b, c);
    vec3 x = vec3_cross(n, m);
    double angle = atan2(sqrt(vec3_dot(x, x)), vec3_dot(n, m));

    return sphere_sign(a, b, c) > 0 ? angle : -angle;
}

/* Copy a ring without its spikes, edges walked there and back at once.  Gives
 * how many vertices are left and where; fewer than 3: there was nothing
 * else. */
static size_t
without_spikes(const ring *r, vec3 *out, size_t *first)
{
    size_t count = 0;
    size_t k = 0;

    for (size_t i = 0; i < r->count; i++) {
        if (count >= 2 && vec3_equal(r->at[i], out[count - 2])) {
            count--;
        }
        else if (count == 0 || !vec3_equal(r->at[i], out[count - 1])) {
            out[count++] = r->at[i];
        }
    }
    if (count >= 3 && vec3_equal(out[0], out[count - 1])) {
        count--;
    }
    while (count >= 3 && vec3_equal(out[k + 1], out[k + count - 1])) {
        count -= 2;
        k++;
    }
    *first = k;
    return count;
}

/* Whether the vertices from i on in one direction come before those from k on
 * in another. */
static bool
walk_before(const vec3 *at, size_t count, size_t i, size_t i_step, size_t k,
            size_t k_step)
{
    for (size_t n = 0; n < count; n++) {
        if (!vec3_equal(at[i], at[k])) {
            return vec3_before(at[i], at[k]);
        }
        i = (i + i_step) % count;
        k = (k + k_step) % count;
    }
    return false;
}

/* Whether the walk round the ring that comes before all others goes back. */
static bool
first_walk_goes_back(const vec3 *at, size_t count)
{
    size_t start = 0;
    size_t step = 1;

    for (size_t i = 0; i < count; i++) {
        if (walk_before(at, count, i, 1, start, step)) {
            start = i;
            step = 1;
        }
        if (walk_before(at, count, i, count - 1, start, step)) {
            start = i;
            step = count - 1;
        }
    }
    return step != 1;
}

/* A spike that begins at the last vertex is left; which way it turns depends
 * on the order in which S2 walks. */
static double
spike_turn(const vec3 *at, size_t count)
{
    return first_walk_goes_back(at, count) ? M_PI : -M_PI;
}

/* All turns together are a full one less the area on the left. */
static bool
turns_right(const ring *r, vec3 *scratch)
{
    size_t first;
    size_t count = without_spikes(r, scratch, &first);
    const vec3 *at = scratch + first;
    const double error = 11.25 * DBL_EPSILON * (double)r->count;
    double sum = 0;
    double lost = 0; /* Kahan's summation */

    if (count < 3) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        vec3 to = at[(i + 2) % count];
        double turn = vec3_equal(at[i], to)
                          ? spike_turn(at, count)
                          : turn_at(at[i], at[(i + 1) % count], to);
        double next = sum + (turn - lost);

        lost = (next - sum) - (turn - lost);
        sum = next;
    }
    return sum < -error;
}

/* At a pole, as far as doubles can tell. */
static bool
is_pole(vec3 p)
{
    return hypot(p.at[0], p.at[1]) <= 2 * DBL_EPSILON;
}

/* Whether it spans less than 180 degrees of longitude.  Then it is left as
 * it is: only rings that cross themselves can have their larger side on the
 * left. */
static bool
is_narrow(const ring *r)
{
    double at = 0;
    double least = 0;
    double most = 0;

    for (size_t i = 0; i < r->count; i++) {
        vec3 a = r->at[i];
        vec3 b = r->at[(i + 1) % r->count];
        double step = remainder(
            atan2(b.at[1], b.at[0]) - atan2(a.at[1], a.at[0]), 2 * M_PI);

        if (is_pole(a) || fabs(step) >= M_PI - 2 * DBL_EPSILON) {
            return false;
        }
        at += step;
        least = fmin(least, at);
        most = fmax(most, at);
    }
    return most - least < M_PI;
}

void
ring_init(ring *r, const vec3 *at, size_t count, vec3 *scratch)
{
    vec3 v = at[1];
    bool left_of_it = !in_order(direction_at(v), at[2], at[0], v);

    r->at = at;
    r->count = count;
    r->inside = false;
    /* Its left side is inside: so says the corner at the second vertex. */
    r->inside = ring_contains(r, v) != left_of_it;
    if (!(is_narrow(r) && !ring_contains(r, vec3_of(0, 0, 1))) &&
        turns_right(r, scratch)) {
        r->inside = !r->inside;
    }
}
