import CPercolate
import Synchronization

/// Scopes that count the process's allocations exactly.
///
/// The fast path counts nothing. While a scope is active it is off for the whole process, as around
/// vfork, so every operation of every thread comes through the entry points, which note it here.
/// Without a scope that costs the slow path one load.
///
/// One lock guards the list and the figures of all scopes. It is taken last, and nothing is called
/// under it. A signal handler that interrupts its owner leaves what it did in `missed`, which the
/// next owner takes in.
enum Counting {
    struct State: ~Copyable {
        let scopes: Atomic<Int>
        var first: UnsafeMutablePointer<percolate_counting_scope>?
        let missedAllocations: Atomic<UInt64>
        let missedAllocatedBytes: Atomic<UInt64>
        let missedDeallocations: Atomic<UInt64>
        let missedDeallocatedBytes: Atomic<UInt64>
    }

    @inline(__always)
    private static var state: UnsafeMutablePointer<State> { pinned(&heapState.pointee.counting) }

    static var lock: Lock { Lock(at: addressOf(&platformState.pointee.shared.counting_lock.word)) }

    @inline(__always)
    static var isActive: Bool { state.pointee.scopes.load(ordering: .relaxed) != 0 }

    /// Adds a scope. When this returns, every operation that begins, in whichever thread, is
    /// counted.
    static func begin(_ scope: UnsafeMutablePointer<percolate_counting_scope>) {
        scope.pointee = percolate_counting_scope()
        guard Heap.ensureStarted(), lock.acquire() == .entered else { return }
        takeMissed()
        scope.pointee.thread = percolate_thread_pointer()
        scope.pointee.next = state.pointee.first
        state.pointee.first = scope
        state.pointee.scopes.wrappingAdd(1, ordering: .relaxed)
        lock.release()
        publish()
        // Threads that read the limits before have their operation before the scope; all others
        // must see the new limits. Where the kernel has no fence they see them as soon as the store
        // leaves this CPU.
        _ = FrontEnd.sequences.fenceAll()
    }

    /// Whether the scope counts.
    static func contains(_ scope: UnsafePointer<percolate_counting_scope>) -> Bool {
        guard isActive, lock.acquire() == .entered else { return false }
        defer { lock.release() }
        var link = state.pointee.first
        while let current = link {
            if UnsafePointer(current) == scope { return true }
            link = current.pointee.next
        }
        return false
    }

    /// After a thread was lost that had the lock, which the caller has: how many scopes there are.
    static func recount() {
        var count = 0
        var next = state.pointee.first
        while let scope = next {
            count &+= 1
            next = scope.pointee.next
        }
        state.pointee.scopes.store(count, ordering: .relaxed)
    }

    /// In the child of a fork, by its only thread: scopes of other threads are gone with them,
    /// perhaps with the stacks that they lie on.
    static func forgetOtherThreads() {
        let me = percolate_thread_pointer()
        var kept: UnsafeMutablePointer<percolate_counting_scope>?
        var count = 0
        while let scope = state.pointee.first {
            state.pointee.first = scope.pointee.next
            guard scope.pointee.thread == me else { continue }
            scope.pointee.next = kept
            kept = scope
            count &+= 1
        }
        state.pointee.first = kept
        state.pointee.scopes.store(count, ordering: .relaxed)
    }

    /// Takes a scope out, if it is in. Its figures stay as they are.
    static func end(_ scope: UnsafeMutablePointer<percolate_counting_scope>) {
        guard Heap.ensureStarted(), lock.acquire() == .entered else { return }
        takeMissed()
        var link = state.pointee.first
        if state.pointee.first == scope {
            state.pointee.first = scope.pointee.next
            state.pointee.scopes.wrappingSubtract(1, ordering: .relaxed)
        } else {
            while let current = link {
                if current.pointee.next == scope {
                    current.pointee.next = scope.pointee.next
                    state.pointee.scopes.wrappingSubtract(1, ordering: .relaxed)
                    break
                }
                link = current.pointee.next
            }
        }
        lock.release()
        publish()
    }

