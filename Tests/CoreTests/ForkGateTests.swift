import CPercolate
import Foundation
import Synchronization
import Testing

@testable import PercolateCoreHosted

/// A fork gate of each test's own.
@Suite struct ForkGateTests {
    private final class Fixture: Sendable {
        nonisolated(unsafe) private let lines: UnsafeMutableRawPointer
        let entries = Atomic<Int>(0)

        init() {
            let bytes = Int(PERCOLATE_FORK_GATE_LINES) * 64
            lines = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 64)
            lines.initializeMemory(as: UInt8.self, repeating: 0, count: bytes)
        }

        deinit { lines.deallocate() }

        var gate: ForkGate { ForkGate(at: UInt(bitPattern: lines)) }

        /// The calling thread's record, with a number.
        static func thread() -> UnsafeMutablePointer<percolate_thread> {
            _ = percolate_thread_number()
            return percolate_this_thread()
        }

        func enter() {
            var visit = percolate_visit()
            withUnsafeMutablePointer(to: &visit) { gate.enter(Self.thread(), $0) }
            Self.thread().pointee.outermost = nil
        }

        func leave() { gate.leave(Self.thread()) }

        /// Runs `body` on a thread of its own; the semaphore tells its end.
        func elsewhere(_ body: @escaping @Sendable (Fixture) -> Void) -> DispatchSemaphore {
            let done = DispatchSemaphore(value: 0)
            Thread {
                body(self)
                done.signal()
            }.start()
            return done
        }
    }

    private func finishes(_ done: DispatchSemaphore, within milliseconds: Int) -> Bool {
        done.wait(timeout: .now() + .milliseconds(milliseconds)) == .success
    }

    @Test func aForkWaitsForWhoIsInside() {
        let fixture = Fixture()
        let inside = DispatchSemaphore(value: 0)
        let goOn = DispatchSemaphore(value: 0)
        let visitor = fixture.elsewhere {
            $0.enter()
            inside.signal()
            goOn.wait()
            $0.leave()
        }
        inside.wait()
        let fork = fixture.elsewhere {
            $0.gate.close(Fixture.thread())
            $0.entries.add(1, ordering: .relaxed)
            $0.gate.open(Fixture.thread())
        }
        #expect(!finishes(fork, within: 100) && fixture.entries.load(ordering: .relaxed) == 0)
        goOn.signal()
        visitor.wait()
        #expect(finishes(fork, within: 20_000))
    }

    @Test func nobodyButTheForkingThreadEntersUntilTheGateOpens() {
        let fixture = Fixture()
        let closed = DispatchSemaphore(value: 0)
        let goOn = DispatchSemaphore(value: 0)
        let fork = fixture.elsewhere {
            let thread = Fixture.thread()
            $0.gate.close(thread)
            $0.gate.close(thread)
            $0.enter()
            $0.leave()
            $0.gate.open(thread)
            closed.signal()
            // It goes on: a fork that uses no CPU time counts as stuck.
            while goOn.wait(timeout: .now()) != .success {}
            $0.gate.open(thread)
        }
        closed.wait()
        let visitor = fixture.elsewhere {
            $0.enter()
            $0.leave()
        }
        #expect(!finishes(visitor, within: 1000), "the outer fork still has the gate")
        goOn.signal()
        fork.wait()
        #expect(finishes(visitor, within: 20_000))
    }

    /// libc's fork can wait for a thread that wants to allocate.
    @Test func nobodyWaitsForeverForAThreadThatStaysInsideFork() {
        let fixture = Fixture()
        let closed = DispatchSemaphore(value: 0)
        let goOn = DispatchSemaphore(value: 0)
        let fork = fixture.elsewhere {
            $0.gate.close(Fixture.thread())
            closed.signal()
            goOn.wait()
            $0.gate.open(Fixture.thread())
        }
        closed.wait()
        let visitor = fixture.elsewhere {
            $0.enter()
            $0.leave()
        }
        #expect(!finishes(visitor, within: 100))
        #expect(finishes(visitor, within: 20_000))
        goOn.signal()
        fork.wait()
    }

    @Test func aForkDoesNotWaitForAThreadThatEnded() {
        let fixture = Fixture()
        fixture.elsewhere { $0.enter() }.wait()
        // The thread ends a moment after it said so.
        Thread.sleep(forTimeInterval: 0.1)
        let start = ContinuousClock.now
        for _ in 0..<20 {
            fixture.gate.close(Fixture.thread())
            fixture.gate.open(Fixture.thread())
        }
        #expect(.now - start < .seconds(5), "only the first fork finds the slot")
    }

    @Test func inTheChildTheGateIsOpenAndNobodyIsInside() {
        let fixture = Fixture()
        fixture.elsewhere { $0.enter() }.wait()
        fixture.elsewhere { $0.gate.close(Fixture.thread()) }.wait()
        let thread = Fixture.thread()
        fixture.gate.reset(thread, number: thread.pointee.number)
        fixture.enter()
        #expect(fixture.gate.isIn(thread))
        fixture.leave()
        #expect(!fixture.gate.isIn(thread))
        fixture.gate.close(thread)
        fixture.gate.open(thread)
    }

    /// More threads than slots of a line, all of which are seen.
    @Test func visitsAndForksExcludeEachOther() {
        let fixture = Fixture()
        nonisolated(unsafe) var isForking = false
        TestHeap.onThreads(24) { number in
            for round in 0..<400 {
                if number < 2 {
                    guard round % 20 == 0 else { continue }
                    fixture.gate.close(Fixture.thread())
                    if fixture.entries.load(ordering: .relaxed) != 0 { Issue.record("a thread is inside a fork") }
                    isForking = true
                    percolate_yield()
                    isForking = false
                    fixture.gate.open(Fixture.thread())
                } else {
                    fixture.enter()
                    fixture.entries.add(1, ordering: .relaxed)
                    if isForking { Issue.record("a fork and a visit at once") }
                    fixture.entries.subtract(1, ordering: .relaxed)
                    fixture.leave()
                }
            }
        }
    }
}
