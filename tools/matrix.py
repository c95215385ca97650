"""Build and test with every Python there is, each from the packages.

For each interpreter: the sdist is installed in one clean environment, where
the tour runs; the wheel made of it in another, where the tests of the sdist
run without the tree's own package.  ``--full 3.12`` runs all tests there, and
a smoke run elsewhere; by default every interpreter runs all of them.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tarfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WORK = ROOT / "build" / "matrix"
VERSIONS = ("3.10", "3.11", "3.12", "3.13", "3.13t", "3.14", "3.14t")
SMOKE = ("tests/house", "tests/server")


def run(*command: object, cwd: Path = WORK, quiet: bool = True) -> None:
    """Run it; what it says is shown only if it fails."""
    words = [str(word) for word in command]
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}
    done = subprocess.run(words, cwd=cwd, check=False, env=environment, text=True,
                          stdout=subprocess.PIPE if quiet else None,
                          stderr=subprocess.STDOUT if quiet else None)
    if done.returncode != 0:
        raise SystemExit(f"{done.stdout or ''}\nfailed: {' '.join(words)}")


def version_of(python: Path | str) -> str | None:
    """``3.12``, or ``3.13t`` without the interpreter's lock; None: not usable."""
    ask = ("import sys, sysconfig, venv, ensurepip; print('%d.%d' % sys.version_info[:2] + "
           "('t' if sysconfig.get_config_var('Py_GIL_DISABLED') else ''))")
    try:
        done = subprocess.run([str(python), "-c", ask], capture_output=True, text=True, check=False)
    except OSError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def interpreters() -> dict[str, str]:
    """One interpreter of each version: on the path, of pyenv, of uv."""
    home = Path.home()
    places = [shutil.which(f"python{v}") for v in VERSIONS]
    for pattern in (".pyenv/versions/*/bin/python", ".local/share/uv/python/*/bin/python3"):
        places += sorted(map(str, home.glob(pattern)), reverse=True)
    found: dict[str, str] = {}
    for place in [sys.executable, *filter(None, places)]:
        version = version_of(place)
        if version in VERSIONS:
            found.setdefault(str(version), str(place))
    return {v: found[v] for v in VERSIONS if v in found}


def clean_venv(python: str, folder: Path) -> Path:
    if folder.exists():
        shutil.rmtree(folder)
    run(python, "-m", "venv", folder)
    return folder / "bin" / "python"


def make_sdist() -> Path:
    """The sdist, made once, and its tests unpacked without its package."""
    builder = clean_venv(sys.executable, WORK / "builder")
    run(builder, "-m", "pip", "install", "-q", "build")
    run(builder, "-m", "build", "--sdist", "--outdir", WORK, ROOT)
    (sdist,) = WORK.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        if hasattr(tarfile, "data_filter"):
            archive.extractall(WORK, filter="data")
        else:
            archive.extractall(WORK)
    tree = WORK / sdist.name.removesuffix(".tar.gz")
    shutil.rmtree(tree / "aerospike_py")
    tree.rename(WORK / "tree")
    return sdist


def test(version: str, python: str, sdist: Path, full: bool) -> None:
    start = time.monotonic()
    plain = clean_venv(python, WORK / f"{version}-sdist")
    run(plain, "-m", "pip", "install", "-q", sdist)
    run(plain, "-m", "aerospike_py.tour", "--records", "200")
    wheels = WORK / f"{version}-wheels"
    run(plain, "-m", "pip", "wheel", "-q", "--no-deps", "-w", wheels, sdist)
    (wheel,) = wheels.glob("*.whl")
    other = clean_venv(python, WORK / f"{version}-wheel")
    run(other, "-m", "pip", "install", "-q", wheel, "-r", ROOT / "tests" / "requirements.txt")
    which = ["tests"] if full else SMOKE
    run(other.parent / "pytest", "-q", "-p", "no:cacheprovider", *which, cwd=WORK / "tree",
        quiet=False)
    print(f"{version:6} {'all tests' if full else 'smoke run'} passed with {wheel.name}, "
          f"{time.monotonic() - start:.0f} s", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--full", metavar="VERSION", action="append",
                        help="all tests here only (may be repeated)")
    parser.add_argument("--smoke", action="store_true", help="a smoke run everywhere")
    parser.add_argument("--only", metavar="VERSION", action="append",
                        help="no other version (may be repeated)")
    options = parser.parse_args()
    found = interpreters()
    chosen = {v: p for v, p in found.items() if v in (options.only or found)}
    unknown = {*(options.full or ()), *(options.only or ())} - set(found)
    if unknown:
        parser.error(f"not found: {', '.join(sorted(unknown))}; there are {', '.join(found)}")
    print("Python " + ", ".join(f"{v} ({p})" for v, p in chosen.items()), flush=True)
    if WORK.exists():
        shutil.rmtree(WORK)
    WORK.mkdir(parents=True)
    sdist = make_sdist()
    for version, python in chosen.items():
        full = not options.smoke and (options.full is None or version in options.full)
        test(version, python, sdist, full)
    return 0


if __name__ == "__main__":
    sys.exit(main())
