import InMemoryLogging
import Logging
import Percolate
import PercolateLogging
import Testing

@Suite struct HeapLimitLogTests {
    private static func statistics(inUse: Int) -> HeapStatistics {
        var statistics = HeapStatistics()
        statistics.process.inUseBytes = inUse
        statistics.memoryLimit = 1000
        return statistics
    }

    @Test func eachCrossingIsOneMessage() {
        let handler = InMemoryLogHandler()
        let log = HeapLimitLog(Logger(label: "heap") { _ in handler })
        for inUse in [100, 850, 899, 900, 950, 1000, 1100, 950, 810, 900, 700, 850] {
            log.check(Self.statistics(inUse: inUse))
        }
        #expect(handler.entries.map(\.level) == [.warning, .error, .warning, .notice])
        #expect(
            handler.entries.map { $0.metadata["in_use_bytes"] } == ["900", "1000", "950", "700"])
        #expect(handler.entries.first?.metadata["limit_bytes"] == "1000")
    }

    @Test func aLimitOfItsOwnComesBeforeThatOfTheHeap() {
        let handler = InMemoryLogHandler()
        let log = HeapLimitLog(Logger(label: "heap") { _ in handler }, limit: 10)
        log.check(Self.statistics(inUse: 10))
        #expect(handler.entries.map(\.level) == [.error])
        HeapLimitLog(Logger(label: "heap") { _ in handler }, limit: .max).check()
        #expect(handler.entries.count == 1)
    }

    @Test func anErrorOfAnAllocationSaysWhy() {
        #expect(AllocationError.outOfMemory(byteCount: 7).loggerMetadata["byte_count"] == "7")
        #expect(AllocationError.negativeCount(-1).loggerMetadata["reason"] == "negative count")
    }
}
