import CPercolate
import Synchronization

/// Where the scavenger sleeps while there is nothing for it to do, and how slow paths wake it: a
/// process that does nothing has no thread that wakes up. And how it is told to end.
enum ScavengerSleep {
    /// 1 while the scavenger sleeps or is about to. The kernel compares the low half.
    private static var word: UnsafeMutablePointer<Atomic<UInt>> { pointer(address) }
    @inline(__always)
    private static var address: UInt {
        addressOf(&platformState.pointee.shared.scavenger_sleep.word)
    }

    /// Wakes the scavenger if it sleeps: one relaxed load otherwise, for slow paths. Safe in signal
    /// handlers.
    @inline(__always)
    static func end() {
        if word.pointee.load(ordering: .relaxed) != 0 { wake() }
    }

    @inline(never)
    private static func wake() {
        guard word.pointee.exchange(0, ordering: .sequentiallyConsistent) != 0 else { return }
        _ = percolate_futex_wake(pointer(address), 1)
    }

    /// Says that the scavenger is about to sleep. A slow path from here on wakes it.
    static func begin() { word.pointee.store(1, ordering: .sequentiallyConsistent) }

    /// Sleeps until a slow path wakes it, or the scavenger is to end.
    static func sleep() {
        while word.pointee.load(ordering: .acquiring) != 0, !isStopping {
            _ = percolate_futex_wait(pointer(address), 1)
        }
    }

    /// Not 0 once the scavenger is to end.
    private static var stopWord: UnsafeMutablePointer<Atomic<UInt>> { pointer(stopAddress) }
    private static var stopAddress: UInt {
        addressOf(&platformState.pointee.shared.scavenger_stop.word)
    }

    static var isStopping: Bool { stopWord.pointee.load(ordering: .sequentiallyConsistent) != 0 }

    /// Sleeps so many milliseconds, or until the scavenger is to end.
    static func nap(_ milliseconds: UInt32) {
        _ = percolate_futex_wait_for(pointer(stopAddress), 0, milliseconds)
    }

    /// Tells the scavenger to end. Before it sleeps it stores the word, then looks at `isStopping`:
    /// it sees this, or is woken.
    static func stop() {
        stopWord.pointee.store(1, ordering: .sequentiallyConsistent)
        _ = percolate_futex_wake(pointer(stopAddress), 1)
        wake()
    }

    /// After the scavenger has ended.
    static func allow() { stopWord.pointee.store(0, ordering: .sequentiallyConsistent) }

    /// After fork, in the child: nobody sleeps here.
    static func forget() { word.pointee.store(0, ordering: .relaxed) }
}
