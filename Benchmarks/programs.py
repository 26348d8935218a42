#!/usr/bin/env python3
"""Compares allocators on the real programs of Tests/Programs/Real.

    Benchmarks/programs.py [--runs N] [--peaks N] [--size quick|long] [--only NAME,...] [--json FILE]
                           [--hardening] [NAME=LIBRARY[:VARIABLE=VALUE]... ...]

The allocators are glibc, jemalloc, percolate (.build/release, or the folder in PERCOLATE_BUILD) and each NAME=LIBRARY,
with the variables in its environment. With --hardening they are glibc, percolate by default, with hardened=basic and
hardened=1, and what is installed of the others that look for errors: MALLOC_CHECK_=3 (libc_malloc_debug), scudo,
jemalloc with junk:true. One table then has the ratios to glibc of all. Where an allocator that is not Percolate fails a
program, its cell says so.

Every round runs a workload once under each of them, in an order that changes from round to round, so that what the
machine does meanwhile falls on all of them. Ratios are taken within a round; the table shows their median and, in
brackets, the lowest and the highest.

  time    wall clock of the whole workload, with the shell that drives it
  CPU     user and system time of all its processes
  peak    VmHWM of the largest address space, read at its end
  sum     VmHWM of all address spaces together, although they did not all live at the same time

Peaks come from rounds of their own, under ptrace, which costs time. In those rounds Percolate's statistics are on, and a
workload that Percolate did not serve is an error; so is output that differs between allocators.

glibc is preloaded like the others, because Debian's redis-server is linked with jemalloc.
"""

from __future__ import annotations

import argparse
import glob
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WORKLOADS = ROOT / "Tests/Programs/Real"

PROGRAMS: dict[str, tuple[str, ...]] = {
    "python": ("python",),
    "redis": ("redis",),
    "postgres": ("postgres",),
    "git": ("git",),
    "g++": ("compile", "g++"),
    "clang": ("compile", "clang"),
    "sqlite": ("sqlite",),
    "perl": ("perl",),
    "node": ("node",),
    "java": ("java",),
    "swift": ("swift",),
}
REFERENCES = ("glibc", "jemalloc")


@dataclass(frozen=True)
class Allocator:
    """A library that is preloaded, and the variables that it reads."""

    library: str
    variables: tuple[str, ...] = ()

    @property
    def is_percolate(self) -> bool:
        return Path(self.library).name == "libpercolate_malloc.so"

    def settings(self, options: str | None) -> list[str]:
        """Assignments for env(1), with `options` of Percolate in addition."""
        name = "PERCOLATE_OPTIONS="
        own = [v.removeprefix(name) for v in self.variables if v.startswith(name)] + ([options] if options else [])
        others = [v for v in self.variables if not v.startswith(name)]
        return [f"LD_PRELOAD={self.library}", *others, *([name + ",".join(own)] if own else [])]


class Failure(Exception):
    """A run that cannot be counted; the message says which and why."""


@dataclass
class Samples:
    """What one workload gave under one allocator, one value per round."""

    time: list[float] = field(default_factory=list)  # seconds
    cpu: list[float] = field(default_factory=list)  # seconds
    peak: list[float] = field(default_factory=list)  # KiB
    sum: list[float] = field(default_factory=list)  # KiB


class Runner:
    """Runs workloads in an empty folder that always has the same path."""

    def __init__(self, folder: Path, size: str) -> None:
        self.folder = folder
        self.size = size
        folder.chmod(0o755)
        self.peak_tool = folder / "tree_peak"
        subprocess.run(["cc", "-O1", "-o", self.peak_tool, WORKLOADS / "tree_peak.c"], check=True)
        self.expected: dict[str, bytes] = {}

    def shared(self, library: str) -> str:
        """A copy that every user can read: PostgreSQL's processes are not root's."""
        if "/" not in library:
            return library
        copy = self.folder / Path(library).name
        shutil.copyfile(library, copy)
        copy.chmod(0o755)
        return str(copy)

    def run(
        self, program: str, allocator: Allocator, prefix: list[str], options: str | None = None
    ) -> tuple[float, float]:
        """Runs one workload; its wall clock and CPU seconds."""
        work = self.folder / "work"
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(mode=0o755)
        script, *arguments = PROGRAMS[program]
        # The preload must not reach the tracer, only the workload.
        command = prefix + ["env", *allocator.settings(options), "bash", str(WORKLOADS / f"{script}.sh"), self.size, *arguments]
        environment = {k: v for k, v in os.environ.items() if k not in ("LD_PRELOAD", "PERCOLATE_OPTIONS")}
        with open(self.folder / "output", "w+b") as output, open(self.folder / "errors", "w+b") as errors:
            start = time.monotonic()
            process = subprocess.Popen(
                command, cwd=work, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=errors)
            _, status, usage = os.wait4(process.pid, 0)
            wall = time.monotonic() - start
            process.returncode = os.waitstatus_to_exitcode(status)
            output.seek(0)
            errors.seek(0)
            text, complaint = output.read(), errors.read()
        if process.returncode != 0:
            raise Failure(
                f"{program} under {allocator.library} ended with {process.returncode}: {complaint.decode(errors='replace')[-2000:]}")
        if self.expected.setdefault(program, text) != text:
            raise Failure(f"{program} under {allocator.library} gave another result than under {next(iter(REFERENCES))}")
        return wall, usage.ru_utime + usage.ru_stime

    def peaks(self, program: str, allocator: Allocator) -> tuple[int, int]:
        """The largest peak resident size of one workload's processes, and their sum, in KiB."""
        report = self.folder / "peaks"
        left = self.folder / "statistics"
        shutil.rmtree(left, ignore_errors=True)
        left.mkdir()
        left.chmod(0o1777)
        options = f"stats={left}/process" if allocator.is_percolate else None
        self.run(program, allocator, [str(self.peak_tool), "-o", str(report)], options)
        if options and not any(served_blocks(file) > 0 for file in left.iterdir()):
            raise Failure(f"{program}: no statistics say that {allocator.library} served it")
        values = [int(line.split(" ", 1)[0]) for line in report.read_text().splitlines()]
        return max(values), sum(values)


