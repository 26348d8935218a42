import Foundation
import Percolate
import Testing

@Suite(.serialized) struct StatisticsTests {
    @Test func statisticsFollowWhatIsAllocated() throws {
        let blocks = try (0..<5000).map { _ in try ProcessHeap.allocate(byteCount: 200) }
        let held = ProcessHeap.statistics
        // Under hardening the usable size is what was asked for, and the class has room for a
        // canary.
        let usable = ProcessHeap.usableSize(of: blocks[0])
        let size = try #require(held.sizeClasses.first { $0.blockBytes >= usable && $0.usedBlocks >= 5000 })
        #expect(size.usedBlocks >= 5000)
        #expect(size.spanBytes * size.spans <= held.process.inUseBytes)
        #expect(held.process.servedBlocks >= 5000)
        #expect(held.process.residentBytes > 0 && held.process.mappedBytes > held.process.residentBytes)
        for block in blocks { ProcessHeap.deallocate(block, byteCount: 200) }
        let after = ProcessHeap.statistics
        let left = after.sizeClasses.first { $0.blockBytes == size.blockBytes }?.usedBlocks ?? 0
        // Under hardening freed blocks rest in quarantine first.
        #expect(left <= size.usedBlocks - 5000 + 100 || after.mode == .hardened)
        #expect(after.cpus.contains { $0.drains > 0 || after.mode == .hardened })
    }

    @Test func largeBlocksAreCounted() throws {
        let before = ProcessHeap.statistics.process
        let block = try ProcessHeap.allocate(byteCount: 8 << 20)
        let held = ProcessHeap.statistics.process
        #expect(held.largeAllocations > before.largeAllocations)
        #expect(held.inUseBytes >= before.inUseBytes + 8 << 20 - 1 << 20)
        ProcessHeap.deallocate(block)
        #expect(ProcessHeap.statistics.process.largeFrees > before.largeFrees)
    }

    @Test func freeMemoryGoesBackWhenAsked() throws {
        let blocks = try (0..<4000).map { _ in try ProcessHeap.allocate(byteCount: 1000, zeroed: true) }
        for block in blocks { ProcessHeap.deallocate(block) }
        let before = ProcessHeap.statistics.process.releasedBytes
        #expect(ProcessHeap.releaseFreeMemory())
        let after = ProcessHeap.statistics
        #expect(after.process.releasedBytes > before)
        #expect(after.process.freeResidentBytes < 1 << 20)
        #expect(after.cpus.reduce(0) { $0 + $1.cachedBytes } < 1 << 20)
    }

    @Test func jsonAndCodingAgree() throws {
        let block = try ProcessHeap.allocate(byteCount: 24)
        defer { ProcessHeap.deallocate(block) }
        let statistics = ProcessHeap.statistics
        #expect(statistics.sizeClasses.contains { $0.blockBytes == 32 && $0.usedBlocks > 0 })
        let decoded = try JSONDecoder().decode(HeapStatistics.self, from: Data(statistics.json.utf8))
        #expect(decoded == statistics)
        let again = try JSONDecoder().decode(HeapStatistics.self, from: JSONEncoder().encode(statistics))
        #expect(again == statistics)
        #expect(throws: DecodingError.self) { try JSONDecoder().decode(HeapStatistics.self, from: Data("{}".utf8)) }
    }

    @Test func everyPrometheusSampleHasATypeAndAName() throws {
        let lines = ProcessHeap.statistics.prometheus.split(separator: "\n")
        let typed = Set(lines.filter { $0.hasPrefix("# TYPE ") }.map { $0.split(separator: " ")[2] })
        let samples = lines.filter { !$0.hasPrefix("#") }
        #expect(samples.count > 20)
        for sample in samples {
            let match = try #require(
                sample.wholeMatch(of: /([a-z_]+)(\{[a-z_]+="[^"]*"(,[a-z_]+="[^"]*")*\})? [0-9]+/), "\(sample)")
            #expect(typed.contains(match.1), "\(sample)")
        }
        #expect(Set(samples.map { $0.split(separator: " ")[0] }).count == samples.count, "a sample came twice")
    }

    @Test func theTextHasEveryFigureOfTheProcess() throws {
        struct Figures: Decodable { var process: [String: Int] }
        let statistics = ProcessHeap.statistics
        let text = "\(statistics)"
        #expect(text.hasPrefix("percolate statistics\n"))
        let figures = try JSONDecoder().decode(Figures.self, from: Data(statistics.json.utf8)).process
        #expect(figures.count >= 12)
        for (name, value) in figures { #expect(text.contains("\n\(name) \(value)\n"), "\(name)") }
        #expect(text.contains("block_bytes span_bytes spans"))
    }

    @Test func theMemoryLimitHoldsUntilItIsLifted() throws {
        let inUse = ProcessHeap.statistics.process.inUseBytes
        ProcessHeap.setMemoryLimit(inUse + 8 << 20)
        defer { ProcessHeap.setMemoryLimit(nil) }
        #expect(ProcessHeap.statistics.memoryLimit != nil)
        #expect(throws: AllocationError.outOfMemory(byteCount: 64 << 20)) {
            try ProcessHeap.allocate(byteCount: 64 << 20)
        }
        // Below the limit life goes on.
        ProcessHeap.deallocate(try ProcessHeap.allocate(byteCount: 1 << 20))
        #expect(ProcessHeap.statistics.process.inUseBytes <= inUse + 8 << 20)
        ProcessHeap.setMemoryLimit(nil)
        #expect(ProcessHeap.statistics.memoryLimit == nil)
        ProcessHeap.deallocate(try ProcessHeap.allocate(byteCount: 64 << 20))
    }
}
