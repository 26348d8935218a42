import Logging
import Percolate
import PercolateService
import ServiceLifecycle
import Synchronization
import Testing

@Suite struct HeapServiceTests {
    /// Ends when `condition` holds, as a service: the group then shuts down.
    private struct Until: Service {
        let condition: @Sendable () -> Bool
        func run() async throws {
            let end = ContinuousClock.now + .seconds(20)
            while !condition(), ContinuousClock.now < end {
                try await Task.sleep(for: .milliseconds(2))
            }
        }
    }

    private func run(_ service: HeapService, until condition: @escaping @Sendable () -> Bool)
        async throws
    {
        let group = ServiceGroup(
            configuration: .init(
                services: [
                    .init(service: service),
                    .init(
                        service: Until(condition: condition),
                        successTerminationBehavior: .gracefullyShutdownGroup),
                ], logger: Logger(label: "test")))
        try await group.run()
    }

    @Test func observersSeeTheHeapUntilTheShutdown() async throws {
        let seen = Counted()
        try await run(
            HeapService(
                interval: .milliseconds(5), observers: [{ statistics in seen.count(statistics) }]),
            until: { seen.looks.load(ordering: .relaxed) >= 3 })
        #expect(seen.looks.load(ordering: .relaxed) >= 4, "and once at the end")
    }

    /// Free pages that the heap would keep go back when there is more than the limit.
    @Test func theSoftLimitAsksTheProgramAndGivesMemoryBack() async throws {
        let cache = Cache()
        try cache.fill()
        let filled = ProcessHeap.statistics.process.inUseBytes
        #expect(filled >= 32 << 20)
        try await run(
            HeapService(
                interval: .milliseconds(5), softLimit: filled - (8 << 20),
                onSoftLimit: { _ in cache.empty() }),
            until: { cache.isEmpty })
        let after = ProcessHeap.statistics.process
        #expect(after.inUseBytes + after.freeResidentBytes <= filled - (24 << 20))
    }

    @Test func withoutPressureNothingIsAsked() async throws {
        let asked = Counted()
        let looks = Counted()
        try await run(
            HeapService(
                interval: .milliseconds(2), softLimit: 1 << 46, onSoftLimit: { asked.count($0) },
                observers: [{ looks.count($0) }]),
            until: { looks.looks.load(ordering: .relaxed) >= 3 })
        #expect(asked.looks.load(ordering: .relaxed) == 0)
    }
}

private final class Counted: Sendable {
    let looks = Atomic<Int>(0)
    func count(_ statistics: HeapStatistics) { looks.wrappingAdd(1, ordering: .relaxed) }
}

/// Blocks of 32 MiB together.
private final class Cache: Sendable {
    private let blocks = Mutex<[Block]>([])
    private struct Block: @unchecked Sendable { let address: UnsafeMutableRawPointer }

    func fill() throws {
        for _ in 0..<512 {
            let block = Block(address: try ProcessHeap.allocate(byteCount: 1 << 16, zeroed: true))
            blocks.withLock { $0.append(block) }
        }
    }

    func empty() {
        let all = blocks.withLock { blocks in
            defer { blocks = [] }
            return blocks
        }
        for block in all { ProcessHeap.deallocate(block.address) }
    }

    var isEmpty: Bool { blocks.withLock { $0.isEmpty } }
}
