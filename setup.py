"""Build of the extensions; everything else is in pyproject.toml.

Objects are compiled once, in parallel, and again only when a file they depend
on has changed; the rooms `base`, `wire` and `net` are linked into both the
client and the server.  Flags and sources come from tools/buildinfo.py.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import sysconfig
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.errors import CompileError

ROOT = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT / "tools"))
import buildinfo  # noqa: E402

#: Objects of one interpreter; those of a variant are in a folder of their own.
OBJECTS = Path("build") / f"objects-{sysconfig.get_config_var('SOABI')}"


class IncrementalBuild(build_ext):
    """`build_ext` that keeps object files while their dependencies stand."""

    def build_extension(self, ext: Extension) -> None:
        objects = self._compile_all(ext)
        target = self.get_ext_fullpath(ext.name)
        newest = max(os.path.getmtime(o) for o in objects)
        note = OBJECTS / (hashlib.sha256(target.encode()).hexdigest()[:16] + ".linked")
        linked = " ".join([target, *objects, *ext.extra_link_args])
        if (os.path.exists(target) and os.path.getmtime(target) >= newest
                and note.exists() and note.read_text() == linked):
            return
        self.compiler.link_shared_object(
            objects, target, extra_postargs=ext.extra_link_args,
            build_temp=self.build_temp, target_lang="c")
        note.write_text(linked)

    def _compile_all(self, ext: Extension) -> list[str]:
        temp = OBJECTS / buildinfo.variant()
        jobs = []
        objects = []
        for source in ext.sources:
            obj = temp / Path(source).with_suffix(".o")
            objects.append(str(obj))
            command = self._command(ext, source, obj)
            if self._stale(obj, source, command):
                jobs.append((command, obj))
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(lambda job: self._compile(*job), jobs))
        return objects

    def _command(self, ext: Extension, source: str, obj: Path) -> list[str]:
        includes = [f"-I{d}" for d in (*ext.include_dirs, *self.compiler.include_dirs)]
        return [*self.compiler.compiler_so, *ext.extra_compile_args, *includes,
                "-MMD", "-MF", str(obj.with_suffix(".d")),
                "-c", source, "-o", str(obj)]

    def _compile(self, command: list[str], obj: Path) -> None:
        obj.parent.mkdir(parents=True, exist_ok=True)
        if subprocess.run(command, check=False).returncode != 0:
            raise CompileError(f"{obj.stem}.c did not compile")
        obj.with_suffix(".flags").write_text(" ".join(command))

    def _stale(self, obj: Path, source: str, command: list[str]) -> bool:
        deps, flags = obj.with_suffix(".d"), obj.with_suffix(".flags")
        if not obj.exists() or not deps.exists() or not flags.exists():
            return True
        if flags.read_text() != " ".join(command):
            return True
        made = obj.stat().st_mtime
        text = deps.read_text().replace("\\\n", " ").split(":", 1)[1]
        for name in [source, *text.split()]:
            path = Path(name)
            if not path.exists() or path.stat().st_mtime > made:
                return True
        return False


def extension(name: str, sources: list[str], libraries: tuple[str, ...],
              **more: object) -> Extension:
    link = [*buildinfo.ldflags(), *buildinfo.libs(*libraries)]
    if sys.platform.startswith("linux"):
        link.append("-Wl,--exclude-libs,ALL")
    return Extension(name, sources, extra_compile_args=buildinfo.cflags(),
                     extra_link_args=link, **more)


def python_sources(*names: str) -> list[str]:
    return [f"src/python/{name}.c" for name in names]


SERVER_GLUE = {"src/python/server_module.c"}
LUA_GLUE = {"src/python/lua_module.c"}


def server_extension() -> list[Extension]:
    sources = buildinfo.sources(buildinfo.CORE + buildinfo.SERVER) + sorted(SERVER_GLUE)
    if not (ROOT / "src/python/server_module.c").exists():
        return []
    return [extension("aerospike_py._server", sources, buildinfo.SERVER_LIBS)]


def lua_extension() -> Extension:
    """Of its own, so that only who runs a script loads Lua."""
    sources = buildinfo.sources(buildinfo.LUA) + sorted(LUA_GLUE)
    return extension("aerospike_py._lua", sources, buildinfo.LUA_LIBS)


def extensions() -> list[Extension]:
    glue = [s for s in buildinfo.sources(("python",))
            if s not in SERVER_GLUE | LUA_GLUE]
    found = [
        extension("aerospike_py._aerospike",
                  buildinfo.sources(buildinfo.CORE + buildinfo.CLIENT) + glue,
                  buildinfo.CLIENT_LIBS),
        *server_extension(),
        lua_extension(),
    ]
    return found


setup(ext_modules=extensions(), cmdclass={"build_ext": IncrementalBuild})
