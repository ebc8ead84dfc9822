#!/usr/bin/env python3
"""What sending a run to Comet costs the training: runs with and without it in turn, every third request failing.

    comet_cost.py build/release [--pairs 12] [--recipe recipes/fashion_mnist.json] [-- FLAG OF train_cli...]

The stand-in for the service (tests/data/comet) runs on this machine, so leave a processor free: --threads 1 of two. Prints the ratio
of each pair's speeds (images per second that a tenth of the steps exceed: neighbours slow the others down), and their median. Needs
the data of the recipe."""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent


def speed(folder):
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return statistics.quantiles((line["images_per_s"] for line in lines if "images_per_s" in line), n=10)[-1]


def main():
    arguments, flags = sys.argv[1:], []
    if "--" in arguments:
        arguments, flags = arguments[:arguments.index("--")], arguments[arguments.index("--") + 1:]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--pairs", type=int, default=12)
    parser.add_argument("--recipe", default=ROOT / "recipes/fashion_mnist.json")
    options = parser.parse_args(arguments)
    stub = subprocess.Popen([sys.executable, ROOT / "tests/data/comet/stub_server.py", "--strict", "--api-key", "key",
                             "--port", "0"], stdout=subprocess.PIPE, text=True)
    ratios = []
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        try:
            address = f"http://127.0.0.1:{stub.stdout.readline().split()[-1]}"
            rules = json.dumps([{"every": 3, "status": 503}]).encode()
            urllib.request.urlopen(urllib.request.Request(address + "/__stub__/faults", rules, method="POST")).read()
            environment = {**os.environ, "COMET_API_KEY": "key", "COMET_URL_OVERRIDE": address + "/clientlib/"}
            for pair in range(options.pairs):
                speeds = {}
                for mode in (["disabled", "online"] if pair % 2 else ["online", "disabled"]):
                    out = folder / f"{mode}-{pair}"
                    subprocess.run([options.build / "bin/train_cli", "--recipe", options.recipe, "--out", out, "--comet", mode,
                                    "--log_every", "1", *flags], check=True, env=environment, stdout=subprocess.DEVNULL)
                    speeds[mode] = speed(out)
                ratios.append(speeds["online"] / speeds["disabled"])
                print(f"pair {pair + 1}: {speeds['disabled']:.0f} images/s, to Comet {speeds['online']:.0f}, "
                      f"ratio {ratios[-1]:.3f}", flush=True)
        finally:
            stub.kill()
    print(f"median ratio {statistics.median(ratios):.4f}, from {min(ratios):.3f} to {max(ratios):.3f}")


if __name__ == "__main__":
    main()
