"""Ballast beside HAProxy and nginx, in one run: bench.py [--runs N] [--seconds N] [ROW...]

CPU microseconds per request of the whole process tree, proxied over loopback. The measured program has one worker on core
0; load (wrk or h2load, 64 connections) and server (nginx) share core 1. Runs alternate between the programs, and medians
are printed with their ratios: absolute times on a shared machine mean little. Peers are configured in peers.py, rows and
their goals are in rows.py.
"""
import argparse
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "net"))
from lab import Lab  # noqa: E402
from measure import OTHERS, certificate, pin  # noqa: E402
from rows import ROWS, Bench  # noqa: E402

BODY = "x" * 48


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("rows", nargs="*", metavar="ROW", help=", ".join(ROWS))
    options = parser.parse_args()
    if set(options.rows) - set(ROWS):
        parser.error(f"there are the rows {', '.join(ROWS)}")
    with Lab("bench") as lab:
        server = lab.nginx("server", BODY)
        (server.folder / "big").write_bytes(os.urandom(1 << 20))
        pin(server.pid, OTHERS)
        bench = Bench(lab, server.address, certificate(lab.folder), options)
        print(f"medians of {options.runs} alternating runs of {options.seconds} s, 64 connections")
        lines = []
        for name in options.rows or ROWS:
            row = ROWS[name]
            is_known = getattr(row, "kind", "http") in bench.peers["Ballast"].ports
            line = row.run(bench) if is_known else None
            if line:
                lines.append(line)
                line.print()
            else:
                print(f"{row.text}: this build cannot serve it")
        goals = [goal for line in lines for goal in line.goals]
        print(f"{sum(value <= limit for _, value, limit in goals)} of {len(goals)} goals met")


if __name__ == "__main__":
    main()
