"""Bring a machine to where this tree can be built: packages, .venv, build.

``prepare.py deps`` looks for the compiler and the libraries and installs what
is missing through apt, when root or sudo allows; elsewhere it prints the one
line to type.  ``prepare.py build VENV [requirements.txt ...]`` makes the
virtual environment, whose Python imports this tree, installs requirements
that have changed since, and builds the extensions.  ``prepare.py venv
PYTHON`` says which folder that environment is in.

Each step is skipped when it is done: a second run takes a second.  Needs only
the standard library; pip goes where the user's own settings send it.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import buildinfo

ROOT = Path(__file__).resolve().parent.parent

#: The names elsewhere of what buildinfo.LIBRARIES and the compiler need.
ELSEWHERE = {
    "dnf": "sudo dnf install gcc make pkgconf-pkg-config python3-devel libuv-devel "
           "openssl-devel msgpack-devel zlib-devel libxcrypt-devel lua-devel",
    "apk": "sudo apk add build-base pkgconf linux-headers python3-dev libuv-dev openssl-dev "
           "msgpack-c-dev zlib-dev libxcrypt-dev lua5.4-dev",
    "brew": "brew install pkgconf libuv openssl@3 msgpack lua",
}


def say(text: str) -> None:
    print(f"==> {text}", flush=True)


# ---- system packages ----


def python_packages() -> list[str]:
    """What Debian leaves out of Python; another Python brings it along."""
    missing = []
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    prefix = version if Path(f"/usr/bin/{version}").exists() else "python3"
    header = Path(sysconfig.get_paths()["include"]) / "Python.h"
    if not header.exists():
        missing.append(f"{prefix}-dev")
    if importlib.util.find_spec("ensurepip") is None or importlib.util.find_spec("venv") is None:
        missing.append(f"{prefix}-venv")
    return missing


def missing_packages() -> list[str]:
    """Debian's names of what is not there."""
    missing = []
    compiler = os.environ.get("CC", "cc").split()[0]
    if shutil.which(compiler) is None or not Path("/usr/include/stdio.h").exists():
        missing += [] if sys.platform == "darwin" and shutil.which(compiler) else [
            "build-essential"]
    if shutil.which(os.environ.get("PKG_CONFIG", "pkg-config")) is None:
        missing.append("pkg-config")
    return missing + buildinfo.missing() + python_packages()


def as_root() -> list[str] | None:
    """What to put before a command that only root may run; None: not allowed."""
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") is None:
        return None
    quiet = subprocess.run(["sudo", "-n", "true"], check=False, capture_output=True)
    if quiet.returncode == 0 or sys.stdin.isatty():
        return ["sudo"]
    return None


def apt_install(packages: list[str], prefix: list[str]) -> bool:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    through = [*prefix, "env", "DEBIAN_FRONTEND=noninteractive"] if prefix else []
    apt = [*through, "apt-get", "-q", "-y", "-o", "Dpkg::Use-Pty=0"]
    install = [*apt, "install", "--no-install-recommends", *packages]
    for command in ([*apt, "update"], install):
        say(" ".join(command))
        if subprocess.run(command, check=False, env=environment).returncode != 0:
            return False
    return True


def tell_lines(packages: list[str]) -> None:
    print("\nThese are missing: " + " ".join(packages), "\nInstall them with one of:\n",
          f"  apt   sudo apt-get install -y {' '.join(packages)}",
          *[f"  {name:5} {line}" for name, line in ELSEWHERE.items()],
          "\nand run make again.", sep="\n", file=sys.stderr)


def deps() -> int:
    missing = missing_packages()
    if not missing:
        return 0
    say("missing: " + " ".join(missing))
    prefix = as_root() if shutil.which("apt-get") else None
    if prefix is None or not apt_install(missing, prefix):
        tell_lines(missing)
        return 1
    return 0


# ---- the virtual environment ----


def facts(python: str | Path) -> str:
    """The interpreter behind `python`; empty when it does not run."""
    ask = "import sys, sysconfig; print(sys.base_prefix, sys.version.split()[0], " \
          "sysconfig.get_config_var('SOABI'))"
    done = subprocess.run([str(python), "-c", ask], check=False, capture_output=True, text=True)
    return done.stdout.strip() if done.returncode == 0 else ""


def venv_of(python: str) -> str:
    """``.venv``, unless it is there already and is of another Python."""
    mine, there = facts(python), ROOT / ".venv" / "bin" / "python"
    if not there.exists() or facts(there) in ("", mine):
        return ".venv"
    return f".venv-{mine.split()[1]}" + ("t" if "t-" in mine.split()[2] else "")


def make_venv(venv: Path) -> None:
    python = venv / "bin" / "python"
    if python.exists() and facts(python):
        return
    say(f"virtual environment {venv.name} (Python {sys.version.split()[0]})")
    if venv.exists():
        shutil.rmtree(venv)
    subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)


def pip_install(venv: Path, what: str, inputs: list[Path], *args: str) -> None:
    """Run ``pip install`` unless the inputs are those of last time."""
    stamp = venv / f".installed-{what}"
    digest = hashlib.sha256(b"\0".join(p.read_bytes() for p in inputs)).hexdigest()
    if stamp.exists() and stamp.read_text() == digest:
        return
    say(f"pip install: {what}")
    pip = [str(venv / "bin" / "python"), "-m", "pip", "--disable-pip-version-check"]
    subprocess.run([*pip, "install", "-q", *args], check=True, cwd=ROOT)
    stamp.write_text(digest)


def build(venv: Path, requirements: list[str]) -> int:
    make_venv(venv)
    for name in requirements:
        path = ROOT / name
        pip_install(venv, name.replace("/", "-"), [path], "-r", str(path))
    fresh = not list((ROOT / "aerospike_py").glob("_aerospike.*.so"))
    if fresh:
        say("building the extensions (a minute or two, once)")
    python = str(venv / "bin" / "python")
    subprocess.run([python, "setup.py", "-q", "build_ext", "--inplace"], check=True, cwd=ROOT)
    # once here, so that no import compiles where Python may not write
    subprocess.run([python, "-m", "compileall", "-q", "aerospike_py"], check=True, cwd=ROOT)
    pip_install(venv, "this tree", [ROOT / "pyproject.toml", ROOT / "setup.py"],
                "--no-build-isolation", "--no-deps", "-e", str(ROOT))
    return 0


def main(argv: list[str]) -> int:
    what, *rest = argv
    if what == "deps":
        return deps()
    if what == "venv":
        print(venv_of(rest[0]))
        return 0
    if what == "build":
        return build(ROOT / rest[0], rest[1:])
    print(f"unknown step: {what}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except subprocess.CalledProcessError as error:
        print(f"failed: {' '.join(map(str, error.cmd))}", file=sys.stderr)
        sys.exit(1)
