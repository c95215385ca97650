/* Cells of S2's grid as numbers that an index can order.
 *
 *   | face 3 | way along the Hilbert curve, two bits a level | 1 | 0 ... 0 |
 *
 * All points of a cell lie between two numbers, and a cell's number lies in
 * the middle of them.  Numbers are signed, as an index orders them.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_SERVER_GEO_CELL_H
#define AERO_SERVER_GEO_CELL_H

#include "geo_shape.h"

enum {
    GEO_COVER_MAX = 12, /* cells that cover a region */
    GEO_LEVEL_MAX = 20, /* of them: some ten metres wide */
    GEO_RANGES_MAX = 32 /* more than either */
};

typedef struct geo_range {
    int64_t low;
    int64_t high;
} geo_range;

/* The cell of the last level that a point lies in. */
int64_t geo_cell_of(const aero_geo *point);

/* Cells that together hold the region, in rising order; how many. */
unsigned geo_cells_of(const aero_geo *region, int64_t *cells);

/* Where an index has what may lie in the region, or what may contain the
 * point, in rising order; how many. */
unsigned geo_ranges_of(const aero_geo *geo, geo_range *ranges);

#endif
