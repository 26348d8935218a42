import CPercolate
import Foundation
import Testing

@testable import PercolateCoreHosted

/// What becomes of records and guarded slots when the lock of the samples refuses whoever has them
/// in hand.
@Suite struct SamplesTests {
    /// Runs `body` as a signal handler that interrupted the allocator, while another thread has the
    /// lock of the samples.
    private static func refused(_ body: () -> Void) {
        let heap = percolate_bound_heap_address()
        let (isHeld, mayEnd, hasEnded) = (
            DispatchSemaphore(value: 0), DispatchSemaphore(value: 0), DispatchSemaphore(value: 0)
        )
        let thread = Thread {
            _ = percolate_bind_heap(heap)
            let admission = Samples.lock.acquire()
            isHeld.signal()
            mayEnd.wait()
            if admission == .entered { Samples.lock.release() }
            hasEnded.signal()
        }
        thread.start()
        isHeld.wait()
        var visit = percolate_visit()
        let me: UnsafeMutablePointer<percolate_thread> = percolate_this_thread()
        withUnsafeMutablePointer(to: &visit) { visit in
            me.pointee.nested = visit
            body()
            me.pointee.nested = nil
        }
        mayEnd.signal()
        hasEnded.wait()
    }

    private static func add(_ block: UInt) -> UInt32 {
        Sampling.withStack { stack in
            stack[0] = 0x1234
            return Samples.add(block, size: 100, blocks: 1, isGuarded: false, stack: stack, depth: 1)
        }
    }

    private static func take(_ block: UInt) -> UInt32? {
        if case .record(let number) = Samples.take(block) { number } else { nil }
    }

    @Test func aRecordThatARefusedCallEndsServesAgain() throws {
        try TestHeap.run {
            try #require(SampleTables.place())
            let number = Self.add(0x10_0000)
            #expect(number != 0 && Self.take(0x10_0000) == number)
            Self.refused {
                if case .refused = Samples.take(0x10_0000) {} else { Issue.record("the lock admits it") }
                Samples.end(number)
            }
            #expect(Self.add(0x20_0000) == number)
            #expect(Self.take(0x10_0000) == nil && Self.take(0x20_0000) == number)
            // A record that cannot go back ends, too.
            Self.refused { Samples.putBack(number) }
            #expect(Self.add(0x30_0000) == number)
            #expect(Self.take(0x20_0000) == nil)
        }
    }

    private static func allocateGuarded() -> UInt {
        Sampling.withStack { stack in
            stack[0] = 0x1234
            return GuardedBlocks.allocate(100, alignment: 16, blocks: 0, stack: stack, depth: 1)
        }
    }

    @Test func aGuardedSlotThatARefusedCallLeavesServesAgain() throws {
        try TestHeap.run {
            try #require(SampleTables.place() && GuardedBlocks.prepare(rate: 2))
            var blocks: [UInt] = []
            while blocks.count < 1000, case let block = Self.allocateGuarded(), block != 0 { blocks.append(block) }
            #expect((1..<1000).contains(blocks.count), "a process that guards some guards so many at a time")
            func slot(_ index: Int, becomes state: UInt32) -> Int {
                let number = GuardedBlocks.number(of: blocks[index])
                GuardedBlocks.slots[number].pointee.state.store(state, ordering: .relaxed)
                return number
            }

            let freed = slot(0, becomes: GuardedBlocks.Slot.freed)
            Self.refused { #expect(GuardedBlocks.putIntoQuarantine(freed) == -1) }
            let second = Self.allocateGuarded()
            #expect(second != 0 && GuardedBlocks.number(of: second) != freed, "a freed block's slot waits")
            #expect(samplingState.pointee.guardedBlocks.waiting == 1)

            let unused = slot(1, becomes: GuardedBlocks.Slot.free)
            Self.refused { GuardedBlocks.giveSlot(unused) }
            let third = Self.allocateGuarded()
            #expect(third != 0 && GuardedBlocks.number(of: third) == unused)
            #expect(Self.allocateGuarded() == 0, "as many as before")
        }
    }
}
