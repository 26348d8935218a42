import CPercolate
import Foundation
import Testing

@testable import PercolateCoreHosted

/// A heap of a test's own. Tests that look at a heap's counters, or change what its caches hold,
/// run side by side.
///
/// A thread uses the heap that it is bound to. The threads that `onThreads` and `onProcessor` start
/// are bound to their caller's.
final class TestHeap: Sendable {
    struct DoesNotStart: Error {}

    /// Where its state lies.
    let address: UInt

    /// - Parameter options: as in `PERCOLATE_OPTIONS`, behind what that says.
    init(_ options: StaticString = "") throws {
        try Self.startOfProcess()
        let result = percolate_mmap(
            0, Int(PERCOLATE_HEAP_SIZE), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS)
        guard result > 0 else { throw DoesNotStart() }
        address = UInt(result)
        guard bound({ Self.start(options) }) else { throw DoesNotStart() }
    }

    /// The part of start-up that is the heap's. The other part is the process's, and was done.
    private static func start(_ text: StaticString) -> Bool {
        Heap.options = Options()
        if let given = percolate_options_text() { Heap.options.parse(given) }
        text.withUTF8Buffer { bytes in
            let cString = UnsafeRawPointer(bytes.baseAddress)?.assumingMemoryBound(to: CChar.self)
            if let cString { Heap.options.parse(cString) }
        }
        if Heap.options.reserve == 0 { Heap.options.reserve = 4 << 30 }
        let affinity = Affinity.current()
        return Heap.begin(affinity, Sequences.decide(Heap.options, allowedCPUs: affinity.allowed))
    }

    /// Gives all addresses back. Tests do not harden their heaps, nor sample: those tables would
    /// stay.
    deinit {
        bound {
            for index in 0..<FrontEnd.indexCount where FrontEnd.caches[index].pointee.slab != 0 {
                let memory = FrontEnd.caches[index].pointee.memory
                _ = percolate_munmap(memory.address, Int(memory.size))
            }
            let batches = TransferMemory.state.pointee.memory
            if batches.address != 0 { _ = percolate_munmap(batches.address, Int(batches.size)) }
            // Metadata lies in front of the window, in one reservation.
            let start = UInt(front.tables)
            if arena.backing == .reserved { _ = percolate_munmap(start, Int(arena.address(arena.limit) - start)) }
        }
        _ = percolate_munmap(address, Int(PERCOLATE_HEAP_SIZE))
    }

    /// Runs `body` with the calling thread bound to this heap.
    func bound<R>(_ body: () throws -> R) rethrows -> R {
        let before = percolate_bind_heap(address)
        defer { _ = percolate_bind_heap(before) }
        return try body()
    }

    /// Runs `body` on a heap of its own.
    static func run<R>(_ body: () throws -> R) throws -> R { try TestHeap().bound(body) }

    /// Starts the process's own heap: what the calling thread uses while it is bound to no other.
    static func startOfProcess() throws {
        let before = percolate_bind_heap(UInt(bitPattern: pinned(&percolate_process_heap)))
        defer { _ = percolate_bind_heap(before) }
        guard Heap.ensureStarted() else { throw DoesNotStart() }
    }

    /// The CPU numbers that this process may run on.
    static let processors: [Int] = {
        var mask = [UInt64](repeating: 0, count: 128)
        let bytes = percolate_getaffinity(1024, &mask)
        return (0..<max(bytes, 0) * 8).filter { mask[$0 / 64] >> UInt64($0 % 64) & 1 != 0 }
    }()

    /// Runs `body` on a thread of its own that stays on `cpu`, and returns what it returned.
    static func onProcessor<R: Sendable>(_ cpu: Int, _ body: @escaping @Sendable () -> R) throws -> R {
        nonisolated(unsafe) var result: R?
        let done = DispatchSemaphore(value: 0)
        let heap = percolate_bound_heap_address()
        let thread = Thread {
            _ = percolate_bind_heap(heap)
            var mask = [UInt64](repeating: 0, count: 16)
            mask[cpu / 64] = 1 << UInt64(cpu % 64)
            let outcome = mask.withUnsafeBufferPointer {
                percolate_syscall6(Int(SYS_sched_setaffinity), 0, 128, Int(bitPattern: $0.baseAddress), 0, 0, 0)
            }
            if outcome == 0 { result = body() }
            done.signal()
        }
        thread.start()
        done.wait()
        return try #require(result, "the thread cannot move to CPU \(cpu)")
    }

    /// Runs `body` on `count` threads at once and waits for all of them.
    static func onThreads(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) {
        let heap = percolate_bound_heap_address()
        DispatchQueue.concurrentPerform(iterations: count) { number in
            let before = percolate_bind_heap(heap)
            defer { _ = percolate_bind_heap(before) }
            body(number)
        }
    }
}

/// A lock refused a test, which is no signal handler.
struct Refused: Error {}

extension Supply {
    /// The memory; nil where there is none.
    func get() throws(Refused) -> Memory? {
        switch self {
        case .given(let memory): memory
        case .noMemory: nil
        case .refused: throw Refused()
        }
    }
}

/// Spans in use in the heap that the thread is bound to.
var spansInUse: Int { arenaState.pointee.spansInUse }

/// What a report of a programmer's error must be: the text of standard error of a test that was to
/// abort.
func report(_ result: ExitTest.Result?) -> String {
    String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
}
