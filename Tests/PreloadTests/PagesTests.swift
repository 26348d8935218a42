import Foundation
import TestSupport
import Testing

/// What lies between blocks and the kernel: nothing is slower in a larger heap, resident without
/// need, or refused while there is room.
@Suite(.serialized) struct PagesTests {
    private static let modes = [[], ["rseq=off"], ["hardened=1"]]

    private func expectPass(_ arguments: String..., options: [String] = []) async throws {
        try await StressProgram(name: "pages", arguments: arguments, options: options).expectPass()
    }

    @Test(arguments: [("300000", "random"), ("120000", "ascending"), ("40000", "random"), ("40000", "descending")])
    func freeingManyLargeBlocksIsNearlyLinear(size: String, order: String) async throws {
        try await expectPass("many", Effort.isLong ? "50000" : "10000", size, order)
    }

    @Test(arguments: [("64", "1000"), ("256", "200"), ("1024", "60"), ("65536", "2")])
    func zeroedBlocksAreResidentWhereTheyAreTouched(kibibytes: String, count: String) async throws {
        try await expectPass("sparse", kibibytes, count)
    }

    @Test(arguments: ["900", "100000", "5000000"])
    func wavesOfWorkLeaveLittleBehind(size: String) async throws {
        try await expectPass("waves", size, "200", "3", "100000")
    }

    @Test func buffersOfFramesKeepTheirPages() async throws { try await expectPass("frames") }

    @Test func whatIsBeingReleasedIsNotRefused() async throws {
        try await expectPass("again", "48", "3", options: ["reserve=64M"])
    }

    @Test(arguments: ["small", "growing", "sizes"]) func denseMemoryHasHugePages(kind: String) async throws {
        let setting = try String(contentsOfFile: "/sys/kernel/mm/transparent_hugepage/enabled", encoding: .utf8)
        guard !setting.contains("[never]") else { try Test.cancel("the machine gives no huge pages") }
        try await StressProgram(name: "huge", arguments: [kind], options: ["huge=1"]).expectPass()
    }

    /// On a second CPU its cache would be mapped, perhaps where a refused move has left nothing:
    /// then those addresses are lost.
    private static var onOneCPU: [String] {
        get throws { ["taskset", "-c", "\(try StressProgram.oneProcessor())"] }
    }

    /// Refusals of one call of the layer, and of all of them. Not in a hardened heap, whose
    /// quarantine keeps what was freed.
    @Test(arguments: ["mmap", "mprotect", "madvise", "mremap", "all"], [[], ["rseq=off"], ["hardened=basic"]])
    func nothingIsLostByARefusalOfTheKernel(call: String, options: [String]) async throws {
        for seed in 1...(Effort.isLong ? 40 : 1) {
            try await StressProgram(
                name: "refusals", arguments: [call, Effort.isLong ? "200000" : "6000", "\(seed)"],
                options: options + ["reserve=256M", "background=0"], launcher: try Self.onOneCPU
            ).expectPass()
        }
    }

    /// The model finds an allocator that takes the target of a refused move for mapped.
    @Test func aTargetThatARefusedMoveUnmappedIsMissed() async throws {
        let program = StressProgram(
            name: "refusals", arguments: ["mremap", "6000", "1"],
            environment: ["PERCOLATE_OPTIONS": "reserve=256M,background=0"])
        let library = try await TestBuild.refillSamples.library()
        let outcome = try await program.outcome(under: .other(library: library))
        #expect(outcome.signal == 11, "\(outcome.report)")
    }

    @Test(arguments: modes) func aLimitOfAddressesAfterStartCountsWhatIsUsed(options: [String]) async throws {
        try await expectPass("limit_later", "1024", options: options)
    }

    @Test func aSmallLimitOfAddressesAfterStartCountsWhatIsUsed() async throws {
        try await expectPass("limit_later", "300")
    }

    @Test(arguments: modes + [["index=mm_cid"]])
    func aFilterAllowsWhatLibcsMallocNeeds(options: [String]) async throws {
        // Without statistics: they are written to a file, which the filter forbids.
        let outcome = try await StressProgram(name: "pages", arguments: ["filter"])
            .outcome(under: .percolate(options: options.joined(separator: ",")))
        #expect(outcome.succeeded && outcome.output.contains("pages: passed"), "\(outcome.report)")
    }

    @Test func aLimitOfTheUsersHolds() async throws {
        let program = StressProgram(name: "pages", arguments: ["refill", "100"])
        let limited = StressProgram(name: "pages", arguments: ["refill", "100"], options: ["limit=64M"])
        #expect(try await program.outcome(under: .percolate(options: "limit=200M,soft=64M")).succeeded)
        let outcome = try await limited.outcome(under: .percolate(options: "limit=64M"))
        #expect(outcome.exitCode == 1 && outcome.errors.contains("no memory"), "\(outcome.report)")
    }

    /// Near a limit, what only caches keep from being free is given up: the caches of the CPUs that
    /// are there, and of 64 on which threads say they run.
    @Test(arguments: [
        ("64", "option", "0", ["limit=64M"]), ("64", "option", "0", ["limit=64M", "hardened=basic"]),
        ("96", "option", "64", ["limit=96M", "rseq=off"]), ("256", "addresses", "0", []),
        ("256", "addresses", "64", ["rseq=off"]), ("256", "data", "0", []), ("256", "data", "64", ["rseq=off"]),
    ]) func cachesAreDrainedBeforeAnAllocationFails(mebibytes: String, limit: String, cpus: String, options: [String])
        async throws
    {
        try await StressProgram(name: "cached", arguments: ["limit", mebibytes, limit, cpus], options: options)
            .expectPass()
    }

    /// Each of many CPUs holds its budget at most, and nothing once it is idle.
    @Test func cachesOfManyCPUsAreBounded() async throws {
        func statistics(seconds: String) async throws -> Statistics {
            try await StressProgram(name: "cached", arguments: ["fill", "256", "64", seconds], options: ["rseq=off"])
                .expectPass()
        }
        let busy = try await statistics(seconds: "0")
        #expect(busy["slabs"] >= 64)
        #expect(busy["cached_bytes"] > 16 << 20 && busy["cached_bytes"] <= busy["slabs"] << 20, "\(busy.values)")
        let idle = try await statistics(seconds: "4")
        #expect(idle["slabs"] >= 64)
        #expect(idle["cached_bytes"] < 1 << 20 && idle["free_resident_bytes"] < 4 << 20, "\(idle.values)")
    }

    /// A process of a memory control group that is nearly full is not killed for memory that is
    /// free.
    @Test func aMemoryControlGroupIsNotExceeded() async throws {
        let group = URL(filePath: "/sys/fs/cgroup/memory/percolate-test-\(ProcessInfo.processInfo.processIdentifier)")
        do {
            try FileManager.default.createDirectory(at: group, withIntermediateDirectories: false)
        } catch {
            try Test.cancel("no memory control group of version 1 can be made here: \(error)")
        }
        defer { rmdir(group.path) }
        try "\(320 << 20)".write(to: group.appending(path: "memory.limit_in_bytes"), atomically: false, encoding: .utf8)
        let entering = ["sh", "-c", "echo $$ >\(group.path)/cgroup.procs; exec \"$@\"", "sh"]
        for _ in 0..<(Effort.isLong ? 10 : 2) {
            try await StressProgram(name: "pages", arguments: ["refill", "250"], launcher: entering).expectPass()
        }
    }
}
