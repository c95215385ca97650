"""Geometries: what is stored, and which points lie in which regions.

Inside a polygon is where its ring winds once around a point, seen from there; where that is too
close to say, the model leaves it open.
"""

from __future__ import annotations

import json
import math
from random import Random
from typing import Any

from aerospike_py.helpers import expressions as e
from aerospike_py.helpers.operations import expression_operations, operations

from .values import ANY, MISSING, NOTHING, SILENT, Fail, Geo, to_python

EARTH = 6_371_000
CLOSE = 1e-7  # radians; a place is kept to within a centimetre
NO_FAIL = 16
Place = tuple[float, float]  # longitude, latitude
Vector = tuple[float, float, float]
BAD = [
    "{}", '{"type":"Point"}', '{"type":"Nowhere","coordinates":[1,2]}',
    '{"type":"LineString","coordinates":[[1,2],[3,4]]}', '{"type":"Point","coordinates":[1,2,3]}',
    '{"type":"Point","coordinates":["1","2"]}', '{"type":"Point","coordinates":[181,0]}',
    '{"type":"Point","coordinates":[0,-91]}', '{"type":"Feature","properties":{}}',
    '{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1]]]}',
    '{"type":"Polygon","coordinates":[[[0,0],[2,2],[2,0],[0,2],[0,0]]]}',
    '{"type":"AeroCircle","coordinates":[[0,0]]}', '{"type":"AeroCircle","coordinates":[0,5]}',
]


# ---- the sphere ----


def vector(place: Place) -> Vector:
    lng, lat = map(math.radians, place)
    return (math.cos(lat) * math.cos(lng), math.cos(lat) * math.sin(lng), math.sin(lat))


def dot(a: Vector, b: Vector) -> float:
    return sum(x * y for x, y in zip(a, b, strict=True))


def cross(a: Vector, b: Vector) -> Vector:
    return (a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0])


def angle(a: Vector, b: Vector) -> float:
    sine = cross(a, b)
    return math.atan2(math.sqrt(dot(sine, sine)), dot(a, b))


def turn(p: Vector, a: Vector, b: Vector) -> float:
    """By how much the direction from `p` turns on the way from `a` to `b`."""
    left, right = cross(p, a), cross(p, b)
    return math.atan2(dot(cross(left, right), p), dot(left, right))


def is_close(p: Vector, a: Vector, b: Vector) -> bool:
    """Whether `p` is next to the edge."""
    normal = cross(a, b)
    size = math.sqrt(dot(normal, normal))
    beside = abs(dot(normal, p)) < CLOSE * size
    return beside and angle(a, p) + angle(p, b) < angle(a, b) + 1e-3


# ---- shapes ----


class Ring:
    """A polygon's outline around a place, its corners at random distances."""

    def __init__(self, r: Random, centre: Place, least: float, most: float) -> None:
        count = r.randint(5, 9)
        lng, lat = centre
        corners = []
        for i in range(count):
            at = 2 * math.pi * (i + r.random() * 0.3) / count
            away = r.uniform(least, most)
            x = lng + away * math.cos(at) / math.cos(math.radians(lat))
            corners.append([round((x + 180) % 360 - 180, 6),
                            round(lat + away * math.sin(at), 6)])
        if r.random() < 0.3:
            corners.reverse()
        self.corners = [*corners, corners[0]]
        self.at = [vector((c[0], c[1])) for c in self.corners]
        self.centre = vector(centre)

    def contains(self, p: Vector) -> Any:
        if dot(p, self.centre) < 0:
            return False
        edges = list(zip(self.at, self.at[1:], strict=False))
        if any(is_close(p, a, b) for a, b in edges):
            return ANY
        return abs(sum(turn(p, a, b) for a, b in edges)) > math.pi


class Known(Geo):
    """The text of a shape."""

    __slots__ = ("shape",)
    shape: Shape


