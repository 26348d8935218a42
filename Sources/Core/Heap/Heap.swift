import CPercolate
import Synchronization

/// A heap as a whole: whether it serves, and how it was asked to. What it does is in extensions,
/// one for each concept.
enum Heap {
    enum Phase { case cold, ready, failed }

    /// A thread that sees `ready` sees what start-up stored.
    static var phase: Phase {
        get {
            switch heapState.pointee.phase.load(ordering: .acquiring) {
            case 0: .cold
            case 1: .ready
            default: .failed
            }
        }
        set {
            let number: UInt8 =
                switch newValue {
                case .cold: 0
                case .ready: 1
                case .failed: 2
                }
            heapState.pointee.phase.store(number, ordering: .releasing)
        }
    }
    static var options: Options {
        @inline(__always) unsafeAddress { UnsafePointer(pinned(&heapState.pointee.options)) }
        @inline(__always) unsafeMutableAddress { pinned(&heapState.pointee.options) }
    }

    /// Makes the heap usable. False when it is not: start-up runs in this very thread, or failed.
    @inline(__always)
    static func ensureStarted() -> Bool { phase == .ready || startAndRegister() }

    static var startLock: Lock {
        Lock(at: addressOf(&platformState.pointee.shared.start_lock.word))
    }
}
