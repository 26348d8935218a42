#if ServiceLifecycle
    public import Percolate
    public import ServiceLifecycle

    /// A service that looks at the heap now and then: it hands statistics to observers, gives
    /// memory back, and reacts to a soft limit.
    ///
    ///     let metrics = HeapMetrics()  // of PercolateMetrics
    ///     let limits = HeapLimitLog(logger)  // of PercolateLogging
    ///     let heap = HeapService(
    ///         softLimit: 512 << 20, onSoftLimit: { _ in await cache.removeAll() },
    ///         observers: [{ metrics.update($0) }, { limits.check($0) }])
    ///     try await ServiceGroup(
    ///         services: [server, heap], gracefulShutdownSignals: [.sigterm], logger: logger
    ///     ).run()
    ///
    /// It ends with a graceful shutdown, or when its task is cancelled, after the observers got the
    /// last statistics.
    public struct HeapService: Service {
        private let interval: Duration
        private let softLimit: Int?
        private let onSoftLimit: @Sendable (HeapStatistics) async -> Void
        private let trimsBelow: Double
        private let observers: [@Sendable (HeapStatistics) async -> Void]

        /// A service that has looked at nothing.
        ///
        /// - Parameters:
        ///   - interval: the time from one look to the next.
        ///   - softLimit: bytes of pages, in use or free and resident, above which `onSoftLimit` is
        ///     called and free memory is given back, at each look; nil for no such limit.
        ///   - onSoftLimit: what the program does then, such as to empty a cache. Called before
        ///     memory is given back.
        ///   - trimsBelow: free memory is also given back at a look that finds the bytes of the
        ///     program's blocks below this part of the pages in use and free; 0 for never. The heap
        ///     gives memory back by itself: this is for programs that are idle for long.
        ///   - observers: get the statistics at each look.
        public init(
            interval: Duration = .seconds(10), softLimit: Int? = nil,
            onSoftLimit: @escaping @Sendable (HeapStatistics) async -> Void = { _ in },
            trimsBelow: Double = 0,
            observers: [@Sendable (HeapStatistics) async -> Void] = []
        ) {
            self.interval = interval
            self.softLimit = softLimit
            self.onSoftLimit = onSoftLimit
            self.trimsBelow = trimsBelow
            self.observers = observers
        }

        /// Looks at the heap until the service is to end.
        public func run() async throws {
            try await cancelWhenGracefulShutdown {
                do {
                    while true {
                        await look()
                        try await Task.sleep(for: interval)
                    }
                } catch is CancellationError {}
            }
            let statistics = ProcessHeap.statistics
            for observer in observers { await observer(statistics) }
        }

        private func look() async {
            let statistics = ProcessHeap.statistics
            for observer in observers { await observer(statistics) }
            let pages = statistics.process.inUseBytes + statistics.process.freeResidentBytes
            if let softLimit, pages > softLimit {
                await onSoftLimit(statistics)
                ProcessHeap.releaseFreeMemory()
            } else if Double(statistics.process.applicationBytes) < trimsBelow * Double(pages) {
                ProcessHeap.releaseFreeMemory()
            }
        }
    }
#else
    /// Not there: `PercolateService` needs the trait ServiceLifecycle of the package.
    @available(
        *, unavailable,
        message: "PercolateService needs the trait ServiceLifecycle of the package percolate"
    )
    public enum HeapService {}
#endif
