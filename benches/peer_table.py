#!/usr/bin/env python3
"""A Markdown table from the results of a comparison with other engines.

  peer_table.py PEERS.json [MORE.json]    entries {"model", "threads", "median_ms": {engine: ms}}, "linnet" among the engines
"""
import json
import sys


def rows(paths):
    entries = [entry for path in paths for entry in json.load(open(path))]
    engines = sorted({engine for entry in entries for engine in entry["median_ms"]} - {"linnet"})
    yield ["network", "threads", "Linnet ms"] + [f"{engine} ms" for engine in engines] + ["best other / Linnet"]
    yield ["---"] * (4 + len(engines))
    for entry in entries:
        times = entry["median_ms"]
        others = [f"{times[engine]:.2f}" if engine in times else "" for engine in engines]
        best = min(times[engine] for engine in engines if engine in times) / times["linnet"]
        yield [entry["model"], str(entry["threads"]), f"{times['linnet']:.2f}"] + others + [f"**{best:.2f}**"]


if len(sys.argv) < 2 or sys.argv[1].startswith("-"):
    sys.exit(__doc__.strip())
for row in rows(sys.argv[1:]):
    print("| " + " | ".join(row) + " |")
