import Foundation
import Percolate
import Synchronization
import TestSupport
import Testing

/// Counts of this API's own use: nothing else in the test process allocates here, unless the shared
/// object is loaded.
@Suite(.serialized) struct CountingTests {
    /// What the test process allocates besides goes elsewhere.
    private static let isAlone = !ProcessHeap.servesMalloc

    @Test(.enabled(if: isAlone, "the shared object is loaded: the whole process is counted"))
    func everyBlockIsCountedWithItsBytesAndThePeak() throws {
        var kept: UnsafeMutableRawPointer?
        let size = try {
            let block = try ProcessHeap.allocate(byteCount: 1000)
            defer { ProcessHeap.deallocate(block) }
            return ProcessHeap.usableSize(of: block)
        }()
        let counts = try ProcessHeap.countAllocations {
            for _ in 0..<10 { ProcessHeap.deallocate(try ProcessHeap.allocate(byteCount: 1000)) }
            let three = try (0..<3).map { _ in try ProcessHeap.allocate(byteCount: 1000) }
            kept = three[0]
            ProcessHeap.deallocate(three[1], byteCount: 1000)
            ProcessHeap.deallocate(three[2])
        }
        #expect(counts.allocations == 13)
        #expect(counts.deallocations == 12)
        #expect(counts.allocatedBytes == 13 * size)
        #expect(counts.peakBytes == 3 * size)
        #expect(counts.leakedBytes == size)
        #expect(counts.leakedBlocks == 1)
        if let kept { ProcessHeap.deallocate(kept) }
    }

    @Test(.enabled(if: isAlone, "the shared object is loaded: the whole process is counted"))
    func scopesNestAndEndWithAnError() throws {
        struct Failure: Error {}
        var inner = AllocationCounts()
        let outer = try ProcessHeap.countAllocations {
            let first = try ProcessHeap.allocate(byteCount: 50)
            inner = try ProcessHeap.countAllocations {
                ProcessHeap.deallocate(first)
                ProcessHeap.deallocate(try ProcessHeap.allocate(byteCount: 50))
            }
            #expect(throws: Failure.self) { try ProcessHeap.countAllocations { throw Failure() } }
        }
        #expect(inner.allocations == 1 && inner.deallocations == 2)
        #expect(inner.leakedBlocks == -1 && inner.peakBytes == 0)
        #expect(outer.allocations == 2 && outer.deallocations == 2 && outer.leakedBytes == 0)
    }

    @Test(.enabled(if: isAlone, "the shared object is loaded: the whole process is counted"))
    func reallocationsInPlaceAndElsewhereAreToldApart() throws {
        let counts = try ProcessHeap.countAllocations {
            var block = try ProcessHeap.allocate(byteCount: 100)
            block = try ProcessHeap.reallocate(block, from: 100, to: 101)
            block = try ProcessHeap.reallocate(block, from: 101, to: 20_000)
            ProcessHeap.deallocate(block, byteCount: 20_000)
        }
        #expect(counts.allocations == 2 && counts.deallocations == 2 && counts.leakedBytes == 0)
    }

    @Test(.enabled(if: isAlone, "the shared object is loaded: the whole process is counted"))
    func allThreadsAreCountedExactly() async throws {
        let counts = await ProcessHeap.countAllocations {
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        for size in 0..<1000 {
                            if let block = try? ProcessHeap.allocate(byteCount: size) { ProcessHeap.deallocate(block) }
                        }
                    }
                }
            }
        }
        #expect(counts.allocations == 8000 && counts.deallocations == 8000)
        #expect(counts.leakedBytes == 0)
    }

    @Test(.enabled(if: isAlone, "the shared object is loaded: the whole process is counted"))
    func nothingIsCountedOutsideScopes() throws {
        let block = try ProcessHeap.allocate(byteCount: 100)
        let first = ProcessHeap.countAllocations {}
        ProcessHeap.deallocate(block)
        ProcessHeap.deallocate(try ProcessHeap.allocate(byteCount: 100_000))
        let second = ProcessHeap.countAllocations {}
        #expect(first == AllocationCounts() && second == AllocationCounts())
    }

    @Test(.enabled(if: isAlone, "the shared object is loaded: the whole process is counted"))
    func aScopeOfTwoFunctionsCountsFromItsStartToItsEnd() throws {
        let before = try ProcessHeap.allocate(byteCount: 10)
        let scope = AllocationScope()
        ProcessHeap.deallocate(before)
        ProcessHeap.deallocate(try ProcessHeap.allocate(byteCount: 10))
        let counts = scope.end()
        #expect(counts.allocations == 1 && counts.deallocations == 2)
    }

    /// While a scope counts, every call takes the slow path.
    @Test(.enabled(if: ProcessHeap.statistics.mode == .sections, "every block takes a slow path, scope or not"))
    func aScopeThatIsForgottenEnds() throws {
        func time() throws -> Duration {
            try ContinuousClock().measure {
                for _ in 0..<5000 { ProcessHeap.deallocate(try ProcessHeap.allocate(byteCount: 100)) }
            }
        }
        var (counted, forgotten) = (Duration.seconds(100), Duration.seconds(100))
        for _ in 0..<10 {
            let scope = AllocationScope()
            counted = min(counted, try time())
            _ = scope.end()
            do { _ = AllocationScope() }
            forgotten = min(forgotten, try time())
        }
        // In a debug build most of the time is the API's own.
        #expect(forgotten < counted * 5 / 6, "\(forgotten) without a scope, \(counted) with one")
    }

    @Test(arguments: ["threads", "fork", "fork-elsewhere", "signals"])
    func countsOfMallocAreExactAcross(what: String) async throws {
        let program = try await Compiler.shared.executable("Stress/counting.c", flags: Headers.internalFlags)
        let outcome = try await run(program, [what], under: .percolate())
        #expect(outcome.succeeded, "\(outcome)")
        #expect(outcome.output.wholeMatch(of: /counting: [1-9]\d{4,} allocations\n/) != nil, "\(outcome.output)")
    }
}
