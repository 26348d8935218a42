import CPercolate
import Synchronization

/// fork: the child has one thread, and finds every lock free, every gate open and every list whole.
///
/// The prepare handler closes the fork gate and waits until nobody else is inside. Handlers of
/// other libraries run after it and may allocate: the gate is open to the thread that closed it. A
/// section of another thread simply disappears in the child: its single store happened or did not.
/// Where a thread is inside nevertheless, because waiting had its end or the fork ran no handlers,
/// the child repairs what that thread left (`Recovery`).
///
/// A signal handler may fork while its thread is inside fork: the outer fork, wherever it is
/// between its handlers, still needs the gate, and opens it.
extension Heap {
    static func registerForkHandlers() {
        percolate_register_fork_handlers(
            { Heap.prepareFork() }, { Heap.finishForkInParent() }, { Heap.finishForkInChild() })
    }

    static func prepareFork() {
        _ = ensureStarted()
        _ = percolate_thread_number()
        ForkGate.process.close(percolate_this_thread())
    }

    static func finishForkInParent() { ForkGate.process.open(percolate_this_thread()) }

    static func finishForkInChild() { Recovery.adoptChild() }

    /// Before vfork: nobody runs a section until the parent is back. The child shares this memory
    /// and runs on the parent's behalf, so it sees the switch; for other threads it need not take
    /// effect at once, and no fence is needed.
    static func beginVfork() {
        guard ensureStarted() else { return }
        changeSuspensions(by: 1)
    }

    static func endVfork() {
        guard phase == .ready else { return }
        changeSuspensions(by: -1)
    }

    static func changeSuspensions(by change: Int) {
        let held = arenaLock.acquire() == .entered
        FrontEnd.state.pointee.suspensions.wrappingAdd(change, ordering: .relaxed)
        publishFront()
        if held { arenaLock.release() }
    }
}
