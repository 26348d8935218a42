import CPercolate
import Synchronization

/// Blocks that end at an unusable page, and are unusable themselves for a while after they are
/// freed: an overflow and a use after free end the process with a report. (The idea is Electric
/// Fence's; GWP-ASan took it to production by guarding few blocks.)
///
/// A slot is 64 KiB and an unusable page behind them. A block lies as close to the unusable page
/// as its alignment lets it; the bytes between hold a pattern that is looked at when the block is
/// freed, and at exit. A freed slot waits behind 64 others before it serves again. Slots lie
/// outside the arena, so `free` and `realloc` leave the fast path for them as for any foreign
/// pointer.
enum GuardedBlocks {
    struct Slot: ~Copyable {
        static var free: UInt32 { 0 }
        static var live: UInt32 { 1 }
        static var freed: UInt32 { 2 }

        let state = Atomic<UInt32>(0)
        /// The block's record among the samples.
        var record: UInt32 = 0
        var block: UInt = 0
        var size = 0
        /// The next slot of the same list, 1 more than its number; 0 ends it.
        var next: UInt32 = 0
    }

    private static var page: UInt { Reservation.pageSize }
    private static var usable: UInt { 16 * 4096 }
    private static var stride: UInt { usable &+ page }
    private static var quarantine: Int { 64 }
    private static var pattern: UInt8 { 0xa7 }
    /// Blocks at a time: of a process that guards some, and of one that guards all. Each is two
    /// mappings, of which the kernel allows 65,530.
    private static var few: Int { 64 }
    private static var many: Int { 16384 }

    struct State: ~Copyable {
        /// Where the slots' memory begins, 0 before there is any, and how many they are.
        var address: UInt
        var slotCount: Int
        var slots: Table<Slot>
        /// Blocks that there are.
        let live: Atomic<Int>
        /// Slots, 1 more than their numbers, that the lock of the samples kept from their lists.
        let returned: NumberStack
        // From here on guarded by the lock of the samples.
        /// Slots from this number on were never used; the others are in a list, or hold a block.
        var fresh: Int
        /// Most blocks at a time.
        var limit: Int
        /// First slot of those that are free again, and first and last of those in quarantine: 1
        /// more than its number, 0 for none.
        var firstFree: UInt32
        var oldest: UInt32
        var newest: UInt32
        /// Slots in quarantine.
        var waiting: Int
    }

    private static var state: UnsafeMutablePointer<State> {
        @inline(__always) get { pinned(&samplingState.pointee.guardedBlocks) }
    }

    @inline(__always)
    private static var address: UInt { state.pointee.address }
    @inline(__always)
    static var slots: Table<Slot> { state.pointee.slots }

    @inline(__always)
    static func owns(_ block: UInt) -> Bool {
        block &- address < UInt(state.pointee.slotCount) &* stride
    }

    /// Reserves the slots, once, and lets so many be used as `rate` asks for. False when the kernel
    /// refuses.
    static func prepare(rate: UInt64) -> Bool {
        state.pointee.limit = rate == 1 ? many : few
        guard address == 0 else { return true }
        let count = many &+ quarantine
        let table = roundUp(UInt(count &* MemoryLayout<Slot>.stride), page)
        guard var memory = Reservation.reserve(table &+ UInt(count) &* stride) else { return false }
        _ = percolate_madvise(memory.address, Int(memory.size), MADV_NOHUGEPAGE)
        guard memory.commit(table) else {
            _ = percolate_munmap(memory.address, Int(memory.size))
            return false
        }
        state.pointee.slots = Table(address: memory.address)
        state.pointee.slotCount = count
        state.pointee.address = memory.address &+ table
        percolate_watch_faults { address, write, code, stack, framePointer in
            GuardReport.fault(address, isWrite: write, code: code, stack: stack, framePointer: framePointer)
        }
        return true
    }

    private static func start(of number: Int) -> UInt { address &+ UInt(number) &* stride }

    /// The number of the slot around `place`, which is owned.
    static func number(of place: UInt) -> Int { Int((place &- address) / stride) }

