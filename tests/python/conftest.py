"""What the Python tests share.

One text runs on both clients: a test that takes ``client`` runs twice, on a ``Client`` and on an
``AsyncClient`` that is called the same way (``support/blocking.py`` runs each of its awaitables on
a loop).  Fixtures:

======================  ===========================================================================
``kind``                "sync" or "async": what ``client`` and ``make_client`` give in this run;
                        or "coalesced": an AsyncClient whose reads travel as rows of a batch
``client``              connected, shared by the session: do not close it
``make_client``         ``make_client(hosts=..., connect=True, **config)``: a client of this
                        ``kind`` with a configuration of its own, closed after the test
``strict``              connected client of the strict face (``aerospike_py.official``)
``make_strict``         ``make_strict(**config)``: another one
``face``                runs a test three times: on both clients and on the strict face
``aclient``             a connected AsyncClient as it is, for ``async def`` tests
``hosts``               the seeds of the server under test
``server``              the LocalServer under test, its faults cleared before and after; a test
                        that takes it is ``local_only``
``cluster``             a LocalServer of three nodes, all up, empty of faults; not the server
                        under test
``namespace``           "test"
``key``                 a fresh key; the record is removed after the test
``new_key``             ``new_key()``, ``new_key(user_key)``: more of them
``set_name``            the name of an empty set of this test; truncated after it
======================  ===========================================================================

``AEROSPIKE_HOST=host[:port]`` (else ``AEROSPIKE_PORT``, else 3000) names a real server to run
against; it must have the namespace ``test``.  Marks:

``local_only``          uses the control lines of the local server; skipped on a real one
``needs_enterprise``    runs on a local server of that edition; on a real one only if it is of it
``needs_ttl``           writes times to live; skipped where ``nsup-period`` is 0

Async tests need no mark.  A test may take 60 seconds (``@pytest.mark.timeout`` for another limit),
and any warning that it does not expect is an error.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import time
import uuid
import zlib
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
import pytest_asyncio
from blocking import Blocking, Together

import aerospike_py
from aerospike_py import official
from aerospike_py.exception import AerospikeError, RecordNotFound
from aerospike_py.server import LocalServer, ServerError

REAL = os.environ.get("AEROSPIKE_HOST")
Key = tuple[Any, ...]


def real_hosts() -> list[tuple[str, int]]:
    """The server that the environment names."""
    assert REAL
    port = os.environ.get("AEROSPIKE_PORT", "3000")
    host, colon, own = REAL.rpartition(":")
    if REAL.startswith("[") and not REAL.endswith("]"):
        return [(host.strip("[]"), int(own))]
    if colon and ":" not in host:
        return [(host, int(own))]
    return [(REAL.strip("[]"), int(port))]


# ---- the servers ----


@pytest.fixture(scope="session")
def community() -> Iterator[LocalServer]:
    with LocalServer() as server:
        yield server


@pytest.fixture(scope="session")
def enterprise() -> Iterator[LocalServer]:
    with LocalServer(edition="enterprise") as server:
        yield server


@pytest.fixture(scope="session")
def real_facts() -> dict[str, str]:
    """What a real server says of itself: its edition and its sweep of expired records."""
    with aerospike_py.client({"hosts": real_hosts()}).connect() as asker:
        config = asker.info_random_node("get-config:context=namespace;namespace=test")
        facts = dict(item.split("=", 1) for item in config.strip().split(";") if "=" in item)
        facts["edition"] = asker.info_random_node("edition").strip()
        return facts


@pytest.fixture(autouse=True)
def fit_for_the_server(request: pytest.FixtureRequest) -> None:
    """Skip what the server under test cannot do."""
    if not REAL:
        return
    marks = {mark.name for mark in request.node.iter_markers()}
    if "local_only" in marks or "server" in request.fixturenames:
        pytest.skip("uses the control lines of the local server")
    if "needs_enterprise" in marks:
        facts = request.getfixturevalue("real_facts")
        if "Enterprise" not in facts["edition"]:
            pytest.skip(f"the server is of the {facts['edition']}")
    if "needs_ttl" in marks and request.getfixturevalue("real_facts")["nsup-period"] == "0":
        pytest.skip("the server refuses times to live: nsup-period is 0")


@pytest.fixture
def local(request: pytest.FixtureRequest) -> LocalServer | None:
    """The local server under test, if it is one."""
    if REAL:
        return None
    needs = request.node.get_closest_marker("needs_enterprise")
    return request.getfixturevalue("enterprise" if needs else "community")


@pytest.fixture
def server(local: LocalServer) -> Iterator[LocalServer]:
    local.clear_faults()
    yield local
    local.clear_faults()


@pytest.fixture
def hosts(local: LocalServer | None) -> list[tuple[str, int]]:
    return local.hosts if local else real_hosts()


@pytest.fixture(scope="session")
def three_nodes() -> Iterator[LocalServer]:
    with LocalServer(nodes=3) as server:
        yield server


@pytest.fixture
def cluster(three_nodes: LocalServer) -> Iterator[LocalServer]:
    yield three_nodes
    three_nodes.clear_faults()
    for node in range(3):
        with suppress(ServerError):  # it is up
            three_nodes.node_up(node)


# ---- the clients ----


@pytest.fixture(scope="session")
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    """The loop that blocking calls of asynchronous clients run on."""
    made = asyncio.new_event_loop()
    yield made
    made.close()


#: Files about reading records: they run with coalesced reads as well.
READS = {"test_append", "test_errors", "test_fixtures", "test_keys",
         "test_operate", "test_put_get", "test_remove", "test_values"}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Both clients; and coalesced reads, unless faults are to strike requests of one class."""
    own = [mark.args[0] for mark in metafunc.definition.iter_markers("parametrize")]
    if "kind" not in metafunc.fixturenames or any("kind" in str(names) for names in own):
        return
    kinds = ["sync", "async"]
    if (metafunc.module.__name__.rpartition(".")[2] in READS
            and "client" in metafunc.fixturenames and "server" not in metafunc.fixturenames):
        kinds.append("coalesced")
    metafunc.parametrize("kind", kinds, indirect=True)


