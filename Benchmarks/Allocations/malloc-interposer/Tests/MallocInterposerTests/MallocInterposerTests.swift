import MallocInterposerSwift
import Testing

private final class Node {
    let next: Node?
    init(_ next: Node?) { self.next = next }
}

/// What the benchmark package asks, in the order in which it asks it, in a process that Percolate serves.
@Suite(.serialized) struct MallocInterposerTests {
    /// Others of the process may allocate meanwhile, but not nearly as much.
    private static let others = 0..<200

    private nonisolated(unsafe) static var list: Node?
    private nonisolated(unsafe) static var bytes: [UInt8] = []

    private func makeList(_ count: Int) {
        for _ in 0..<count { Self.list = Node(Self.list) }
    }

    /// Iterative: the list is longer than the stack is deep.
    private func dropList() {
        while let node = Self.list { Self.list = node.next }
    }

    @Test func everyAllocationBetweenTwoReadingsIsCounted() {
        initialize()
        makeList(1)
        dropList()
        hook()
        let first = getStatistics()
        makeList(10_000)
        let second = getStatistics()
        dropList()
        let third = getStatistics()
        unhook()
        #expect(Self.others.contains(second.mallocCount - first.mallocCount - 10_000))
        #expect(Self.others.contains(second.freeCount - first.freeCount))
        #expect(Self.others.contains(third.freeCount - second.freeCount - 10_000))
        #expect(second.mallocBytesCount - first.mallocBytesCount >= 10_000 * 24)
        #expect(third.freeBytesCount - second.freeBytesCount >= 10_000 * 24)
        #expect(second.mallocSmallCount + second.mallocLargeCount == second.mallocCount)
    }

    @Test func largeBlocksAreToldFromSmallOnes() {
        hook()
        let before = getStatistics()
        for value in 0..<50 { Self.bytes = [UInt8](repeating: UInt8(value), count: 4 << 20) }
        let after = getStatistics()
        unhook()
        #expect(Self.others.contains(after.mallocLargeCount - before.mallocLargeCount - 50))
    }

    @Test func nothingIsCountedWhenItIsOff() {
        hook()
        unhook()
        let before = getStatistics()
        makeList(10_000)
        dropList()
        #expect(getStatistics().mallocCount == before.mallocCount)
    }
}