def served_blocks(file: Path) -> int:
    for line in file.read_text().splitlines():
        name, _, value = line.partition(" ")
        if name == "served_blocks":
            return int(value)
    return 0


def measure(
    runner: Runner, program: str, allocators: dict[str, Allocator], runs: int, peaks: int, may_fail: bool
) -> dict[str, Samples]:
    """With `may_fail`, an allocator that is neither Percolate nor the reference has no samples of what it fails."""
    samples = {name: Samples() for name in allocators}
    names = list(allocators)
    for round_number in range(runs + peaks):
        shift = round_number % len(names)
        order = names[shift:] + names[:shift] if round_number > 0 else names
        for name in [name for name in order if name in samples]:
            try:
                if round_number < runs:
                    wall, cpu = runner.run(program, allocators[name], [])
                    samples[name].time.append(wall)
                    samples[name].cpu.append(cpu)
                else:
                    peak, total = runner.peaks(program, allocators[name])
                    samples[name].peak.append(peak)
                    samples[name].sum.append(total)
            except Failure as failure:
                if not may_fail or allocators[name].is_percolate or name in REFERENCES:
                    raise
                print(f"programs.py: {failure}", file=sys.stderr)
                del samples[name]
        print(f"{program}: round {round_number + 1} of {runs + peaks}", file=sys.stderr, flush=True)
    return samples


def ratio(subject: list[float], reference: list[float]) -> str:
    ratios = [s / r for s, r in zip(subject, reference)]
    if not ratios:
        return "-"
    return f"{statistics.median(ratios):.2f} [{min(ratios):.2f}-{max(ratios):.2f}]"


def table(subject: str, results: dict[str, dict[str, Samples]], references: list[str]) -> str:
    """A Markdown table of ratios: below 1 the subject needs less than the reference."""
    metrics = {"time": "time", "cpu": "CPU", "peak": "peak", "sum": "sum"}
    heads = [f"{title} / {reference}" for title in metrics.values() for reference in references]
    first = references[0]
    lines = [
        "| " + " | ".join(["program", f"{first}: s", f"{first}: MiB", *heads]) + " |",
        "|---" * (3 + len(heads)) + "|",
    ]
    for program, samples in results.items():
        base = samples[first]
        cells = [
            program,
            f"{statistics.median(base.time):.2f}" if base.time else "-",
            f"{statistics.median(base.peak) / 1024:.1f}" if base.peak else "-",
        ]
        for metric in metrics:
            for reference in references:
                cells.append(ratio(getattr(samples[subject], metric), getattr(samples[reference], metric)))
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def hardening_table(results: dict[str, dict[str, Samples]], names: list[str]) -> str:
    """A Markdown table: CPU time and peak of each allocator as ratios to glibc, medians of the rounds."""

    def cell(samples: dict[str, Samples], name: str, metric: str) -> str:
        if name not in samples:
            return "fails"
        ratios = [s / r for s, r in zip(getattr(samples[name], metric), getattr(samples["glibc"], metric))]
        return f"{statistics.median(ratios):.2f}" if ratios else "-"

    subjects = [name for name in names if name != "glibc"]
    heads = ["program", *(f"{name}: {title}" for name in subjects for title in ("CPU", "peak"))]
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    for program, samples in results.items():
        cells = [cell(samples, name, metric) for name in subjects for metric in ("cpu", "peak")]
        lines.append("| " + " | ".join([program, *cells]) + " |")
    return "\n".join(lines)


def installed(package: str, pattern: str, is_needed: bool) -> str | None:
    found = sorted(glob.glob(pattern))
    if not found and is_needed:
        raise Failure(f"{Path(pattern).name} is missing: on Debian, install the package {package}")
    return found[-1] if found else None


def percolate() -> Allocator:
    products = Path(os.environ.get("PERCOLATE_BUILD", ROOT / ".build/release"))
    return Allocator(str(products / "libpercolate_malloc.so"))


