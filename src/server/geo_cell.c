/* Cells as numbers.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdlib.h>

#include "geo_cell.h"

enum {
    LEVELS = 30,
    /* How the curve runs through a cell: both bits may be set. */
    SWAPPED = 1,
    TURNED = 2,
    EDGES_MAX = 1 << 22 /* looked at while a region is covered */
};

typedef struct square {
    int face;
    int level;
    uint32_t i; /* of the first leaf */
    uint32_t j;
} square;

/* ---- numbers ---- */

/* The curve's four steps through a cell: where step k goes, as 2 i + j. */
static const uint8_t steps[4][4] = {
    {0, 1, 3, 2},
    {0, 2, 3, 1},
    {3, 2, 0, 1},
    {3, 1, 0, 2},
};

/* What a step changes about the way the curve runs inside. */
static const uint8_t changes[4] = {SWAPPED, 0, 0, SWAPPED | TURNED};

static unsigned
step_to(unsigned way, unsigned quarter)
{
    unsigned k = 0;

    while (steps[way][k] != quarter) {
        k++;
    }
    return k;
}

static int64_t
number_of(const square *s)
{
    unsigned way = (unsigned)s->face & SWAPPED;
    uint64_t id = (uint64_t)s->face;

    for (int bit = LEVELS - 1; bit >= LEVELS - s->level; bit--) {
        unsigned quarter = (s->i >> bit & 1) << 1 | (s->j >> bit & 1);
        unsigned k = step_to(way, quarter);

        id = id << 2 | k;
        way ^= changes[k];
    }
    return (int64_t)((id << 1 | 1) << 2 * (LEVELS - s->level));
}

static geo_range
range_of(int64_t number)
{
    uint64_t id = (uint64_t)number;
    uint64_t last = id & -id;
    geo_range range = {(int64_t)(id - last + 1), (int64_t)(id + last - 1)};

    return range;
}

static int64_t
parent_of(int64_t leaf, int level)
{
    uint64_t last = UINT64_C(1) << 2 * (LEVELS - level);

    return (int64_t)(((uint64_t)leaf & -last) | last);
}

/* ---- points ---- */

/* The place along an axis, evened out as the grid is. */
static uint32_t
leaf_at(double u)
{
    const double leaves = 1 << LEVELS;
    double s = u >= 0 ? 0.5 * sqrt(1 + 3 * u) : 1 - 0.5 * sqrt(1 - 3 * u);

    return (uint32_t)fmin(leaves - 1, fmax(0, floor(s * leaves)));
}

int64_t
geo_cell_of(const aero_geo *point)
{
    square s = {.level = LEVELS};
    double u;
    double v;

    s.face = sphere_on_face(
        vec3_of(point->point[0], point->point[1], point->point[2]), &u, &v);
    s.i = leaf_at(u);
    s.j = leaf_at(v);
    return number_of(&s);
}

/* ---- regions ---- */

static double
edge_at(uint64_t leaf)
{
    double s = (double)leaf / (1 << LEVELS);

    return s >= 0.5 ? (4 * s * s - 1) / 3 : (1 - 4 * (1 - s) * (1 - s)) / 3;
}

static bool
meets(const aero_geo *region, const square *s)
{
    uint64_t size = UINT64_C(1) << (LEVELS - s->level);
    const geo_square at = {edge_at(s->i), edge_at(s->i + size), edge_at(s->j),
                           edge_at(s->j + size)};

    return geo_meets(region, s->face, &at);
}

/* The quarters of a cell that the region meets. */
static unsigned
split(const aero_geo *region, const square *s, square *out)
{
    uint32_t half = UINT32_C(1) << (LEVELS - s->level - 1);
    unsigned count = 0;

    for (unsigned quarter = 0; quarter < 4; quarter++) {
        square part = {s->face, s->level + 1, s->i, s->j};

        part.i += quarter & 2 ? half : 0;
        part.j += quarter & 1 ? half : 0;
        if (meets(region, &part)) {
            out[count++] = part;
        }
    }
    return count;
}

static size_t
edges_of(const aero_geo *region)
{
    size_t count = 1;

    if (region->kind != AERO_GEO_POLYGONS) {
        return count;
    }
    for (size_t i = 0; i < region->count; i++) {
        for (size_t k = 0; k < region->polygons[i].count; k++) {
            count += region->polygons[i].rings[k].count;
        }
    }
    return count;
}

/* The largest cell that is not done; `count` if all are. */
static unsigned
largest(const square *cells, const bool *done, unsigned count)
{
    unsigned found = count;

    for (unsigned i = 0; i < count; i++) {
        if (!done[i] && cells[i].level < GEO_LEVEL_MAX &&
            (found == count || cells[i].level < cells[found].level)) {
            found = i;
        }
    }
    return found;
}

/* Begin with whole faces and split the largest cell as long as the parts are
 * few. */
static unsigned
cover(const aero_geo *region, square *cells)
{
    bool done[GEO_COVER_MAX] = {false};
    size_t edges = edges_of(region);
    size_t looked = 0;
    unsigned count = 0;

    for (int face = 0; face < 6; face++) {
        square whole = {.face = face};

        if (meets(region, &whole)) {
            cells[count++] = whole;
        }
    }
    for (;;) {
        unsigned at = largest(cells, done, count);
        square parts[4];
        unsigned n;

        looked += 4 * edges;
        if (at == count || looked > EDGES_MAX) {
            return count;
        }
        n = split(region, &cells[at], parts);
        if (n == 0 || count - 1 + n > GEO_COVER_MAX) {
            done[at] = true;
            continue;
        }
        cells[at] = parts[0];
        for (unsigned i = 1; i < n; i++) {
            done[count] = false;
            cells[count++] = parts[i];
        }
    }
}

static int
compare(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a;
    int64_t right = *(const int64_t *)b;

    return (left > right) - (left < right);
}

unsigned
geo_cells_of(const aero_geo *region, int64_t *cells)
{
    square found[GEO_COVER_MAX];
    unsigned count = cover(region, found);

    for (unsigned i = 0; i < count; i++) {
        cells[i] = number_of(&found[i]);
    }
    qsort(cells, count, sizeof *cells, compare);
    return count;
}

/* ---- what a query looks through ---- */

/* Every cell that the point lies in. */
static unsigned
ranges_of_point(const aero_geo *point, geo_range *ranges)
{
    int64_t leaf = geo_cell_of(point);
    int64_t cells[GEO_LEVEL_MAX + 1];

    for (int level = 0; level <= GEO_LEVEL_MAX; level++) {
        cells[level] = parent_of(leaf, level);
    }
    qsort(cells, GEO_LEVEL_MAX + 1, sizeof *cells, compare);
    for (int i = 0; i <= GEO_LEVEL_MAX; i++) {
        ranges[i].low = cells[i];
        ranges[i].high = cells[i];
    }
    return GEO_LEVEL_MAX + 1;
}

unsigned
geo_ranges_of(const aero_geo *geo, geo_range *ranges)
{
    int64_t cells[GEO_COVER_MAX];
    unsigned count;

    if (!aero_geo_is_region(geo)) {
        return ranges_of_point(geo, ranges);
    }
    count = geo_cells_of(geo, cells);
    for (unsigned i = 0; i < count; i++) {
        ranges[i] = range_of(cells[i]);
    }
    return count;
}
