"""What only type checkers look at."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from typing_extensions import disjoint_base as disjoint_base
else:
    _Class = TypeVar("_Class", bound=type)

    def disjoint_base(cls: _Class) -> _Class:
        """Mark a class that no other of the same mark can be derived from beside it."""
        return cls
