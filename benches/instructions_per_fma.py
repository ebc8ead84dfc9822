#!/usr/bin/env python3
"""Instructions per multiply-add in the innermost loops of the kernels, counted in the object code.

  benches/instructions_per_fma.py build/release           # each kernel's fullest loop, for every instruction set
  benches/instructions_per_fma.py build/arm64 --all       # of every function, all template arguments

A loop is what a branch back to an earlier instruction of its function closes; an innermost one holds no other. Of each
function the loop with the most multiply-adds counts. A multiply-add is one vector instruction; SSE2, which has none, is
counted by its multiplications. 1.0 would be nothing but multiply-adds; a loop bound by them loses nothing as long as the
CPU starts the others beside them (Zen 3 and most cores: 4 to 6 instructions and 2 multiply-adds in a cycle, so up to 2).
"""
import argparse
import pathlib
import re
import struct
import subprocess

MULTIPLY_ADDS = {
    "sse2": r"mul[ps]s", "avx2": r"vfn?m(add|sub)\d+[ps]s", "avx512": r"vfn?m(add|sub)\d+[ps]s",
    "neon": r"fml[as]|fmn?(add|sub)", "neon32": r"v(ml|fm)[as]\.f32",
}
# ELF machine -> objdump
OBJDUMPS = {62: "objdump", 183: "aarch64-linux-gnu-objdump", 40: "arm-linux-gnueabihf-objdump"}
BRANCH = re.compile(r"(j[a-z]+|b(\.?[a-z]{2})?(\.[nw])?|cbn?z|tbn?z)$")
NOT_BRANCHES = {"bl", "bx"}


def functions(disassembly):
    """(name, [(address, mnemonic, operands)]) of `objdump -d --no-show-raw-insn`."""
    name, body = None, []
    for line in disassembly.splitlines():
        header = re.match(r"[0-9a-f]+ <(.*)>:$", line)
        instruction = re.match(r"\s*([0-9a-f]+):\t(\S+)\s*(.*)", line)
        if header:
            if body:
                yield name, body
            name, body = header[1], []
        elif instruction and name:
            body.append((int(instruction[1], 16), instruction[2], instruction[3]))
    if body:
        yield name, body


def innermost_loops(body):
    """Half-open ranges of positions in `body`."""
    places = {address: place for place, (address, _, _) in enumerate(body)}
    loops = set()
    for place, (_, mnemonic, operands) in enumerate(body):
        target = re.search(r"(?:^|[ ,])([0-9a-f]+) <", operands)
        if not BRANCH.match(mnemonic) or mnemonic in NOT_BRANCHES or not target:
            continue
        start = places.get(int(target[1], 16))
        if start is not None and start <= place:
            loops.add((start, place + 1))
    return [loop for loop in loops
            if not any(other != loop and loop[0] <= other[0] and other[1] <= loop[1] for other in loops)]


def fullest_range(body, multiply_add):
    """(multiply-adds, begin, end) of the innermost loop with the most of them, of several the shortest."""
    best = (0, 0, 0)
    for begin, end in innermost_loops(body):
        count = sum(1 for _, mnemonic, _ in body[begin:end] if re.fullmatch(multiply_add, mnemonic))
        best = max(best, (count, begin, end), key=lambda loop: (loop[0], loop[1] - loop[2]))
    return best


def short_name(demangled):
    """("run_tiles", "<6, 2>"): the first function that the name names, and its template arguments."""
    text = re.sub(r"\(linnet::Activation\)", "activation ", demangled)
    text = re.sub(r"\(linnet::kernels::\w+::(\w+)\)(?=\d)", r"\1 ", text)
    text = re.sub(r"linnet(_xsimd_\w+)?::|kernels::|\(anonymous namespace\)::|\b(sse2|avx2|avx512|neon|neon32)::", "", text)
    found = re.search(r"(\w+)(<[^(]*>)?\(", text)
    if not found:
        return text, ""
    return found[1], re.sub(r"(\d)l\b", r"\1", found[2] or "")


def objdump_of(path):
    return OBJDUMPS[struct.unpack("<H", path.read_bytes()[18:20])[0]]


def disassembled(path, objdump=None):
    command = [objdump or objdump_of(path), "-d", "-C", "--no-show-raw-insn", str(path)]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def measure(path, isa, objdump, every_function):
    """[(function, multiply-adds, instructions)], fullest first."""
    found = {}
    for name, body in functions(disassembled(path, objdump)):
        count, begin, end = fullest_range(body, MULTIPLY_ADDS[isa])
        name, arguments = short_name(name)
        key = name + arguments if every_function else name
        if count > found.get(key, ("", 0))[1]:
            found[key] = (name + arguments, count, end - begin)
    return sorted(found.values(), key=lambda row: -row[1])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=pathlib.Path, help="a build tree, or a folder of objects <family>/<isa>.cpp.o")
    parser.add_argument("--all", action="store_true", help="every function, not the fullest of each name")
    parser.add_argument("--least", type=int, default=4, help="multiply-adds in a loop that is shown (default: 4)")
    parser.add_argument("--objdump", help="for objects of another architecture (default: by the object's)")
    args = parser.parse_args()
    objects = sorted((isa, path) for isa in MULTIPLY_ADDS for path in args.build.rglob(f"kernels/*/{isa}.cpp.o"))
    if not objects:
        parser.error(f"{args.build}: no objects kernels/<family>/<isa>.cpp.o below")
    print("| instruction set | kernel | loop | multiply-adds | instructions | per multiply-add |")
    print("| --- | --- | --- | --- | --- | --- |")
    for isa, path in objects:
        for function, count, instructions in measure(path, isa, args.objdump, args.all):
            if count >= args.least:
                print(f"| {isa} | {path.parent.name} | `{function}` | {count} | {instructions} | {instructions / count:.2f} |")


if __name__ == "__main__":
    main()
