import Metrics
import MetricsTestKit
import Percolate
import PercolateMetrics
import Testing

@Suite struct HeapMetricsTests {
    /// Statistics with figures that can be told apart.
    private static func statistics(refills: Int) -> HeapStatistics {
        var statistics = HeapStatistics()
        statistics.process.applicationBytes = 1000
        statistics.process.refills = refills
        var sizeClass = HeapStatistics.SizeClass()
        sizeClass.blockBytes = 48
        sizeClass.spans = 3
        statistics.sizeClasses = [sizeClass]
        var cpu = HeapStatistics.CPU()
        cpu.index = 1
        cpu.refills = refills
        statistics.cpus = [cpu]
        return statistics
    }

    @Test func gaugesAreAsTheyAreAndCountersGrow() throws {
        let backend = TestMetrics()
        let metrics = HeapMetrics(.all, labels: [("service", "shop")], factory: backend)
        metrics.update(Self.statistics(refills: 5))
        metrics.update(Self.statistics(refills: 12))

        let process = [("service", "shop")]
        let application = try backend.expectRecorder("percolate_application_bytes", process)
        #expect(application.values == [1000, 1000])
        #expect(try backend.expectCounter("percolate_refills_total", process).totalValue == 12)
        let spans = try backend.expectRecorder(
            "percolate_size_class_spans", process + [("size", "48")])
        #expect(spans.lastValue == 3)
        #expect(
            try backend.expectCounter("percolate_cpu_refills_total", process + [("cpu", "1")])
                .totalValue == 12)
    }

    @Test func namesAreThoseOfThePrometheusText() throws {
        let backend = TestMetrics()
        let statistics = ProcessHeap.statistics
        HeapMetrics(.all, factory: backend).update(statistics)
        let text = statistics.prometheus
        let names = Set(backend.recorders.map(\.label) + backend.counters.map(\.label))
        #expect(names.count > 30)
        let unknown = names.filter { !text.contains("\n\($0) ") && !text.contains("\n\($0){") }
        #expect(unknown == [])
    }

    @Test func withoutDetailThereIsNothingOfClassesAndCPUs() {
        let backend = TestMetrics()
        HeapMetrics(factory: backend).update(Self.statistics(refills: 1))
        #expect(
            backend.recorders.allSatisfy {
                !$0.label.contains("size_class") && !$0.label.contains("_cpu_")
            })
    }
}