    /// A zeroed block; 0 when it does not fit a slot, or none is to be had.
    static func allocate(
        _ size: Int, alignment: Int, blocks: Double, stack: UnsafeMutablePointer<UInt64>, depth: Int
    ) -> UInt {
        let alignment = UInt(max(alignment, size <= 8 ? 8 : 16))
        let size = max(size, 1)
        guard address != 0, size <= Int(usable), alignment <= page, let number = takeSlot() else { return 0 }
        let end = start(of: number) &+ usable
        let block = (end &- UInt(size)) & ~(alignment &- 1)
        let first = block & ~(page &- 1)
        guard percolate_mprotect(first, Int(end &- first), PROT_READ | PROT_WRITE) == 0 else {
            giveSlot(number)
            return 0
        }
        fillGap(block &+ UInt(size), end)
        let record = Samples.add(block, size: size, blocks: blocks, isGuarded: true, stack: stack, depth: depth)
        guard record != 0 else {
            close(number)
            giveSlot(number)
            return 0
        }
        let slot = slots[number]
        slot.pointee.record = record
        slot.pointee.block = block
        slot.pointee.size = size
        slot.pointee.state.store(Slot.live, ordering: .releasing)
        return block
    }

    private static func takeSlot() -> Int? {
        guard Samples.lock.acquire() == .entered else { return nil }
        defer { Samples.lock.release() }
        takeReturned()
        guard state.pointee.live.load(ordering: .relaxed) < state.pointee.limit else { return nil }
        var number = Int(state.pointee.firstFree) &- 1
        if number >= 0 {
            state.pointee.firstFree = slots[number].pointee.next
        } else {
            guard state.pointee.fresh < state.pointee.slotCount else { return nil }
            number = state.pointee.fresh
            state.pointee.fresh &+= 1
        }
        state.pointee.live.wrappingAdd(1, ordering: .relaxed)
        return number
    }

    /// Gives a slot back that never held a block that anybody saw.
    static func giveSlot(_ number: Int) {
        state.pointee.live.wrappingSubtract(1, ordering: .relaxed)
        free(slot: number)
    }

    private static func free(slot number: Int) {
        guard Samples.lock.acquire() == .entered else { return addReturned(number) }
        putIntoFreeList(number)
        Samples.lock.release()
    }

    /// The lock of the samples is held.
    private static func putIntoFreeList(_ number: Int) {
        slots[number].pointee.next = state.pointee.firstFree
        state.pointee.firstFree = UInt32(number &+ 1)
    }

    /// Keeps a slot whose owner the lock of the samples refused for the next one that it admits.
    private static func addReturned(_ number: Int) {
        let slot = slots[number]
        state.pointee.returned.add(UInt32(number &+ 1), linkedAt: pinned(&slot.pointee.next))
    }

    /// Puts such slots where they belong. The lock of the samples is held.
    private static func takeReturned() {
        guard !state.pointee.returned.isEmpty else { return }
        var next = state.pointee.returned.takeAll()
        while next != 0 {
            let number = Int(next) &- 1
            next = slots[number].pointee.next
            if slots[number].pointee.state.load(ordering: .acquiring) == Slot.freed {
                enqueue(number)
            } else {
                putIntoFreeList(number)
            }
        }
    }

    /// Makes the slot's pages unusable, and gives their memory back.
    private static func close(_ number: Int) {
        let start = start(of: number)
        _ = percolate_mprotect(start, Int(usable), PROT_NONE)
        _ = percolate_madvise(start, Int(usable), MADV_DONTNEED)
    }

    private static func fillGap(_ first: UInt, _ end: UInt) {
        let bytes: UnsafeMutablePointer<UInt8> = pointer(first)
        for index in 0..<Int(end &- first) { bytes[index] = pattern }
    }