class Shape:
    """What a text says."""

    def __init__(self, made: dict[str, Any], r: Random) -> None:
        self.point: Vector | None = None
        self.rings: list[list[Ring]] = []
        self.circle: tuple[Vector, float] | None = None
        if r.random() < 0.15:
            made = {"type": "Feature", "properties": {"a": [1]}, "geometry": made}
        self.text = Known(json.dumps(made, separators=r.choice([(",", ":"), (", ", ": ")])))
        self.text.shape = self

    def contains(self, p: Vector) -> Any:
        if self.circle:
            away = angle(self.circle[0], p) - self.circle[1]
            return ANY if abs(away) < CLOSE else away < 0
        found: Any = False
        for polygon in self.rings:
            inside = [ring.contains(p) for ring in polygon]
            if ANY in inside:
                found = found or ANY
            elif sum(inside) % 2:
                return True
        return found


def within(a: Shape, b: Shape) -> Any:
    if (a.point is None) == (b.point is None):
        return False
    return b.contains(a.point) if a.point else a.contains(b.point)  # type: ignore[arg-type]


def draw_place(r: Random, near: Place | None = None) -> Place:
    if near is None:
        return round(r.uniform(-180, 180), 5), round(r.uniform(-60, 60), 5)
    away = 10 ** r.uniform(-3, 1.3)
    x, y = near[0] + r.uniform(-away, away), near[1] + r.uniform(-away, away)
    return round((x + 180) % 360 - 180, 6), round(max(-89.0, min(89.0, y)), 6)


def draw_shape(r: Random, near: Place) -> Shape:
    how = r.randrange(6)
    if how < 3:
        place = draw_place(r, near if r.random() < 0.9 else None)
        made = Shape({"type": "Point", "coordinates": list(place)}, r)
        made.point = vector(place)
        return made
    if how == 3:
        place = draw_place(r, near)
        radius = r.choice([0.5, 50.0, 5e3, 4e5, 1.2e6])
        made = Shape({"type": "AeroCircle", "coordinates": [list(place), radius]}, r)
        made.circle = vector(place), radius / EARTH
        return made
    polygons = [draw_polygon(r, near)]
    if how == 5:
        polygons.append(draw_polygon(r, ((near[0] + 270) % 360 - 180, -near[1])))
    corners = [[ring.corners for ring in polygon] for polygon in polygons]
    made = Shape({"type": "MultiPolygon", "coordinates": corners} if how == 5
                 else {"type": "Polygon", "coordinates": corners[0]}, r)
    made.rings = polygons
    return made


def draw_polygon(r: Random, near: Place) -> list[Ring]:
    size = r.choice([0.01, 0.5, 5, 12])
    rings = [Ring(r, near, 0.6 * size, size)]
    if r.random() < 0.3:
        rings.append(Ring(r, near, 0.1 * size, 0.3 * size))  # a hole
    return rings


# ---- operations ----


def start(r: Random) -> Any:
    """Where the shapes of a run are stands in a bin that is never changed."""
    return {"near": json.dumps(draw_place(r))}


def draw_write(r: Random, near: Place) -> tuple[str, dict[str, Any], Any]:
    roll = r.random()
    shape = draw_shape(r, near) if roll < 0.75 else None
    text: Any = r.choice([5, "a", 2.5, True])
    if roll < 0.9:
        text = shape.text if shape else Geo(r.choice(BAD))
    bad = shape is None and isinstance(text, Geo) and str(text) in BAD

    def run(bins: dict[str, Any]) -> Any:
        if bad:
            raise Fail(160)
        bins["b"] = text
        return SILENT

    return f"write {text}", operations.write("b", to_python(text)), run


def draw(r: Random, bins: dict[str, Any]) -> tuple[str, dict[str, Any], Any]:
    near: Place = tuple(json.loads(bins["near"]))
    held = bins.get("b", MISSING)
    if held is MISSING or r.random() < 0.25:
        return draw_write(r, near)
    other = draw_shape(r, near)
    no_fail = r.random() < 0.2
    sides = [e.GeoBin("b"), e.Val(to_python(other.text))]
    if r.random() < 0.3:
        sides.reverse()
    op = expression_operations.expression_read("in", e.CmpGeo(*sides).compile(),
                                               NO_FAIL if no_fail else 0)
    def run(bins: dict[str, Any]) -> Any:
        if not isinstance(held, Known):
            if no_fail:
                return NOTHING
            raise Fail(26)
        return within(held.shape, other)

    return f"{held} and {other.text}", op, run
