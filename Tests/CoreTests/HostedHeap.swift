import CPercolate
import Foundation
import Testing

@testable import PercolateCoreHosted

/// The suites that use the process's own hosted heap, beside glibc's malloc. One after the other: they read its counters and
/// change what its caches hold.
@Suite(.serialized) struct HostedHeap {
    struct DoesNotStart: Error {}

    static func start() throws {
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
        let thread = Thread {
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
        DispatchQueue.concurrentPerform(iterations: count, execute: body)
    }
}

/// What a report of a programmer's error must be: the text of standard error of a test that was to abort.
func report(_ result: ExitTest.Result?) -> String {
    String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
}
