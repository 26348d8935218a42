#if Benchmark
    public import Benchmark
    import Percolate

    /// Exact counts of allocations as metrics of the benchmark package, without its jemalloc and
    /// without an interposer.
    ///
    /// Name the metrics in the benchmark's configuration, and run what is to be counted in
    /// ``Benchmark/countAllocations(_:)``:
    ///
    ///     Benchmark("parse", configuration: .init(metrics: [.wallClock] + .heap)) { benchmark in
    ///         benchmark.countAllocations { blackHole(parse(text)) }
    ///     }
    ///
    /// The benchmark must be linked with `percolate_malloc`.
    extension BenchmarkMetric {
        /// Blocks allocated.
        public static let heapAllocations = BenchmarkMetric.custom("Allocations (heap)")
        /// Blocks freed.
        public static let heapDeallocations = BenchmarkMetric.custom("Deallocations (heap)")
        /// Bytes of the blocks allocated: whole blocks, so up to an eighth more than were asked
        /// for.
        public static let heapBytes = BenchmarkMetric.custom("Allocated bytes (heap)")
        /// Blocks that were allocated and not freed.
        public static let heapLeaks = BenchmarkMetric.custom("Leaked blocks (heap)")
        /// The most bytes that were alive at one moment, above those at the start.
        public static let heapPeakBytes = BenchmarkMetric.custom("Peak bytes (heap)")
    }

    extension [BenchmarkMetric] {
        /// All counts of the heap.
        public static var heap: [BenchmarkMetric] {
            [.heapAllocations, .heapDeallocations, .heapBytes, .heapLeaks, .heapPeakBytes]
        }
    }

    extension Benchmark {
        /// Runs `body`, counts what it allocates on all threads, and registers the counts with the
        /// benchmark. Counted code is slower: measure time in another benchmark.
        ///
        /// Ends the process where Percolate is not its `malloc`: all counts would be 0 and look
        /// like a result.
        ///
        /// - Parameters:
        ///   - file: the caller's, for the line that this ends with.
        ///   - line: the caller's.
        ///   - body: what is counted.
        public func countAllocations<Failure: Error>(
            file: StaticString = #fileID, line: UInt = #line, _ body: () throws(Failure) -> Void
        ) throws(Failure) {
            guard ProcessHeap.servesMalloc else {
                fatalError(
                    "counts of allocations: link the benchmark with percolate_malloc", file: file,
                    line: line)
            }
            let counts = try ProcessHeap.countAllocations(in: body)
            measurement(.heapAllocations, counts.allocations)
            measurement(.heapDeallocations, counts.deallocations)
            measurement(.heapBytes, counts.allocatedBytes)
            measurement(.heapLeaks, counts.leakedBlocks)
            measurement(.heapPeakBytes, counts.peakBytes)
        }
    }
#endif