def hardened_allocators() -> dict[str, Allocator]:
    own = percolate()
    allocators = {"glibc": Allocator("libc.so.6"), "default": own}
    for level in ("basic", "1"):
        allocators[f"hardened={level}"] = Allocator(own.library, (f"PERCOLATE_OPTIONS=hardened={level}",))
    others = {
        "MALLOC_CHECK_=3": (
            "libc6", "/usr/lib/*/libc_malloc_debug.so.0",
            ("MALLOC_CHECK_=3", "GLIBC_TUNABLES=glibc.malloc.check=3")),
        "scudo": (
            "libclang-rt-14-dev",
            f"/usr/lib/llvm-*/lib/clang/*/lib/linux/libclang_rt.scudo_standalone-{os.uname().machine}.so", ()),
        "jemalloc, junk": ("libjemalloc2", "/usr/lib/*/libjemalloc.so.2", ("MALLOC_CONF=junk:true",)),
    }
    for name, (package, pattern, variables) in others.items():
        library = installed(package, pattern, is_needed=False)
        if library:
            allocators[name] = Allocator(library, variables)
        else:
            print(f"programs.py: without {name}, which Debian has in {package}", file=sys.stderr)
    return allocators


def find_allocators(added: list[str], hardening: bool) -> dict[str, Allocator]:
    if hardening:
        allocators = hardened_allocators()
    else:
        jemalloc = installed("libjemalloc2", "/usr/lib/*/libjemalloc.so.2", is_needed=True)
        allocators = {"glibc": Allocator("libc.so.6"), "jemalloc": Allocator(str(jemalloc)), "percolate": percolate()}
    for item in added:
        name, equals, rest = item.partition("=")
        if not equals or not name:
            raise Failure(f"{item}: an allocator is given as NAME=LIBRARY[:VARIABLE=VALUE]...")
        library, *variables = rest.split(":")
        if not all("=" in variable for variable in variables):
            raise Failure(f"{item}: a variable is given as VARIABLE=VALUE")
        allocators[name] = Allocator(library, tuple(variables))
    for name, allocator in allocators.items():
        if "/" in allocator.library and not Path(allocator.library).is_file():
            raise Failure(f"{name}: there is no file {allocator.library}")
    return allocators


def write_samples(file: Path, size: str, results: dict[str, dict[str, Samples]]) -> None:
    """After each program: what ends a long run leaves what was measured so far."""
    raw = {program: {name: vars(s) for name, s in samples.items()} for program, samples in results.items()}
    file.write_text(json.dumps(
        {"size": size, "cpus": os.cpu_count(), "kernel": os.uname().release, "samples": raw}, indent=1))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5, help="timed rounds (5)")
    parser.add_argument("--peaks", type=int, default=3, help="rounds that read peaks (3)")
    parser.add_argument("--size", choices=("quick", "long"), default="quick")
    parser.add_argument("--only", help="programs, separated by commas")
    parser.add_argument("--json", type=Path, help="where all samples are written")
    parser.add_argument("--hardening", action="store_true", help="levels of hardening, beside others that check")
    parser.add_argument("allocators", nargs="*", metavar="NAME=LIBRARY[:VARIABLE=VALUE]...")
    arguments = parser.parse_args()
    chosen = arguments.only.split(",") if arguments.only else list(PROGRAMS)
    unknown = [name for name in chosen if name not in PROGRAMS]
    if unknown:
        raise Failure(f"no program {', '.join(unknown)}; there are {', '.join(PROGRAMS)}")

    allocators = find_allocators(arguments.allocators, arguments.hardening)
    results: dict[str, dict[str, Samples]] = {}
    failures: list[str] = []
    with tempfile.TemporaryDirectory(prefix="percolate-programs-") as folder:
        runner = Runner(Path(folder), arguments.size)
        preloaded = {name: replace(a, library=runner.shared(a.library)) for name, a in allocators.items()}
        for program in chosen:
            try:
                results[program] = measure(
                    runner, program, preloaded, arguments.runs, arguments.peaks, arguments.hardening)
            except Failure as failure:
                print(f"programs.py: {failure}", file=sys.stderr)
                failures.append(program)
            if arguments.json:
                write_samples(arguments.json, arguments.size, results)
    if arguments.hardening:
        print(f"\nratios to glibc: CPU time and the largest peak, medians of {arguments.runs} and {arguments.peaks} "
              f"rounds, size {arguments.size}\n")
        print(hardening_table(results, list(allocators)))
    for subject in [] if arguments.hardening else [name for name in allocators if name not in REFERENCES]:
        print(f"\n{subject}: ratios below 1 are less than the reference, "
              f"{arguments.runs} timed and {arguments.peaks} peak rounds, size {arguments.size}\n")
        print(table(subject, results, list(REFERENCES)))
    if failures:
        sys.exit(f"programs.py: without a result: {', '.join(failures)}")


if __name__ == "__main__":
    try:
        main()
    except Failure as failure:
        sys.exit(f"programs.py: {failure}")
