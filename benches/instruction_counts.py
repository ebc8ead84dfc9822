#!/usr/bin/env python3
"""Instructions of one inference on Arm, without an Arm machine: counted under QEMU, beside those of ncnn.

  cmake --preset arm64 && cmake --build --preset arm64 --target repeat
  benches/instruction_counts.py build/arm64/bin/repeat [--models squeezenet1_1,...] [--cpu cortex-a76]

One thread, float32, batch 1: (3 runs - 1 run) / 2. Counts say nothing of cache misses, latencies and what begins in the
same cycle; benches/port_bound.py looks at those. Needs qemu-user, and cc for the plugin that counts (insn_count.c of the
shared tools, or --plugin).
"""
import argparse
import os
import pathlib
import re
import subprocess
import tempfile

SHARED = pathlib.Path(os.environ.get("LINNET_SHARED_DIR", pathlib.Path(__file__).resolve().parents[2] / "shared"))

# ncnn 2026-10-20 (its AArch64 wheel), the same networks, sizes and way of counting; qemu -cpu cortex-a72.
# Millions of instructions, and of these SIMD ones. Repeat them with ncnn_counts.sh beside insn_count.c.
NCNN = {
    "mobilenetv1_100": (173.0, 146.1), "mobilenetv2_100": (101.0, 80.2), "mobilenetv3_large_100": (79.2, 60.9),
    "mobilenetv3_small_100": (24.6, 17.5), "mobilenetv4_conv_small": (63.9, 49.5), "efficientnet_b0": (179.5, 146.4),
    "shufflenetv1_g3_100": (52.3, 37.3), "shufflenet_v2_x1_0": (50.7, 38.3), "squeezenet1_0": (161.3, 129.9),
    "squeezenet1_1": (75.7, 59.4), "nasnetamobile": (301.4, 163.1),
}


def built_plugin(source, folder):
    """The shared object of a plugin that may be a C file."""
    if source.suffix != ".c":
        return source.resolve()
    plugin = pathlib.Path(folder) / (source.stem + ".so")
    subprocess.run(["cc", "-O2", "-fPIC", "-shared", "-o", plugin, source], check=True)
    return plugin


def counted(emulator, program, model, runs):
    """[instructions, SIMD instructions, loads and stores] of the program, its start included."""
    result = subprocess.run([*emulator, program, model, str(runs)], check=True, stdout=subprocess.DEVNULL,
                            stderr=subprocess.PIPE, text=True)
    found = re.search(r"instructions: (\d+) simd: (\d+) loads_stores: (\d+)", result.stderr)
    return [int(number) for number in found.groups()]


def per_run(emulator, program, model):
    once, thrice = (counted(emulator, program, model, runs) for runs in (1, 3))
    return [(b - a) / 2e6 for a, b in zip(once, thrice)]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", type=pathlib.Path, help="benches' repeat, built for AArch64")
    parser.add_argument("--models", default=",".join(NCNN), help="default: those that ncnn was counted on")
    parser.add_argument("--cpu", default="cortex-a72", help="QEMU's name of a CPU (default: cortex-a72)")
    parser.add_argument("--plugin", type=pathlib.Path, default=SHARED / "tools/insn_count/insn_count.c",
                        help="source or shared object (default: %(default)s)")
    args = parser.parse_args()
    print("| network | M instructions | SIMD | loads, stores | ncnn's M instructions | SIMD | Linnet / ncnn |")
    print("| --- | --- | --- | --- | --- | --- | --- |", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        plugin = built_plugin(args.plugin, folder)
        emulator = ["qemu-aarch64", "-cpu", args.cpu, "-plugin", plugin, "-d", "plugin"]
        for model in args.models.split(","):
            total, simd, memory = per_run(emulator, args.program, model)
            theirs = NCNN.get(model)
            beside = f"{theirs[0]} | {theirs[1]} | **{total / theirs[0]:.2f}**" if theirs else "| |"
            print(f"| {model} | {total:.1f} | {simd:.1f} | {memory:.1f} | {beside} |", flush=True)


if __name__ == "__main__":
    main()
