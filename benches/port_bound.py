#!/usr/bin/env python3
"""How close the kernels' inner loops come to the multiply-add units' limit, in llvm-mca's models of Arm cores.

  benches/port_bound.py build/arm64                       # each kernel's fullest loop
  benches/port_bound.py build/arm64 --all --least 16      # of every function, all template arguments

The loops are those of instructions_per_fma.py, out of the AArch64 objects. A share of 100 % means that a multiply-add of
four lanes begins whenever a unit is free. Models know nothing of caches, and:

- The Cortex-A76 has no model of its own; the Neoverse N1, the same core for servers, has one since LLVM 17.
- On in-order cores (A53, A55) the model lets no instruction finish before an earlier one, so a load or an addition right
  behind a multiply-add waits up to 7 cycles on its A53, whose multiply-add takes 10. The cores themselves do not.
- Its A55 begins two multiply-adds of four lanes per cycle; the core has that only for two lanes. Counted as one here.
"""
import argparse
import pathlib
import re
import shutil
import subprocess

from instructions_per_fma import MULTIPLY_ADDS, disassembled, fullest_range, functions, short_name

# What llvm-mca calls the core: (its name here, multiply-adds of four lanes that can begin in a cycle).
CORES = {"cortex-a72": ("A72", 1), "neoverse-n1": ("A76", 2), "cortex-a53": ("A53", 1), "cortex-a55": ("A55", 1)}
ITERATIONS = 100


def assembly(loop):
    """The loop's instructions as an assembler takes them."""
    lines = ["loop:"]
    for _, mnemonic, operands in loop:
        operands = re.sub(r"(^|[ ,])[0-9a-f]+ <.*", r"\1loop", operands.split("//")[0])
        lines.append(f"{mnemonic} {operands}")
    return "\n".join(lines) + "\n"


def cycles(mca, core, loop):
    """Per iteration, or None where the model does not know an instruction."""
    result = subprocess.run([mca, "-mtriple=aarch64", f"-mcpu={core}", f"-iterations={ITERATIONS}", "-"],
                            input=assembly(loop), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    found = re.search(r"Total Cycles:\s+(\d+)", result.stdout)
    return int(found[1]) / ITERATIONS if found else None


def loops(path, every_function, least):
    """[(function, multiply-adds, loop)], fullest first."""
    found = {}
    for name, body in functions(disassembled(path)):
        count, begin, end = fullest_range(body, MULTIPLY_ADDS["neon"])
        name, arguments = short_name(name)
        key = name + arguments if every_function else name
        if count >= least and count > found.get(key, ("", 0))[1]:
            found[key] = (name + arguments, count, body[begin:end])
    return sorted(found.values(), key=lambda row: -row[1])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=pathlib.Path, help="a build tree for AArch64")
    parser.add_argument("--all", action="store_true", help="every function, not the fullest of each name")
    parser.add_argument("--least", type=int, default=4, help="multiply-adds in a loop that is shown (default: 4)")
    parser.add_argument("--mca", default="llvm-mca-19", help="default: %(default)s")
    args = parser.parse_args()
    objects = sorted(args.build.rglob("kernels/*/neon.cpp.o"))
    if not objects:
        parser.error(f"{args.build}: no objects kernels/<family>/neon.cpp.o below")
    if not shutil.which(args.mca):
        parser.error(f"there is no {args.mca}")
    print("| kernel | loop | multiply-adds | instructions | " + " | ".join(name for name, _ in CORES.values()) + " |")
    print("| --- | --- | --- | --- |" + " --- |" * len(CORES))
    for path in objects:
        for function, count, loop in loops(path, args.all, args.least):
            row = f"| {path.parent.name} | `{function}` | {count} | {len(loop)} |"
            for core, (_, units) in CORES.items():
                needed = cycles(args.mca, core, loop)
                row += f" {min(1, count / units / needed):.0%} |" if needed else " ? |"
            print(row, flush=True)


if __name__ == "__main__":
    main()