    /// The bytes behind the block that are not what they were, if any: the first of them.
    private static func damage(_ number: Int) -> UInt? {
        let slot = slots[number]
        let first = slot.pointee.block &+ UInt(slot.pointee.size)
        let bytes: UnsafeMutablePointer<UInt8> = pointer(first)
        for index in 0..<Int(start(of: number) &+ usable &- first) where bytes[index] != pattern {
            return first &+ UInt(index)
        }
        return nil
    }

    static func usableSize(_ block: UInt) -> Int { slots[liveSlot(block, .usableSize)].pointee.size }

    /// The slot of a block that must be alive. Ends the process for anything else.
    private static func liveSlot(_ block: UInt, _ use: GuardReport.Use) -> Int {
        let number = number(of: block)
        let slot = slots[number]
        let state = slot.pointee.state.load(ordering: .acquiring)
        guard state == Slot.live, slot.pointee.block == block else {
            GuardReport.misuse(block, use, state: state, slot: number)
        }
        return number
    }

    /// Frees a block. Ends the process when it is none, was freed before, or was written beyond its
    /// end.
    ///
    /// - Parameters:
    ///   - expectedSize: what the caller says its size is; negative for nothing.
    ///   - expectedAlignment: what the caller says it is a multiple of; nil for nothing.
    static func free(_ block: UInt, expectedSize: Int = -1, expectedAlignment: UInt? = nil) {
        let number = liveSlot(block, .free)
        let slot = slots[number]
        if let expectedAlignment, !isMultiple(block, of: expectedAlignment) {
            GuardReport.misuse(block, .alignedFree, state: Slot.live, slot: number)
        }
        if expectedSize >= 0, max(expectedSize, 1) != slot.pointee.size {
            GuardReport.misuse(block, .sizedFree, state: Slot.live, slot: number)
        }
        if let place = damage(number) { GuardReport.overflow(place, slot: number) }
        let taken: UInt32
        switch Samples.take(block) {
        case .record(let record): taken = record
        case .none: GuardReport.misuse(block, .free, state: Slot.freed, slot: number)
        case .refused: return Refusal.free(block, room: slot.pointee.size)
        }
        Sampling.withStack { stack in
            let depth = StackWalk.callers(into: stack, limit: Int(PERCOLATE_SAMPLE_FRAMES))
            Samples.markFreed(taken, stack: stack, depth: depth)
        }
        slot.pointee.state.store(Slot.freed, ordering: .releasing)
        close(number)
        let old = putIntoQuarantine(number)
        if old >= 0 { reuse(old) }
    }

    /// Returns the slot that waited longest, once enough wait; -1 before.
    static func putIntoQuarantine(_ number: Int) -> Int {
        state.pointee.live.wrappingSubtract(1, ordering: .relaxed)
        guard Samples.lock.acquire() == .entered else {
            addReturned(number)
            return -1
        }
        defer { Samples.lock.release() }
        enqueue(number)
        guard state.pointee.waiting > quarantine else { return -1 }
        let first = Int(state.pointee.oldest) &- 1
        state.pointee.oldest = slots[first].pointee.next
        state.pointee.waiting &-= 1
        return first
    }

    /// The lock of the samples is held.
    private static func enqueue(_ number: Int) {
        slots[number].pointee.next = 0
        if state.pointee.newest != 0 {
            slots[Int(state.pointee.newest) &- 1].pointee.next = UInt32(number &+ 1)
        } else {
            state.pointee.oldest = UInt32(number &+ 1)
        }
        state.pointee.newest = UInt32(number &+ 1)
        state.pointee.waiting &+= 1
    }

    private static func reuse(_ number: Int) {
        slots[number].pointee.state.store(Slot.free, ordering: .relaxed)
        Samples.end(slots[number].pointee.record)
        free(slot: number)
    }

    /// At exit: blocks that were never freed may have been written beyond their ends.
    static func checkAll() {
        guard address != 0 else { return }
        for number in 0..<state.pointee.fresh {
            let slot = slots[number]
            guard slot.pointee.state.load(ordering: .acquiring) == Slot.live else { continue }
            if let place = damage(number) { GuardReport.overflow(place, slot: number) }
        }
    }
}
