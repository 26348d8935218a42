"""Writes early-sections.txt anew: the sections of the functions that small programs enter.

    gdb -q -batch -nx -x LD_PRELOAD/early-sections.py

Run it in the package's folder after a release build, when functions were renamed or moved, and
build again. The linker lays these sections together in this order. The kernel maps code in pieces
of 64 KiB, so what runs in every process costs each of them little.
"""

import os
import re
import subprocess

import gdb

LIBRARY = os.path.realpath(".build/release/libpercolate_malloc.so")
PROGRAMS = ["/bin/true", "/bin/echo hello", "/bin/cat /etc/hostname", "/bin/sh -c :", "/bin/ls /"]


def functions():
    """The addresses of the library's functions, each with its names."""
    names = {}
    listed = subprocess.run(["nm", "-n", "--defined-only", LIBRARY], capture_output=True, text=True, check=True)
    for line in listed.stdout.splitlines():
        address, kind, name = line.split(None, 2)
        if kind in "tT":
            names.setdefault(int(address, 16), []).append(name)
    return names


def library_base():
    """Where the library is mapped in the stopped process, or None."""
    with open(f"/proc/{gdb.selected_inferior().pid}/maps") as maps:
        return next((int(line.split("-")[0], 16) for line in maps if LIBRARY in line), None)


def entered(program, names):
    """The addresses of the functions that `program` enters, in the order of their first calls."""
    file, *arguments = program.split()
    gdb.execute(f"file {os.path.realpath(file)}", to_string=True)
    gdb.execute(f"set args {' '.join(arguments)} >/dev/null")
    gdb.execute("set stop-on-solib-events 1")
    gdb.execute("run", to_string=True)
    while (base := library_base()) is None:
        gdb.execute("continue", to_string=True)
    gdb.execute("set stop-on-solib-events 0")
    left = {}
    for address in names:
        left[base + address] = gdb.Breakpoint(f"*{base + address:#x}", internal=True)
    while True:
        gdb.execute("continue", to_string=True)
        if gdb.selected_inferior().pid == 0:
            break
        counter = int(gdb.selected_frame().pc())
        if counter in left:
            left.pop(counter).delete()
            yield counter - base
    for breakpoint in left.values():
        breakpoint.delete()


def pattern(name):
    """A section's pattern: specialisations of a Swift function differ in the end of their names."""
    return ".text." + re.sub(r"(TB?f\w+)?(Tm)?$", "", name) + ("*" if name.startswith("$") else "")


gdb.execute("set confirm off")
gdb.execute("set debuginfod enabled off")
gdb.execute(f"set environment LD_PRELOAD {LIBRARY}")
all_names = functions()
seen = dict.fromkeys(address for program in PROGRAMS for address in entered(program, all_names))
patterns = dict.fromkeys(pattern(name) for address in seen for name in all_names[address])
with open("LD_PRELOAD/early-sections.txt", "w") as file:
    file.writelines(f"{section}\n" for section in patterns)
