/* What a region is made of.  Private to the server.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_SERVER_GEO_SHAPE_H
#define AERO_SERVER_GEO_SHAPE_H

#include "aero/server/geo.h"
#include "sphere.h"

struct aero_geo_polygon {
    ring *rings; /* the outer one and the holes, in any order */
    size_t count;
};

/* Inside an odd number of rings. */
bool polygon_contains(const struct aero_geo_polygon *polygon, vec3 p);

/* A part of one of the grid's faces. */
typedef struct geo_square {
    double u0, u1;
    double v0, v1;
} geo_square;

/* Whether a region meets it or touches it. */
bool geo_meets(const aero_geo *geo, int face, const geo_square *at);

/* How many of the 24 cells of the grid's first level a region meets. */
int geo_cover(const aero_geo *geo);

#endif
