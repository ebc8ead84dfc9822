#!/usr/bin/env python3
"""What `linnet dashboard` takes to show a large record: 1,000 runs of 100,000 points are 3.6 GB and some minutes to write.

    dashboard_load.py build/release --record /tmp/large.db [--runs 1000] [--points 100000]

An existing record is used as it is. Prints the median and the slowest of a few requests as the pages send them."""
import argparse
import json
import os
import pathlib
import re
import statistics
import subprocess
import time
import urllib.request


def timed(address):
    begin = time.perf_counter()
    with urllib.request.urlopen(address) as answer:
        body = answer.read()
    return 1000 * (time.perf_counter() - begin), body


def report(name, address, times):
    samples = [timed(address) for _ in range(times)]
    milliseconds = [sample[0] for sample in samples]
    print(f"{name:42}{statistics.median(milliseconds):9.0f} ms{max(milliseconds):9.0f} ms"
          f"{len(samples[0][1]) / 1024:9.0f} KiB")
    return samples[0][1]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--record", type=pathlib.Path, required=True)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--points", type=int, default=100_000)
    parser.add_argument("--times", type=int, default=7)
    options = parser.parse_args()
    if not options.record.exists():
        subprocess.run([options.build / "bin/fill_record", options.record, str(options.runs), str(options.points)],
                       check=True)
    print(f"{options.record}: {os.path.getsize(options.record) / 2**30:.2f} GiB")
    server = subprocess.Popen([options.build / "bin/linnet", "dashboard", options.record, "--port", "0"],
                              stdout=subprocess.PIPE, text=True)
    try:
        link = re.search(r"http://\S+/", server.stdout.readline()).group(0)
        print(f"{'':42}{'median':>12}{'slowest':>12}{'size':>13}")
        report("the page", link, options.times)
        runs = json.loads(report("table of all runs", link + "api/runs", options.times))["runs"]
        losses = [str(series["id"]) for run in runs[:20] for series in run["series"] if series["label"] == "train/loss"]
        report("one curve", f"{link}api/points?series={losses[0]}&points=800", options.times)
        report("20 curves over each other", f"{link}api/points?series={','.join(losses)}&points=800", options.times)
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    main()
