#!/usr/bin/env python3
"""Runs the programs of Tests/Programs/Crimes/Small under this allocator and others that look for errors.

    Benchmarks/crimes.py [--only NAME,...] [--counts]

Each program does one thing wrong; its twin, built with BENIGN=1, does not. A crime is found when the program ends by an
abort or a fault, or by a sentence and a status that is not 0, and its twin ends with 0. The allocators are glibc, this
one (.build/release, or the folder in PERCOLATE_BUILD) at each level, and what is installed of the others: those of
`programs.py --hardening`, and mimalloc.

Printed are two Markdown tables. The first has a row for each program and a column for each allocator, with what ended
the program. The second has how many of each kind, as hardened=1 calls it, each found. `free_sized` and
`free_aligned_sized` are C23's: an allocator without them has `none` in that cell, and the second table is of the programs
that use neither. With --counts only that one is printed.
"""

from __future__ import annotations

import argparse
import glob
import os
import re
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from programs import Allocator, Failure, hardened_allocators

SOURCES = Path(__file__).resolve().parent.parent / "Tests/Programs/Crimes/Small"
SECONDS = 60


def build(source: Path, folder: Path, benign: bool) -> Path:
    program = folder / f"{source.stem}{'-twin' if benign else ''}"
    compiler = ["c++", "-std=c++20"] if source.suffix == ".cpp" else ["cc"]
    subprocess.run(
        [*compiler, "-w", "-O0", "-pthread", f"-DBENIGN={int(benign)}", "-o", str(program), str(source)], check=True)
    return program


def run(program: Path, allocator: Allocator) -> tuple[str | None, str]:
    """What ended the program, None where it went on to its end, and what it wrote to standard error."""
    environment = {k: v for k, v in os.environ.items() if k not in ("LD_PRELOAD", "PERCOLATE_OPTIONS")}
    try:
        outcome = subprocess.run(
            ["env", *allocator.settings(None), str(program)], env=environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=SECONDS, errors="replace")
    except subprocess.TimeoutExpired:
        return "hang", ""
    # env(1) becomes the program.
    number = -outcome.returncode
    if number in (signal.SIGSEGV, signal.SIGBUS):
        return "fault", outcome.stderr
    if number > 0:
        return "abort", outcome.stderr
    # A status alone may be a byte that the program read.
    return ("status" if outcome.returncode and outcome.stderr else None), outcome.stderr


def has_sized_frees(allocator: Allocator) -> bool:
    """Whether the library itself has C23's functions, which programs find as weak symbols."""
    if "/" not in allocator.library:
        return False
    names = subprocess.run(["nm", "-D", "--defined-only", allocator.library], capture_output=True, text=True, check=True)
    return re.search(r" free_sized(@|$)", names.stdout, re.MULTILINE) is not None


def judge(program: Path, twin: Path, allocator: Allocator) -> str:
    ended, errors = run(twin, allocator)
    if ended is not None or errors:
        return "wrong: the twin fails"
    ended, errors = run(program, allocator)
    if ended is None or ended == "hang":
        return ended or "-"
    own = re.search(r"^percolate: ([a-z ]+): 0x", errors, re.MULTILINE)
    return own.group(1) if own else ended


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", help="programs, separated by commas")
    parser.add_argument("--counts", action="store_true", help="no row for each program")
    arguments = parser.parse_args()
    sources = sorted(source for source in SOURCES.iterdir() if source.suffix in (".c", ".cpp"))
    if arguments.only:
        chosen = set(arguments.only.split(","))
        unknown = chosen - {source.stem for source in sources}
        if unknown:
            raise Failure(f"no program {', '.join(sorted(unknown))} in {SOURCES}")
        sources = [source for source in sources if source.stem in chosen]
    allocators = hardened_allocators()
    mimalloc = sorted(glob.glob("/usr/lib/*/libmimalloc.so.*"))
    if mimalloc:
        allocators["mimalloc"] = Allocator(mimalloc[0])
    sized = {name: has_sized_frees(allocator) for name, allocator in allocators.items()}
    # By kind, then by allocator.
    found: dict[str, dict[str, int]] = {}
    counted: dict[str, int] = {}
    failed: list[str] = []
    if not arguments.counts:
        print("| program | " + " | ".join(allocators) + " |")
        print("|---" * (1 + len(allocators)) + "|")
    with tempfile.TemporaryDirectory(prefix="percolate-crimes-") as folder:
        for source in sources:
            program, twin = (build(source, Path(folder), benign) for benign in (False, True))
            needs_sized = re.search(r"\bfree(_aligned)?_sized\(", source.read_text()) is not None
            cells = {
                name: "none" if needs_sized and not sized[name] else judge(program, twin, allocator)
                for name, allocator in allocators.items()
            }
            failed += [f"{source.stem} under {name}" for name, cell in cells.items() if cell.startswith("wrong: ")]
            if not arguments.counts:
                print(f"| `{source.stem}` | " + " | ".join(cells.values()) + " |", flush=True)
            if needs_sized:
                continue
            kind = cells["hardened=1"]
            counted[kind] = counted.get(kind, 0) + 1
            row = found.setdefault(kind, dict.fromkeys(allocators, 0))
            for name, cell in cells.items():
                row[name] += cell not in ("-", "hang") and not cell.startswith("wrong: ")
    print("\n| kind | programs | " + " | ".join(allocators) + " |")
    print("|---" * (2 + len(allocators)) + "|")
    for kind in sorted(found):
        print(f"| {kind} | {counted[kind]} | " + " | ".join(str(found[kind][name]) for name in allocators) + " |")
    sums = [str(sum(row[name] for row in found.values())) for name in allocators]
    print(f"| all | {sum(counted.values())} | " + " | ".join(sums) + " |")
    if failed:
        sys.exit(f"crimes.py: innocent twins that did not end well: {', '.join(failed)}")


if __name__ == "__main__":
    try:
        main()
    except Failure as failure:
        sys.exit(f"crimes.py: {failure}")
