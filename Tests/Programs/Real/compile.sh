#!/bin/bash
# compile.sh quick|long g++|clang: compiles Templates.cpp optimised and with debug information, and runs it. Prints the
# digests of the object files and what the program prints.
. "$(dirname "$0")/common.sh"
compiler=$2
need "$compiler" c++
depth=$(by_size 6 60)

flags=(-std=c++17 -DDEPTH="$depth")
# The folds of the long size are deeper than clang takes by itself.
[[ $compiler != clang* ]] || flags+=(-fbracket-depth=4096)

cp "$sources/Templates.cpp" .
"$compiler" "${flags[@]}" -O2 -c Templates.cpp -o optimised.o
"$compiler" "${flags[@]}" -O0 -g -c Templates.cpp -o debug.o
sha256sum optimised.o debug.o
# clang links with the C++ library that `clang++` would name.
"$compiler" optimised.o -o templates -lstdc++ -lm
./templates
