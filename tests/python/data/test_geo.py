"""GeoJSON: the type, what is stored, and which regions contain which points."""

from __future__ import annotations

import json
import math
import pickle
from random import Random
from typing import Any

import pytest

import aerospike_py as aero
from aerospike_py import exception as e, official
from aerospike_py.helpers import expressions as x
from aerospike_py.helpers.operations import (
    expression_operations,
    list_operations,
    map_operations,
    operations,
)

POINT = {"type": "Point", "coordinates": [-122.0, 37.5]}
SQUARE = {"type": "Polygon", "coordinates": [
    [[-123.0, 37.0], [-121.0, 37.0], [-121.0, 38.0], [-123.0, 38.0], [-123.0, 37.0]]]}


# ---- the type ----


def test_a_geometry_is_its_text() -> None:
    made = aero.GeoJSON(POINT)
    assert isinstance(made, str) and json.loads(made) == POINT == made.unwrap()
    assert made == aero.GeoJSON(json.dumps(POINT)) and hash(made) == hash(str(made))
    assert repr(made) == f"GeoJSON({str(made)!r})"
    assert pickle.loads(pickle.dumps(made)) == made
    text = '{ "type":"Point","coordinates":[1,2]}'
    assert str(aero.GeoJSON(text)) == text == aero.geojson(text).dumps()


@pytest.mark.parametrize("face", [aero, official])
def test_wrapping(face: Any) -> None:
    made = face.GeoJSON(POINT)
    assert made.wrap(SQUARE) == 0 and made.unwrap() == SQUARE
    assert made.loads(json.dumps(POINT)) == 0 and json.loads(made.dumps()) == POINT
    assert json.loads(str(made)) == POINT
    made.geo_data = SQUARE
    assert json.loads(made.dumps()) == SQUARE


@pytest.mark.parametrize("face", [aero, official])
def test_what_is_no_geometry(face: Any) -> None:
    for bad in (1, None, [1]):
        with pytest.raises(e.ParamError):
            face.GeoJSON(bad)
    made = face.GeoJSON(POINT)
    with pytest.raises(e.ParamError):
        made.wrap("abc")
    with pytest.raises(e.ParamError):
        made.loads(5)
    with pytest.raises(e.ParamError):
        made.loads("[1]")
    with pytest.raises(e.ClientError) as caught:
        made.loads('{"abc"}')
    assert caught.value.code == -1
    with pytest.raises(e.ParamError):
        face.geodata("text")
    with pytest.raises(e.ParamError):
        face.geojson({"a": 1})
    assert face.geodata(POINT).unwrap() == POINT


# ---- stored ----


def test_bins_lists_and_maps(client: Any, strict: Any, key: Any) -> None:
    made = aero.GeoJSON(POINT)
    client.put(key, {"g": made, "l": [made, 1], "m": {"k": made}})
    for one, cls in ((client, aero.GeoJSON), (strict, official.GeoJSON)):
        bins = one.get(key)[2]
        for found in (bins["g"], bins["l"][0], bins["m"]["k"]):
            assert type(found) is cls and found.unwrap() == POINT


def test_operations_keep_the_type(client: Any, key: Any) -> None:
    made = aero.GeoJSON(SQUARE)
    found = client.operate_ordered(key, [
        operations.write("g", made), operations.read("g"), list_operations.list_append("l", made),
        list_operations.list_get("l", 0), map_operations.map_put("m", "k", made),
        map_operations.map_get_by_key("m", "k", aero.MAP_RETURN_VALUE)])[2]
    got = [value for _, value in found if isinstance(value, aero.GeoJSON)]
    assert [g.unwrap() for g in got] == [SQUARE] * 3


@pytest.mark.parametrize("text", [
    "{}", '{"type":"LineString","coordinates":[[1,2],[3,4]]}',
    '{"type":"Point","coordinates":[1,2,3]}', '{"type":"Point","coordinates":["1","2"]}',
    '{"type":"Point","coordinates":[181,0]}',
    '{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1]]]}',
    '{"type":"Polygon","coordinates":[[[0,0],[2,2],[2,0],[0,2],[0,0]]]}',
])
def test_a_server_refuses_other_shapes(client: Any, key: Any, text: str) -> None:
    with pytest.raises(e.AerospikeError) as caught:
        client.put(key, {"g": aero.GeoJSON(text)})
    assert caught.value.code == 160
    client.put(key, {"l": [aero.GeoJSON(text)]})  # inside a list nobody looks


# ---- regions ----


