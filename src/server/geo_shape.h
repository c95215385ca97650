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

/* How many of the 24 cells of the grid's first level a region meets. */
int geo_cover(const aero_geo *geo);

#endif
