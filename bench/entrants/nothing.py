"""Does nothing: what the loops themselves cost, to be taken off when instructions are counted."""

from __future__ import annotations

import workload
from workload import Step


class Nothing(workload.Entrant):
    """No client at all."""

    name = "nothing"

    def version(self) -> str:
        return ""

    def get(self) -> Step:
        return abs

    def put(self) -> Step:
        return abs

    @staticmethod
    def key(number: int) -> int:
        return number if (0, 0, number) else 0  # the tuple is made as others make it


if __name__ == "__main__":
    workload.serve(Nothing)