@pytest.fixture
def inside(client: Any, key: Any) -> Any:
    """Whether points are in a region, or regions hold a point: answers in their order."""
    def run(one: dict[str, Any], others: list[dict[str, Any]]) -> list[bool]:
        client.put(key, {"g": aero.GeoJSON(one)})
        reads = [expression_operations.expression_read(
            str(i), x.CmpGeo(x.GeoBin("g"), aero.GeoJSON(other)).compile())
            for i, other in enumerate(others)]
        bins = client.operate(key, reads)[2]
        return [bins[str(i)] for i in range(len(others))]

    return run


def point(lng: float, lat: float) -> dict[str, Any]:
    return {"type": "Point", "coordinates": [lng, lat]}


def test_points_and_regions(inside: Any) -> None:
    assert inside(SQUARE, [POINT, point(0, 0)]) == [True, False]
    assert inside(POINT, [SQUARE, POINT, {"type": "AeroCircle",
                                          "coordinates": [[-122.0, 37.5], 5.0]}]) == [
        True, False, True]
    assert inside(SQUARE, [SQUARE]) == [False]


def test_holes_winding_and_the_date_line(inside: Any) -> None:
    outer = [[-10, -10], [10, -10], [10, 10], [-10, 10], [-10, -10]]
    hole = [[-1, -1], [1, -1], [1, 1], [-1, 1], [-1, -1]]
    points = [point(5, 5), point(0, 0), point(20, 0)]
    for ring in (outer, outer[::-1]):
        assert inside({"type": "Polygon", "coordinates": [ring, hole]}, points) == [
            True, False, False]
    line = {"type": "Polygon", "coordinates": [
        [[170, -10], [-170, -10], [-170, 10], [170, 10], [170, -10]]]}
    assert inside(line, [point(175, 0), point(-175, 0), point(0, 0)]) == [True, True, False]
    both = {"type": "MultiPolygon", "coordinates": [SQUARE["coordinates"], [outer]]}
    assert inside(both, [POINT, point(0, 0), point(50, 50)]) == [True, True, False]


def star(r: Random) -> list[list[float]]:
    """A ring around a place, its corners at random distances."""
    lng, lat, size = r.uniform(-179, 179), r.uniform(-75, 75), r.choice([0.01, 0.5, 5, 12])
    ring = []
    for i in range(count := r.randint(3, 9)):
        angle, away = 2 * math.pi * (i + r.random() * 0.8) / count, size * r.uniform(0.3, 1)
        ring.append([(lng + away * math.cos(angle) + 180) % 360 - 180,
                     lat + away * math.sin(angle)])
    return ring


def test_polygons_are_those_of_s2(inside: Any) -> None:
    """Edges are geodesics: the library that the server uses has the same points inside."""
    s2 = pytest.importorskip("s2geometry")

    def at(lng: float, lat: float) -> Any:
        return s2.S2LatLng.FromDegrees(lat, lng).ToPoint()

    r, seen = Random(5), 0
    for _ in range(60):
        ring = star(r)
        loop = s2.S2Loop()
        loop.Init([at(*place) for place in ring])
        loop.Normalize()
        if not loop.IsValid():
            continue
        places = [[(ring[0][0] + r.uniform(-9, 9) * 10 ** -r.randint(0, 3) + 180) % 360 - 180,
                   max(-90.0, min(90.0, ring[0][1] + r.uniform(-9, 9) * 10 ** -r.randint(0, 3)))]
                  for _ in range(40)]
        places = [p for p in places if loop.GetDistance(at(*p)).degrees() == 0
                  or loop.GetDistance(at(*p)).degrees() > 1e-7]
        found = inside({"type": "Polygon", "coordinates": [[*ring, ring[0]]]},
                       [point(*p) for p in places])
        assert found == [loop.Contains(at(*p)) for p in places], ring
        seen += sum(found)
    assert seen > 100


def test_circles_are_those_of_s2(inside: Any) -> None:
    s2 = pytest.importorskip("s2geometry")
    r = Random(6)
    for _ in range(40):
        lng, lat = r.uniform(-180, 180), r.uniform(-85, 85)
        radius = r.choice([50.0, 5e3, 4e5])
        center = s2.S2LatLng.FromDegrees(lat, lng).ToPoint()
        angle = radius / 6_371_000
        cap = s2.S2Cap.FromCenterHeight(center, 2 * math.sin(angle / 2) ** 2)
        places = []
        for _ in range(40):
            away = math.degrees(angle) * r.choice([0.2, 0.9, 0.999, 1.001, 1.3])
            turn = r.uniform(0, 2 * math.pi)
            places.append([
                (lng + away * math.cos(turn) / math.cos(math.radians(lat)) + 180) % 360 - 180,
                max(-90.0, min(90.0, lat + away * math.sin(turn)))])
        circle = {"type": "AeroCircle", "coordinates": [[lng, lat], radius]}
        assert inside(circle, [point(*p) for p in places]) == [
            cap.Contains(s2.S2LatLng.FromDegrees(b, a).ToPoint()) for a, b in places]
