import CPercolate
import Foundation
import TestSupport
import Testing

@testable import PercolateCoreHosted

/// The text that a process leaves at its end.
@Suite struct StatisticsTests {
    private func text(_ format: StatisticsFormat = .text) throws -> String {
        let folder = try TemporaryFolder()
        let file = folder.path("statistics")
        let descriptor = open(file, O_WRONLY | O_CREAT, 0o600)
        #expect(descriptor >= 0)
        defer { close(descriptor) }
        #expect(Heap.writeStatistics(as: format, to: descriptor) == 0)
        return try String(contentsOfFile: file, encoding: .utf8)
    }

    private static let names = [
        "process_id", "process_name", "mode", "index", "rseq", "membarrier", "slabs", "served_blocks", "refills",
        "refilled_blocks", "drains", "drained_blocks", "steals", "stolen_blocks", "capacity_changes",
        "vectors_local",
        "vectors_remote", "sections_aborted", "gates_closed_local", "gates_closed_remote", "large_allocations",
        "large_frees", "spans_in_use", "in_use_bytes", "committed_bytes", "free_resident_bytes",
        "released_bytes", "metadata_bytes", "application_bytes", "cached_bytes", "free_bytes",
    ]

    @Test func everyNameStandsOnceBelowTheTitle() throws {
        try TestHeap.run {
            let lines = try text().split(separator: "\n")
            #expect(lines.first == "percolate statistics")
            // Below the process's lines stand tables.
            let names = lines.dropFirst().prefix { !$0.hasPrefix("block_bytes ") }
                .map { String($0.prefix { $0 != " " }) }
            #expect(Set(names).count == names.count)
            #expect(Set(names).isSuperset(of: Self.names))
        }
    }

    @Test func theValuesAreTheCountersOwn() throws {
        try TestHeap.run {
            let kept = (0..<1000).map { Heap.allocate(UInt($0)) } + [Heap.allocate(1 << 20)]
            let statistics = Statistics(try text())
            #expect(statistics["process_id"] == Int(getpid()))
            #expect(statistics["refills"] == Int(total(.refills)))
            #expect(statistics["spans_in_use"] == spansInUse)
            #expect(statistics["large_allocations"] - statistics["large_frees"] >= 1)
            #expect(statistics["in_use_bytes"] == arena.inUse * 4096)
            #expect(statistics["in_use_bytes"] <= statistics["committed_bytes"])
            #expect(statistics["metadata_bytes"] > 0)
            let served = total(.refilledObjects) + total(.directAllocations) + total(.largeAllocations)
            #expect(statistics.servedBlocks == Int(served))
            for block in kept { Heap.free(block) }
        }
    }

    @Test func aProcessWritesItsOwnFile() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "percolate-core-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let prefix = folder.appending(path: "out").path
        await #expect(processExitsWith: .success) { [prefix = prefix as String] in
            setenv("PERCOLATE_OPTIONS", "stats=\(prefix)", 1)
            try TestHeap.startOfProcess()
            Heap.free(Heap.allocate(100))
            Heap.writeStatisticsAtExit()
            exit(0)
        }
        let all = try Statistics.all(prefix: prefix)
        #expect(all.count == 1)
        #expect(all.first?.servedBlocks ?? 0 > 0)
        let name = try FileManager.default.contentsOfDirectory(atPath: folder.path).first
        #expect(name == "out.\(all.first?["process_id"] ?? 0)")
    }
}
