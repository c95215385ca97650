from typing import final

@final
class Server:
    def stop(self) -> None: ...
    def abandon(self) -> None: ...
    def control(self, line: str, /) -> str: ...
    def ports(self) -> tuple[int, ...]: ...
    def tls_ports(self) -> tuple[int, ...]: ...

def start(
    *,
    host: str | None,
    access_host: str | None,
    port: int,
    tls_port: int,
    nodes: int,
    namespaces: tuple[str, ...],
    default_ttl: int,
    replication_factor: int,
    cluster_name: str | None,
    enterprise: bool,
    security: bool,
    control: bool,
    verbose: bool,
    users: tuple[tuple[str, str, tuple[str, ...]], ...],
    session_ttl: int,
    tls_certfile: str | None,
    tls_keyfile: str | None,
    tls_cafile: str | None,
    tls_name: str | None,
    racks: tuple[int, ...],
    lua_library: str | None,
    consistent: tuple[str, ...],
) -> Server: ...