    /// Notes a block that was just allocated; 0 for none. Returns its address.
    @inline(__always)
    static func noteAllocation(_ address: UInt) -> UInt {
        if isActive, address != 0 { note(allocated: UInt64(Heap.usableSize(address)), freed: nil) }
        return address
    }

    /// Notes a block that is about to be freed; 0 for none. Returns its address.
    @inline(__always)
    static func noteFree(_ address: UInt) -> UInt {
        if isActive, address != 0 { note(allocated: nil, freed: UInt64(Heap.usableSize(address))) }
        return address
    }

    /// Notes that a block of `before` bytes was resized. One that moved was allocated and freed;
    /// both existed at once. One that stayed counts with its change in bytes alone. `new` is 0
    /// where that failed, or where the caller copies by operations that count themselves.
    static func noteResize(_ old: UInt, _ before: Int, to new: UInt) {
        guard new != 0 else { return }
        let after = Heap.usableSize(new)
        guard new == old else { return note(allocated: UInt64(after), freed: UInt64(before)) }
        note(grown: after &- before)
    }

    private static func publish() {
        let held = arenaLock.acquire() == .entered
        publishFront()
        if held { arenaLock.release() }
    }

    private static func note(allocated: UInt64?, freed: UInt64?) {
        guard lock.acquire() == .entered else {
            if let allocated {
                state.pointee.missedAllocations.wrappingAdd(1, ordering: .relaxed)
                state.pointee.missedAllocatedBytes.wrappingAdd(allocated, ordering: .relaxed)
            }
            if let freed {
                state.pointee.missedDeallocations.wrappingAdd(1, ordering: .relaxed)
                state.pointee.missedDeallocatedBytes.wrappingAdd(freed, ordering: .relaxed)
            }
            return
        }
        takeMissed()
        if let allocated { add(1, allocated, 0, 0) }
        if let freed { add(0, 0, 1, freed) }
        lock.release()
    }

    private static func note(grown bytes: Int) {
        let allocated = UInt64(max(bytes, 0))
        let freed = UInt64(max(0 &- bytes, 0))
        guard lock.acquire() == .entered else {
            state.pointee.missedAllocatedBytes.wrappingAdd(allocated, ordering: .relaxed)
            state.pointee.missedDeallocatedBytes.wrappingAdd(freed, ordering: .relaxed)
            return
        }
        takeMissed()
        add(0, allocated, 0, freed)
        lock.release()
    }

    /// The lock is held.
    private static func takeMissed() {
        let allocations = state.pointee.missedAllocations.exchange(0, ordering: .relaxed)
        let allocatedBytes = state.pointee.missedAllocatedBytes.exchange(0, ordering: .relaxed)
        let deallocations = state.pointee.missedDeallocations.exchange(0, ordering: .relaxed)
        let deallocatedBytes = state.pointee.missedDeallocatedBytes.exchange(0, ordering: .relaxed)
        guard allocations | allocatedBytes | deallocations | deallocatedBytes != 0 else { return }
        add(allocations, allocatedBytes, deallocations, deallocatedBytes)
    }

    /// The lock is held.
    private static func add(
        _ allocations: UInt64, _ allocatedBytes: UInt64, _ deallocations: UInt64, _ deallocatedBytes: UInt64
    ) {
        var next = state.pointee.first
        while let scope = next {
            scope.pointee.allocations &+= allocations
            scope.pointee.allocated_bytes &+= allocatedBytes
            scope.pointee.deallocations &+= deallocations
            scope.pointee.deallocated_bytes &+= deallocatedBytes
            let alive = Int64(bitPattern: scope.pointee.allocated_bytes &- scope.pointee.deallocated_bytes)
            if alive > 0, UInt64(alive) > scope.pointee.peak_bytes { scope.pointee.peak_bytes = UInt64(alive) }
            next = scope.pointee.next
        }
    }
}
