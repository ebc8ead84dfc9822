#!/usr/bin/env python3
"""A Markdown table from the results of a comparison with other engines.

  peer_table.py PEERS.json [MORE.json]    entries {"model", "threads", "median_ms": {engine: ms}}, "linnet" among the engines;
                                          with "best_ms" the table has the ratio of the quietest rounds, too
"""
import json
import sys


def ratio(times):
    return min(time for engine, time in times.items() if engine != "linnet") / times["linnet"]


def rows(paths):
    entries = [entry for path in paths for entry in json.load(open(path))]
    engines = sorted({engine for entry in entries for engine in entry["median_ms"]} - {"linnet"})
    with_best = all("best_ms" in entry for entry in entries)
    head = ["network", "threads", "Linnet ms"] + [f"{engine} ms" for engine in engines] + ["best other / Linnet"]
    head += ["quietest"] * with_best
    yield head
    yield ["---"] * len(head)
    for entry in entries:
        times = entry["median_ms"]
        others = [f"{times[engine]:.2f}" if engine in times else "" for engine in engines]
        ratios = [f"**{ratio(times):.2f}**"] + ([f"{ratio(entry['best_ms']):.2f}"] if with_best else [])
        yield [entry["model"], str(entry["threads"]), f"{times['linnet']:.2f}"] + others + ratios


if len(sys.argv) < 2 or sys.argv[1].startswith("-"):
    sys.exit(__doc__.strip())
for row in rows(sys.argv[1:]):
    print("| " + " | ".join(row) + " |")
