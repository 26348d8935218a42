#if Logging
    public import Logging
    public import Percolate
    import Synchronization

    /// Says in a log when the heap comes near a limit, when it reaches it, and when that is over.
    ///
    /// Each is one message, at the crossing: `warning` from nine tenths of the limit, `error` where
    /// a page more would be refused,
    /// `notice` when less than eight tenths are in use again. The messages'
    /// metadata are figures of the heap. Errors of the program are not logged: the heap finds them
    /// where nothing may be allocated, says them in one line on standard error and ends the
    /// process.
    ///
    /// May be used from any thread. Call ``check(_:)`` now and then, or let the heap service of
    /// `PercolateService` do it.
    public final class HeapLimitLog: Sendable {
        /// How full the heap is.
        private enum Level: Int {
            case normal, near, full
        }

        private let logger: Logger
        private let limit: Int?
        private let level = Mutex(Level.normal)

        /// Logs to `logger`.
        ///
        /// - Parameters:
        ///   - logger: where messages go.
        ///   - limit: bytes of pages in use to compare with; without them, the memory limit of the
        ///     process, if it has one.
        public init(_ logger: Logger, limit: Int? = nil) {
            self.logger = logger
            self.limit = limit
        }

        /// Compares statistics with the limit, and logs a crossing.
        ///
        /// - Parameter statistics: what is compared; without them, those of this moment.
        public func check(_ statistics: HeapStatistics? = nil) {
            let statistics = statistics ?? ProcessHeap.statistics
            guard let limit = limit ?? statistics.memoryLimit, limit > 0 else { return }
            let share = Double(statistics.process.inUseBytes) / Double(limit)
            let change = level.withLock { level in
                let next: Level =
                    share >= 1
                    ? .full
                    : share >= 0.9 ? .near : share < 0.8 || level == .normal ? .normal : .near
                defer { level = next }
                return next == level ? nil : next
            }
            guard let change else { return }
            var metadata = statistics.loggerMetadata
            metadata["limit_bytes"] = "\(limit)"
            switch change {
            case .normal: logger.notice("the heap is below its limit again", metadata: metadata)
            case .near: logger.warning("the heap is near its limit", metadata: metadata)
            case .full: logger.error("the heap has reached its limit", metadata: metadata)
            }
        }
    }
#else
    /// Not there: `PercolateLogging` needs the trait Logging of the package.
    @available(
        *, unavailable, message: "PercolateLogging needs the trait Logging of the package percolate"
    )
    public enum HeapLimitLog {}
#endif
