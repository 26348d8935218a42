import Percolate
import Testing

/// As GettingStarted has it: code is held to its number of allocations. What is counted here is the
/// same in debug and release builds.
@Suite(.serialized) struct AllocationTests {
    private final class Account {
        var balance = 0
    }

    /// A global, so that the optimiser cannot put the object on the stack.
    nonisolated(unsafe) private static var last = Account()

    @Test func changingAnObjectDoesNotAllocate() throws {
        try #require(ProcessHeap.servesMalloc)
        Self.last.balance = 1
        #expect(ProcessHeap.countAllocations { Self.last.balance += 1 }.allocations == 0)
        #expect(Self.last.balance == 2)
    }

    @Test func anObjectIsOneAllocation() throws {
        try #require(ProcessHeap.servesMalloc)
        Self.last = Account()
        let counts = ProcessHeap.countAllocations { Self.last = Account() }
        #expect(counts.allocations == 1 && counts.deallocations == 1 && counts.leakedBytes == 0)
        #expect(counts.allocatedBytes >= 24)
    }
}
