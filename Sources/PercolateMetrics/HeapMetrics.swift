#if Metrics
    public import CoreMetrics
    public import Percolate
    import Synchronization

    /// The heap's statistics as metrics of swift-metrics: each figure is a gauge or a counter with
    /// the name that it has in every other place, such as `percolate_application_bytes`.
    ///
    /// Figures of size classes have the label `size`, in bytes, those of CPUs the label `cpu`.
    /// Nothing is recorded by itself: call ``update(_:)`` now and then, or let the heap service of
    /// `PercolateService` do it.
    ///
    ///     let metrics = HeapMetrics()
    ///     metrics.update()
    ///
    /// May be used from any thread. Where the process has a metrics backend it must be set up
    /// before.
    public final class HeapMetrics: Sendable {
        /// A counter, and what it had at the last update.
        private struct Total {
            let counter: Counter
            var value = 0
        }

        /// By name and labels.
        private let totals = Mutex<[String: Total]>([:])
        private let gauges = Mutex<[String: Gauge]>([:])
        private let labels: [(String, String)]
        private let factory: any MetricsFactory
        private let detail: Detail

        /// Which figures are recorded.
        public enum Detail: Sendable {
            /// Those of the whole process: some thirty.
            case process
            /// Also those of each size class and each CPU.
            case all
        }

        /// Metrics that have recorded nothing.
        ///
        /// - Parameters:
        ///   - detail: which figures.
        ///   - labels: labels that each metric has, besides its own.
        ///   - factory: what makes the metrics; without one, that of the process.
        public init(
            _ detail: Detail = .process, labels: [(String, String)] = [],
            factory: (any MetricsFactory)? = nil
        ) {
            self.detail = detail
            self.labels = labels
            self.factory = factory ?? MetricsSystem.factory
        }

        /// Records statistics: gauges as they are, counters by what they grew since the last
        /// update.
        ///
        /// - Parameter statistics: what is recorded; without one, those of this moment.
        public func update(_ statistics: HeapStatistics? = nil) {
            let statistics = statistics ?? ProcessHeap.statistics
            record(statistics.process.namedFigures, "percolate_", [])
            if let limit = statistics.memoryLimit { set("percolate_memory_limit_bytes", limit, []) }
            guard detail == .all else { return }
            for sizeClass in statistics.sizeClasses {
                record(
                    sizeClass.namedFigures, "percolate_size_class_",
                    [("size", String(sizeClass.blockBytes))])
            }
            for cpu in statistics.cpus {
                // The number is the label.
                let figures = cpu.namedFigures.filter { $0.name != "cpu" }
                record(figures, "percolate_cpu_", [("cpu", String(cpu.index))])
            }
        }

        private func record(
            _ figures: [HeapStatistics.NamedFigure], _ prefix: String, _ labels: [(String, String)]
        ) {
            for figure in figures {
                if figure.isCounter {
                    increase(prefix + figure.name + "_total", figure.value, labels)
                } else {
                    set(prefix + figure.name, figure.value, labels)
                }
            }
        }

        private func set(_ name: String, _ value: Int, _ own: [(String, String)]) {
            let gauge = gauges.withLock { gauges in
                let new = {
                    Gauge(label: name, dimensions: self.labels + own, factory: self.factory)
                }
                let gauge = gauges[Self.key(name, own)] ?? new()
                gauges[Self.key(name, own)] = gauge
                return gauge
            }
            gauge.record(value)
        }

        private func increase(_ name: String, _ value: Int, _ own: [(String, String)]) {
            totals.withLock { totals in
                let new = {
                    Total(
                        counter: Counter(
                            label: name, dimensions: self.labels + own, factory: self.factory))
                }
                var total = totals[Self.key(name, own)] ?? new()
                // Statistics of two updates at once may come in either order. 0 is recorded, too: a
                // dashboard then shows that, and not that there is no such counter.
                total.counter.increment(by: max(0, value - total.value))
                total.value = max(value, total.value)
                totals[Self.key(name, own)] = total
            }
        }

        private static func key(_ name: String, _ labels: [(String, String)]) -> String {
            labels.reduce(name) { "\($0) \($1.1)" }
        }
    }
#else
    /// Not there: `PercolateMetrics` needs the trait Metrics of the package.
    @available(
        *, unavailable, message: "PercolateMetrics needs the trait Metrics of the package percolate"
    )
    public enum HeapMetrics {}
#endif
