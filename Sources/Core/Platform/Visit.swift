import CPercolate
import Synchronization

/// One call's stay inside the allocator, from the entry point to its return.
///
/// The thread's record (`percolate_thread`) says whether the thread is inside, and in which frame
/// of its stack. A call that finds its thread inside is one of two:
///
/// - A signal handler interrupted the allocator and allocates. The visit is *nested*: it must not
///   wait for a lock (`Lock`).
/// - A signal handler interrupted the allocator and left by a jump (siglongjmp(3), an exception,
///   the end of the thread). The frame that it interrupted never goes on, and its locks are freed
///   now (`percolate_recover_thread`).
///
/// They are told apart by the stack. The kernel puts a signal frame of more than a kilobyte between
/// the interrupted frame and its handler. So a visit that is not that much deeper, on the same
/// stack, has no living visit above it. One that is deeper has none when the marks of the visit
/// above are gone: others use its memory. When the marks of a dead visit last by chance, under a
/// deep frame with a gap there, the call is taken for a handler's: it is served, from the memory
/// for emergencies if it must be, and a later call finds out. A handler may run on its alternate
/// stack, of which the kernel says whether the thread is on it.
///
/// A handler that leaves by switching stacks (swapcontext(3)) and means to come back is taken for
/// one that jumped: as with other allocators, it must not interrupt malloc.
enum Visit {
    /// The visit's memory is on the stack of the caller, which also calls `end`.
    @inline(__always)
    static func begin(_ visit: UnsafeMutablePointer<percolate_visit>) {
        let thread: UnsafeMutablePointer<percolate_thread> = percolate_this_thread()
        mark(visit)
        guard percolate_process_mark.pointee != 0, thread.pointee.number != 0, thread.pointee.outermost == nil else {
            return beginSlowly(thread, visit)
        }
        thread.pointee.outermost = visit
        atomicSignalFence()
        ForkGate.process.enter(thread, visit)
    }

    @inline(__always)
    static func end(_ visit: UnsafeMutablePointer<percolate_visit>) {
        let thread: UnsafeMutablePointer<percolate_thread> = percolate_this_thread()
        guard !visit.pointee.is_nested, thread.pointee.nested == nil else { return endSlowly(thread, visit) }
        leave(thread, visit)
    }

    @inline(__always)
    private static func leave(
        _ thread: UnsafeMutablePointer<percolate_thread>, _ visit: UnsafeMutablePointer<percolate_visit>
    ) {
        ForkGate.process.leave(thread)
        visit.pointee.marks = (0, 0)
        percolate_keep_visit(visit)
        thread.pointee.outermost = nil
    }

    @inline(never)
    private static func beginSlowly(
        _ thread: UnsafeMutablePointer<percolate_thread>, _ visit: UnsafeMutablePointer<percolate_visit>
    ) {
        _ = percolate_thread_number()
        if let outermost = thread.pointee.outermost {
            if isAlive(outermost, seenFrom: UInt(bitPattern: visit)) {
                _ = adoptIfChild()
                visit.pointee.is_nested = true
                visit.pointee.outer = thread.pointee.nested
                thread.pointee.nested = visit
                return
            }
            thread.pointee.nested = nil
            thread.pointee.outermost = visit
            _ = adoptIfChild()
            // A thread inside may wait for a lock that is freed now, so this one does not wait at
            // the gate.
            ForkGate.process.enterRegardless(thread)
            percolate_recover_thread()
            return
        }
        _ = adoptIfChild()
        thread.pointee.outermost = visit
        atomicSignalFence()
        ForkGate.process.enter(thread, visit)
    }

    @inline(never)
    private static func endSlowly(
        _ thread: UnsafeMutablePointer<percolate_thread>, _ visit: UnsafeMutablePointer<percolate_visit>
    ) {
        if visit.pointee.is_nested {
            thread.pointee.nested = visit.pointee.outer
            return
        }
        // A handler was interrupted in a nested visit by another one, which jumped out of it.
        thread.pointee.nested = nil
        percolate_recover_thread()
        leave(thread, visit)
    }

    /// Before the process ends for a programmer's error: the thread is outside, unless it is a
    /// signal handler inside. A handler of SIGABRT may allocate, wait for threads that do, fork,
    /// and leave by a jump.
    static func endForReport() {
        let thread: UnsafeMutablePointer<percolate_thread> = percolate_this_thread()
        guard thread.pointee.nested == nil, let visit = thread.pointee.outermost else { return }
        leave(thread, visit)
    }

    /// Whether the calling thread is a signal handler that interrupted the allocator.
    static var isNested: Bool { percolate_this_thread().pointee.nested != nil }

    /// In a child of a fork that ran no handlers, makes it a process of its own. Whether it did.
    ///
    /// The kernel wiped the mark. Where it does not do that, the process id tells; a vfork child,
    /// which has the parent's memory, has another one as well, and is not adopted
    /// (`percolate_adopt_child`).
    @inline(never)
    static func adoptIfChild() -> Bool {
        #if PERCOLATE_WITHOUT_FORK_HANDLERS
            // A test build: the tests of fork must fail where a child does nothing about its
            // parent's threads.
            return false
        #endif
        let mark = percolate_process_mark.pointee
        guard
            mark == 0 || percolate_mark_is_kept() && mark > 1 && mark != UInt32(truncatingIfNeeded: percolate_getpid())
        else { return false }
        percolate_adopt_child()
        return percolate_process_mark.pointee != mark
    }

    /// Bytes that a signal frame takes at least.
    private static var signalFrame: UInt { 1024 }

    private static func isAlive(_ visit: UnsafeMutablePointer<percolate_visit>, seenFrom here: UInt) -> Bool {
        let there = UInt(bitPattern: visit)
        var isOnAlternate = false
        var wasOnAlternate = false
        if percolate_is_restricted() == 0 { percolate_alternate_stack(there, &isOnAlternate, &wasOnAlternate) }
        if wasOnAlternate, !isOnAlternate { return false }
        guard isOnAlternate != wasOnAlternate || here &+ signalFrame <= there else { return false }
        return visit.pointee.marks == marks(there)
    }

    @inline(__always)
    private static func marks(_ address: UInt) -> (UInt64, UInt64) {
        (UInt64(address) ^ 0x9e37_79b9_7f4a_7c15, UInt64(address) &+ 0x5851_f42d_4c95_7f2d)
    }

    @inline(__always)
    private static func mark(_ visit: UnsafeMutablePointer<percolate_visit>) {
        visit.pointee.marks = marks(UInt(bitPattern: visit))
        percolate_keep_visit(visit)
    }

    /// What is stored before is stored for a signal handler that comes after.
    @inline(__always)
    private static func atomicSignalFence() { percolate_compiler_barrier() }
}
