/* GeoJSON: points and regions on a sphere.
 *
 * Point, Polygon (with holes), MultiPolygon, AeroCircle, and Feature around
 * one of them.  Edges are geodesics; a polygon is the smaller side of its
 * ring whatever the winding, and may cross the antimeridian or hold a pole.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_SERVER_GEO_H
#define AERO_SERVER_GEO_H

#include "aero/base/arena.h"
#include "aero/server/value.h"

typedef enum aero_geo_kind {
    AERO_GEO_POINT,
    AERO_GEO_CIRCLE,
    AERO_GEO_POLYGONS
} aero_geo_kind;

typedef struct aero_geo {
    aero_geo_kind kind;
    double point[3]; /* on the unit sphere: the point, or the centre */
    double chord2;   /* of a circle: radius as a squared chord */
    struct aero_geo_polygon *polygons; /* in the arena */
    size_t count;
} aero_geo;

static inline bool
aero_geo_is_region(const aero_geo *geo)
{
    return geo->kind != AERO_GEO_POINT;
}

/* Read a text.  0; 160 when it is none of the shapes; 1 without memory.
 * Polygons live in `arena`; a point or circle takes no memory. */
int aero_geo_parse(aero_span text, aero_arena *arena, aero_geo *out);

/* Whether one is a point and the other a region that contains it. */
bool aero_geo_within(const aero_geo *a, const aero_geo *b);

/* Whether a bin may hold this text: 0, 160 or 1.  Besides what cannot be
 * read, a region is refused that meets too much of the sphere, as most rings
 * that cross themselves do. */
int aero_geo_check(aero_span text);

/* The particle of a bin that holds the text: flags, no cells, the text.
 * Result codes as above. */
int aero_geo_make(aero_span text, aero_made *out);

#endif
