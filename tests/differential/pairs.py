"""Pairs of shapes, and whether one lies in the other: what a real server says.

``AEROSPIKE_HOST=... python tests/differential/pairs.py 240 > tests/server/golden/geo.txt``: on
each line a 0 or 1 and two texts, with tabs between. Half of the points are next to an edge.
"""

from __future__ import annotations

import json
import sys
from random import Random

from model.compare import connect
from model.geo import Place, Shape, draw_place, draw_shape
from run import real_host

from aerospike_py import GeoJSON
from aerospike_py.helpers import expressions as e
from aerospike_py.helpers.operations import expression_operations


def beside(r: Random, region: Shape) -> str:
    """A point near a corner of the region or on its way to the next."""
    a, b = r.choice([*zip(region.rings[0][0].corners, region.rings[0][0].corners[1:],
                          strict=False)])
    part, off = r.random(), 10 ** r.uniform(-9, -3)
    place = [x + part * (y - x) + r.choice([-off, off]) for x, y in zip(a, b, strict=True)]
    return json.dumps({"type": "Point", "coordinates": place})


def draw(r: Random) -> tuple[str, str]:
    near: Place = draw_place(r)
    region = draw_shape(r, near)
    while region.point:
        region = draw_shape(r, near)
    point = draw_shape(r, near)
    while not point.point:
        point = draw_shape(r, near)
    close = region.rings and r.random() < 0.5
    return str(region.text), beside(r, region) if close else str(point.text)


def main() -> int:
    host = real_host()
    if host is None:
        print(__doc__, file=sys.stderr)
        return 2
    client, key, r = connect([host]), ("test", "pairs", 1), Random(7)
    for _ in range(int(sys.argv[1])):
        region, point = draw(r)
        client.put(key, {"g": GeoJSON(region)})
        tree = e.CmpGeo(e.GeoBin("g"), e.Val(GeoJSON(point)))
        found = client.operate(key, [expression_operations.expression_read("in", tree.compile())])
        print(int(found[2]["in"]), region, point, sep="\t")
    client.remove(key)
    return 0


if __name__ == "__main__":
    sys.exit(main())
