import Foundation
import Synchronization

/// One thread that frees what another allocated: a ring with one writer and one reader.
///
/// Invariant: the writer owns the slots from `written` up to `read + room`, the reader those from `read` up to `written`.
final class Exchange: Sendable {
    static let room = 1024
    private let slots: UnsafeSlots
    private let written = Atomic<Int>(0)
    private let read = Atomic<Int>(0)

    private struct UnsafeSlots: @unchecked Sendable {
        let pointer = UnsafeMutablePointer<UnsafeMutableRawPointer?>.allocate(capacity: room)
    }

    init() { slots = UnsafeSlots() }

    deinit { slots.pointer.deallocate() }

    func put(_ block: UnsafeMutableRawPointer?) {
        let at = written.load(ordering: .relaxed)
        while at - read.load(ordering: .acquiring) == Self.room { sched_yield() }
        slots.pointer[at % Self.room] = block
        written.store(at + 1, ordering: .releasing)
    }

    func take() -> UnsafeMutableRawPointer? {
        let at = read.load(ordering: .relaxed)
        while written.load(ordering: .acquiring) == at { sched_yield() }
        let block = slots.pointer[at % Self.room]
        read.store(at + 1, ordering: .releasing)
        return block
    }

    /// Hands `count` blocks of `size` bytes from this thread to another, which frees them; returns when all are free.
    static func run(_ allocator: Allocator, count: Int, size: Int) {
        let exchange = Exchange()
        let finished = DispatchSemaphore(value: 0)
        let consumer = Thread {
            for _ in 0..<count { allocator.free(exchange.take()) }
            finished.signal()
        }
        consumer.start()
        for _ in 0..<count {
            let block = allocator.malloc(size)
            block?.storeBytes(of: 1, as: UInt8.self)
            exchange.put(block)
        }
        finished.wait()
    }
}
