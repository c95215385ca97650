"""Interpreters of the peers: named ones, or virtual environments made on the way."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache" / "bench"

#: What is installed for each, in the versions that the figures speak of.
PACKAGES = {
    "official": ["aerospike==19.3.0"],
    "rust": ["aerospike-py==0.14.4"],
    "native": ["aerospike_native==1.0.0"],
}
COMMON = ["numpy>=2", "uvloop"]


class NoPeer(Exception):
    """A peer cannot be run; the text says why and what to do."""


def interpreter(name: str) -> str:
    """The Python that has the peer's package; environments are made at first use."""
    given = os.environ.get(f"BENCH_{name.upper()}")
    if given:
        if not os.access(given, os.X_OK):
            raise NoPeer(f"BENCH_{name.upper()}: {given} cannot be run")
        return given
    python = CACHE / name / "bin" / "python"
    if not (CACHE / name / "complete").exists():
        make(name, python)
    return str(python)


def make(name: str, python: Path) -> None:
    print(f"making an environment for {name} in {CACHE / name}", file=sys.stderr)
    try:
        subprocess.run([sys.executable, "-m", "venv", str(CACHE / name)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", "--only-binary", ":all:",
                        *PACKAGES[name], *COMMON], check=True)
    except subprocess.CalledProcessError as error:
        raise NoPeer(f"{name} cannot be installed ({error}); name an interpreter that has it in "
                     f"BENCH_{name.upper()}, or leave it out: --without {name}") from error
    (CACHE / name / "complete").touch()
