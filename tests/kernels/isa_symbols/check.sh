#!/bin/sh
# Fails if a member of a static library that is compiled for one instruction set defines a symbol that other code could
# come to share: the linker keeps one copy of an inline function, and if that is the one compiled for AVX2, the program
# dies on an older CPU.
#
# usage: check.sh NM LIBRARY
set -eu
"$1" -A --defined-only "$2" | awk '
  # "library.a:avx2.cpp.o:0000000000000000 T _ZN6linnet7kernels4avx2..."
  match($0, /:(sse2|avx2|avx512|neon|neon32)\.cpp\.(o|obj):/) {
    isa = substr($0, RSTART + 1); sub(/\..*/, "", isa)
    type = $(NF - 1); name = $NF
    symbols++
    if (type ~ /[a-z]/ && type != "u" && type != "i") next  # local to its member
    members[isa]++
    # Mangled names: nested in linnet::kernels::<isa> or linnet_xsimd_<isa>; guards, tables and lambdas of these too.
    own = "^_Z(GV|GR|TV|TI|TS|TT)?Z*N[VKRO]*(6linnet7kernels" length(isa) isa "|" length("linnet_xsimd_" isa) "linnet_xsimd_" isa ")"
    if (name !~ own) { print "for " isa ", but open to all: " type " " name; wrong++ }
  }
  END {
    if (symbols == 0) { print "no member is compiled for an instruction set"; exit 1 }
    for (isa in members) print isa ": " members[isa] " global symbols"
    exit (wrong > 0)
  }'
