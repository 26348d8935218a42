/// Every workload of the comparison, in the order of the report.
public enum WorkloadCatalog {
    public static func all() -> [Workload] { oneThread() + pages() + threads() + ProgramCatalog.all() }

    private static func compiled(
        _ name: String, _ summary: String, _ group: WorkloadGroup, threads: Int = 1, family: String? = nil,
        source: String? = nil, idles: Bool = false, _ arguments: [String] = []
    ) -> Workload {
        Workload(
            name: name, summary: summary, group: group, threads: threads, family: family, idles: idles,
            body: .compiled(
                source: source ?? family ?? name,
                arguments: (threads > 1 ? ["threads=\(threads)"] : []) + arguments))
    }

    private static func oneThread() -> [Workload] {
        [
            compiled("pairs-64", "malloc and free, 64 bytes", .micro, source: "pairs", ["size=64"]),
            compiled("pairs-4096", "malloc and free, 4 KiB", .micro, source: "pairs", ["size=4096"]),
            compiled(
                "stack-64", "200 blocks of 64 bytes, freed last first", .micro, source: "pairs",
                ["size=64", "depth=200"]),
            compiled("ring", "random sizes 16 to 1024 in a ring of 1000", .micro, ["slots=1000"]),
            compiled(
                "ring-wide", "random sizes 16 to 8192 in a ring of 20000", .micro, source: "ring",
                ["slots=20000", "most=8192", "operations=10000000"]),
            compiled("sixth", "fixed pattern of small objects, like sh6bench", .micro),
            compiled("trace", "nested lifetimes, like espresso", .micro),
            compiled("random", "random sizes and lifetimes, like alloc-test", .micro),
            compiled("grow", "growth by realloc to 1 MiB", .micro),
            compiled("large", "64 KiB to 4 MiB, changing size, every page written", .micro),
            compiled("fragment", "fill, free 90 % at random, refill with other sizes", .micro),
            compiled("steady", "a long run without a leak", .micro),
            compiled("tables", "a table of 100,000 blocks filled and drained, forwards and backwards", .micro),
            compiled(
                "lasting", "blocks of 5 to 25 MB that live for a while", .micro, source: "large",
                ["slots=20", "operations=1000", "least=5000000", "most=25000000"]),
            compiled("bigfree", "300 MiB of small blocks, freed", .micro, idles: true),
        ]
    }

    /// Kinds of work that lie between blocks and the kernel.
    private static func pages() -> [Workload] {
        [
            compiled(
                "large-free", "50,000 blocks of 300 kB, freed at random", .micro, source: "manylarge"),
            compiled(
                "large-free-back", "200,000 blocks of 40 kB, freed backwards", .micro,
                source: "manylarge", ["count=200000", "size=40000", "order=1"]),
            compiled("holes", "large blocks in the holes that others left", .micro),
            compiled("sparse-1M", "calloc of 1 MiB, a byte of it touched", .micro, source: "sparse"),
            compiled(
                "sparse-64K", "calloc of 64 KiB, a byte of it touched", .micro, source: "sparse",
                ["kilobytes=64", "count=4000"]),
            compiled(
                "sparse-64M", "calloc of 64 MiB, a byte of it touched", .micro, source: "sparse",
                ["kilobytes=65536", "count=8", "rounds=200"]),
            compiled("regrow", "buffers that grow by realloc to 32 MiB", .micro),
            compiled("frames", "two buffers of 40 MB, sixty times a second", .micro),
            compiled("chase", "random access to 4,000,000 small nodes", .micro),
            compiled(
                "array", "random access to one array of 400 MiB", .micro, source: "chase",
                ["nodes=0", "megabytes=400"]),
            compiled("waves", "one thread fills and empties its heap, then rests", .micro, idles: true),
            compiled(
                "waves-400", "the same in blocks of 400 bytes", .micro, source: "waves", idles: true,
                ["size=400"]),
        ]
    }

    private static func threads() -> [Workload] {
        var workloads = [
            compiled("sixth-4", "fixed pattern, 4 threads", .threads, threads: 4, source: "sixth", ["passes=15000"]),
            compiled("slots", "per-thread slots, like glibc-thread", .threads, threads: 4),
            compiled("server", "a server that ages, like larson", .threads, threads: 8),
            compiled("handoff", "one thread allocates, another frees, like xmalloc", .threads, threads: 4),
            compiled("scratch", "neighbours given to different threads", .threads, threads: 2),
            compiled(
                "tables-4", "every thread fills and drains a table", .threads, threads: 4, source: "tables",
                ["rounds=60"]),
            compiled("oneway", "some threads only allocate, others only free", .threads, threads: 4),
            compiled("crossing", "frees of other threads' blocks at random, with pauses", .threads, threads: 4),
            compiled(
                "large-free-4", "the same as large-free in 4 threads", .threads, threads: 4,
                source: "manylarge"),
            compiled("births", "threads are born and die", .threads, threads: 4),
        ]
        for count in [2, 64, 256, 1000] {
            workloads.append(
                compiled("queue-\(count)", "producers to consumers", .threads, threads: count, family: "queue"))
        }
        for count in [2, 64, 256, 1000] {
            let live = count == 2 ? 1000 : 64_000 / count
            workloads.append(
                compiled(
                    "churn-\(count)", "replacement at random", .threads, threads: count, family: "churn",
                    ["live=\(live)"]))
        }
        workloads.append(compiled("latency", "64 threads exchange blocks and time each call", .threads, threads: 64))
        for count in [64, 256] {
            workloads.append(
                compiled(
                    "turns-\(count)", "one thread at a time, 4 MiB each", .threads, threads: count, family: "turns"))
        }
        for count in [64, 256, 1000] {
            workloads.append(
                compiled(
                    "burst-\(count)", "all threads at once, then parked", .threads, threads: count, family: "burst",
                    idles: true, count == 1000 ? ["kilobytes=512"] : []))
        }
        return workloads
    }
}