@pytest.fixture
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


Maker = Callable[..., Any]


@pytest.fixture(scope="session")
def clients(loop: asyncio.AbstractEventLoop) -> Iterator[Maker]:
    """One connected client of each kind for each server, made when it is first needed."""
    made: dict[tuple[str, str], Any] = {}

    def get(kind: str, hosts: list[tuple[str, int]]) -> Any:
        at = kind, repr(hosts)
        if at not in made:
            made[at] = make(kind, {"hosts": hosts}, loop)
            made[at].connect()
        return made[at]

    yield get
    for each in made.values():
        each.close()


def make(kind: str, config: dict[str, Any], loop: asyncio.AbstractEventLoop | None) -> Any:
    if not {"connect_timeout", "timeout", "config_provider"} & config.keys():
        config = {**config, "connect_timeout": 20_000}  # passwords are slow on slow machines
    if kind == "strict":
        return official.client(config)
    if kind == "coalesced":
        return Together(aerospike_py.AsyncClient({**config, "coalesce_reads": True}), loop)
    if kind == "async":
        return Blocking(aerospike_py.AsyncClient(config), loop)
    return aerospike_py.client(config)


@pytest.fixture
def client(kind: str, clients: Maker, hosts: list[tuple[str, int]]) -> Any:
    return clients(kind, hosts)


@pytest.fixture
def strict(clients: Maker, hosts: list[tuple[str, int]]) -> Any:
    return clients("strict", hosts)


@pytest.fixture(params=["sync", "async", "strict"])
def face(request: pytest.FixtureRequest, clients: Maker, hosts: list[tuple[str, int]]) -> Any:
    return clients(request.param, hosts)


@pytest.fixture
def make_client(kind: str, hosts: list[tuple[str, int]],
                loop: asyncio.AbstractEventLoop) -> Iterator[Maker]:
    made: list[Any] = []
    seeds = hosts

    def build(hosts: Any = None, connect: bool = True, **config: Any) -> Any:
        one = make(kind, {"hosts": seeds if hosts is None else hosts, **config}, loop)
        made.append(one)
        if connect:
            one.connect()
        return one

    yield build
    for one in made:
        one.close()


@pytest.fixture
def make_strict(hosts: list[tuple[str, int]]) -> Iterator[Maker]:
    made: list[Any] = []
    seeds = hosts

    def build(hosts: Any = None, **config: Any) -> Any:
        made.append(make("strict", {"hosts": seeds if hosts is None else hosts, **config}, None))
        return made[-1]

    yield build
    for one in made:
        one.close()


@pytest_asyncio.fixture
async def aclient(hosts: list[tuple[str, int]]) -> AsyncIterator[aerospike_py.AsyncClient]:
    one = aerospike_py.AsyncClient({"hosts": hosts})
    await one.connect()
    yield one
    await one.close()


# ---- keys and sets ----


@pytest.fixture
def namespace() -> str:
    return "test"


@pytest.fixture
def new_key(clients: Maker, hosts: list[tuple[str, int]]) -> Iterator[Callable[..., Key]]:
    made: list[Key] = []
    count = itertools.count()
    token = uuid.uuid4().hex[:12]

    def build(user_key: Any = None, set_name: str | None = "keys") -> Key:
        one = ("test", set_name, f"{token}-{next(count)}" if user_key is None else user_key)
        made.append(one)
        return one

    yield build
    cleaner = clients("sync", hosts)
    for one in made:
        with suppress(RecordNotFound):
            cleaner.remove(one)


@pytest.fixture
def key(new_key: Callable[..., Key]) -> Key:
    return new_key()


@pytest.fixture
def set_name(request: pytest.FixtureRequest, clients: Maker,
             hosts: list[tuple[str, int]]) -> Iterator[str]:
    # A server keeps every name of a set it has seen, and has room for 4,095: the names are
    # the same in each run.  Runs side by side against one server rarely share them.
    text = f"{request.node.path.stem}.{request.node.originalname}"
    name = f"t{zlib.crc32(text.encode()):08x}{os.getpid() % 4}"
    cleaner = clients("sync", hosts)
    truncate = f"truncate:namespace=test;set={name}"
    cleaner.info_all(truncate)
    time.sleep(0.005)  # records of the millisecond of the truncation are gone, too
    yield name
    with suppress(AerospikeError):
        cleaner.info_all(truncate)
