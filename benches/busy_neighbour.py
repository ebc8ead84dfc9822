#!/usr/bin/env python3
"""Latency beside busy neighbours: one process that spins on each processor, pinned, at the same priority.

  benches/busy_neighbour.py --models mobilenetv2_100,squeezenet1_1 --threads 1,2 --rounds 5
  benches/busy_neighbour.py --peer 'ort=python3 time_ort.py {model} {threads}'    # further engines, by the same rule

A command prints one JSON object, or an array of one, that holds "median_ms"; {model} and {threads} are replaced. Every
round runs every command without and then with neighbours, in turn; a figure is the median over the rounds. A time beside
neighbours may at best be twice that without: half of each processor is gone.
"""
import argparse
import json
import multiprocessing
import os
import shlex
import statistics
import subprocess

OWN = "build/release/bin/bench_models --model {model} --threads {threads} --runs 60 --json -"


def spin(cpu, parent):
    os.sched_setaffinity(0, {cpu})
    while os.getppid() == parent:  # ends even if the parent is killed
        for _ in range(100000):
            pass


class Neighbours:
    def __enter__(self):
        self.processes = [multiprocessing.Process(target=spin, args=(cpu, os.getpid()), daemon=True)
                          for cpu in os.sched_getaffinity(0)]
        for process in self.processes:
            process.start()

    def __exit__(self, *_):
        for process in self.processes:
            process.terminate()
            process.join()


def milliseconds(command, model, threads):
    words = shlex.split(command.format(model=model, threads=threads))
    result = json.loads(subprocess.run(words, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout)
    return (result[0] if isinstance(result, list) else result)["median_ms"]


def measure(commands, models, threads, rounds):
    """{(engine, model, threads, beside neighbours): median}"""
    cases = [(engine, model, count) for model in models for engine in commands for count in threads]
    samples = {}
    for _ in range(rounds):
        for case in cases:
            engine, model, count = case
            samples.setdefault(case + (False,), []).append(milliseconds(commands[engine], model, count))
            with Neighbours():
                samples.setdefault(case + (True,), []).append(milliseconds(commands[engine], model, count))
    return {case: statistics.median(times) for case, times in samples.items()}


def print_table(medians):
    print("| network | engine | threads | alone ms | beside neighbours ms | beside / its 1 thread beside |")
    print("| --- | --- | --- | --- | --- | --- |")
    for (engine, model, threads, beside), time in medians.items():
        if not beside:
            continue
        one = medians.get((engine, model, 1, True))
        ratio = "" if one is None else f"**{time / one:.2f}**"
        alone = medians[engine, model, threads, False]
        print(f"| {model} | {engine} | {threads} | {alone:.2f} | {time:.2f} | {ratio} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", default="mobilenetv2_100")
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--own", default=OWN, help="Linnet's command (default: %(default)s)")
    parser.add_argument("--peer", action="append", default=[], metavar="NAME=COMMAND")
    args = parser.parse_args()
    commands = {"Linnet": args.own, **dict(peer.split("=", 1) for peer in args.peer)}
    print_table(measure(commands, args.models.split(","), [int(n) for n in args.threads.split(",")], args.rounds))


if __name__ == "__main__":
    main()
