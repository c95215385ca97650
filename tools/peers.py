r"""Other people's clients against the local server.

For each peer a driver script (tests/peers/<peer>.py) runs its calls in the
Python that has the peer's package, and prints what comes of each.  They run
against the local server, with one node and with three; and against the real
server at AEROSPIKE_HOST, if that is set.  What differs is printed, and the
exit status is 1.

Without a real server the results are compared with those it gave when they
were recorded (``--record``), in tests/peers/<peer>.expected.

    PEER_OFFICIAL=/venvs/official/bin/python \
    PEER_RUST=/venvs/rust/bin/python \
        python3 tools/peers.py --without native
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HERE = ROOT / "tests" / "peers"
PEERS = ("official", "rust", "native")
TIMEOUT = 300  # seconds for one driver

Results = dict[str, str]


def python_of(peer: str) -> str | None:
    return os.environ.get(f"PEER_{peer.upper()}")


def drive(peer: str, host: str, port: int) -> Results:
    """What each call of the peer gave, as text."""
    done = subprocess.run(
        [str(python_of(peer)), str(HERE / f"{peer}.py"), host, str(port)],
        cwd=HERE, capture_output=True, text=True, timeout=TIMEOUT, check=False,
        env={**os.environ, "PYTHONPATH": str(HERE), "PYTHONDONTWRITEBYTECODE": "1"})
    results = parsed(done.stdout)
    if done.returncode != 0:
        last = done.stderr.strip().splitlines()[-1:]
        results["(the driver)"] = json.dumps(last)
    return results


def parsed(text: str) -> Results:
    lines = (json.loads(line) for line in text.splitlines())
    return {name: json.dumps(result, sort_keys=True) for name, result in lines}


def expected(peer: str) -> Results:
    return parsed((HERE / f"{peer}.expected").read_text())


def record(peer: str, results: Results) -> None:
    lines = (json.dumps([name, json.loads(result)], sort_keys=True)
             for name, result in results.items())
    (HERE / f"{peer}.expected").write_text("".join(line + "\n" for line in lines))


def differences(got: Results, want: Results) -> list[str]:
    out = []
    for name in dict.fromkeys([*want, *got]):
        if got.get(name) != want.get(name):
            out.append(f"{name}\n      want {want.get(name, 'no such call')}"
                       f"\n      got  {got.get(name, 'no such call')}")
    return out


def report(title: str, got: Results, want: Results) -> bool:
    """Print what differs; whether nothing does."""
    found = differences(got, want)
    print(f"{title}: {len(want)} calls, {len(found)} differ", flush=True)
    for text in found:
        print(f"    {text}")
    return not found


def real_server() -> tuple[str, int] | None:
    text = os.environ.get("AEROSPIKE_HOST")
    if not text:
        return None
    host, _, port = text.partition(":")
    return host, int(port or 3000)


def check(peer: str, want: Results) -> bool:
    sys.path.insert(0, str(ROOT))
    from aerospike_py.server import LocalServer

    good = True
    for nodes in (1, 3):
        with LocalServer(nodes) as server:
            got = drive(peer, *server.hosts[0])
        good &= report(f"{peer}, local server, {nodes} node{'s' * (nodes > 1)}", got, want)
    return good


def options(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="other clients against the local server")
    parser.add_argument("--without", action="append", default=[], choices=PEERS,
                        metavar="PEER", help="do without this peer; may be repeated")
    parser.add_argument("--record", action="store_true",
                        help="keep what the real server at AEROSPIKE_HOST gives")
    return parser.parse_args(argv)


def main(argv: list[str]) -> int:
    chosen = options(argv)
    real = real_server()
    good = True
    for peer in PEERS:
        if peer in chosen.without:
            continue
        if python_of(peer) is None:
            print(f"{peer}: PEER_{peer.upper()} names no Python "
                  f"(or say --without {peer})", file=sys.stderr)
            return 2
        want = drive(peer, *real) if real else expected(peer)
        if chosen.record and real:
            record(peer, want)
        elif real:
            good &= report(f"{peer}, real server", want, expected(peer))
        good &= check(peer, want)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
