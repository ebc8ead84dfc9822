#!/usr/bin/env python3
"""Training steps of PyTorch and of bench_training in turn, as a Markdown table.

Forward, cross entropy, backward and SGD with Nesterov momentum on random pictures, float32. PyTorch runs channels_last;
needs torch, torchvision and timm. A figure is the median of the rounds, a ratio the median of the rounds' ratios.

  benches/training_peers.py build/release/bin/bench_training [--threads 2] [--rounds 3] [MODEL:RESOLUTION:BATCH ...]
"""
import argparse
import json
import resource
import statistics
import subprocess
import sys
import time

TYPICAL = ["mobilenetv2_100", "mobilenetv3_small_100", "mobilenetv4_conv_small", "efficientnet_b0", "shufflenet_v2_x1_0",
           "squeezenet1_1"]


def torch_model(name, classes):
    import timm
    import torchvision
    if name.startswith(("shufflenet_v2", "squeezenet")):
        return getattr(torchvision.models, name)(weights=None, num_classes=classes)
    return timm.create_model(name, num_classes=classes)


def serve_torch(case, threads, seconds):
    """One line of JSON for each line on stdin."""
    import torch
    name, resolution, batch = case.split(":")
    resolution, batch = int(resolution), int(batch)
    classes = 1000 if resolution >= 128 else 10
    torch.set_num_threads(threads)
    model = torch_model(name, classes).train().to(memory_format=torch.channels_last)
    optimiser = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, nesterov=True, weight_decay=1e-4)
    pictures = torch.randn(batch, 3, resolution, resolution).to(memory_format=torch.channels_last)
    labels = torch.randint(0, classes, (batch,))

    def step():
        begin = time.perf_counter()
        optimiser.zero_grad(set_to_none=True)
        torch.nn.functional.cross_entropy(model(pictures), labels).backward()
        optimiser.step()
        return time.perf_counter() - begin

    for _ in range(3):
        step()
    for _ in sys.stdin:
        times = [step()]
        while len(times) < 3 or sum(times) < seconds:
            times.append(step())
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps({"images_per_second": batch / statistics.median(times), "peak_mb": peak}), flush=True)


def measure(case, args):
    name, resolution, batch = case.split(":")
    ours = [args.program, "--model", name, "--resolution", resolution, "--batch", batch, "--threads", str(args.threads),
            "--seconds", str(args.seconds), "--json", "-"]
    theirs = subprocess.Popen([sys.executable, __file__, args.program, case, "--serve-torch", "--threads",
                               str(args.threads), "--seconds", str(args.seconds)],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    rounds = []
    for _ in range(args.rounds):
        theirs.stdin.write("go\n")
        theirs.stdin.flush()
        torch = json.loads(theirs.stdout.readline())
        linnet = json.loads(subprocess.run(ours, check=True, capture_output=True, text=True).stdout)
        rounds.append((torch, linnet))
    theirs.stdin.close()
    theirs.wait()
    speed = [statistics.median(r[i]["images_per_second"] for r in rounds) for i in (0, 1)]
    ratio = statistics.median(r[1]["images_per_second"] / r[0]["images_per_second"] for r in rounds)
    memory = [max(r[i]["peak_mb"] for r in rounds) for i in (0, 1)]
    print(f"| {name} | {resolution} px, batch {batch} | {speed[1]:.1f} | {speed[0]:.1f} | **{ratio:.2f}** | "
          f"{memory[1]:.0f} | {memory[0]:.0f} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", help="bench_training")
    parser.add_argument("cases", nargs="*", metavar="MODEL:RESOLUTION:BATCH")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--serve-torch", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.serve_torch:
        serve_torch(args.cases[0], args.threads, args.seconds)
        return
    small = [name for name in TYPICAL if not name.startswith("squeezenet")]  # whose pools leave nothing of 32 px
    cases = args.cases or [f"{n}:224:16" for n in TYPICAL] + [f"{n}:32:128" for n in small]
    print(f"| network | step | Linnet images/s | PyTorch images/s | ratio | Linnet MB | PyTorch MB |\n{'| --- ' * 7}|")
    for case in cases:
        measure(case, args)


if __name__ == "__main__":
    main()
