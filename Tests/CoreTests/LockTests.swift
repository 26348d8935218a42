import CPercolate
import Foundation
import Synchronization
import Testing

@testable import PercolateCoreHosted

/// Locks of the tests' own.
@Suite struct LockTests {
    /// A lock, and something that it guards.
    private final class Fixture: Sendable {
        nonisolated(unsafe) private let word = UnsafeMutablePointer<UInt>.allocate(capacity: 1)
        nonisolated(unsafe) var guarded = 0

        init() { word.initialize(to: 0) }
        deinit { word.deallocate() }

        var lock: Lock { Lock(at: UInt(bitPattern: word)) }

        /// What `body` returns on another thread.
        func elsewhere<R: Sendable>(_ body: @escaping @Sendable (Lock) -> R) throws -> R {
            nonisolated(unsafe) var result: R?
            let thread = Elsewhere { result = body(self.lock) }
            thread.finish()
            return try #require(result)
        }
    }

    /// A thread that can be waited for.
    private final class Elsewhere: Sendable {
        private let done = DispatchSemaphore(value: 0)

        init(_ body: @escaping @Sendable () -> Void) {
            let done = done
            let heap = percolate_bound_heap_address()
            Thread {
                _ = percolate_bind_heap(heap)
                body()
                done.signal()
            }.start()
        }

        func finish() { done.wait() }
        /// Whether the thread ends within `milliseconds`.
        func finishes(within milliseconds: Int) -> Bool {
            done.wait(timeout: .now() + .milliseconds(milliseconds)) == .success
        }
    }

    @Test func oneThreadAtATimeIsInside() {
        let fixture = Fixture()
        TestHeap.onThreads(8) { _ in
            for _ in 0..<20_000 {
                guard fixture.lock.acquire() == .entered else { continue }
                fixture.guarded += 1
                fixture.lock.release()
            }
        }
        #expect(fixture.guarded == 160_000)
    }

    @Test func tryingNeverWaitsAndNeverShares() {
        let fixture = Fixture()
        let entries = Atomic<Int>(0)
        TestHeap.onThreads(4) { _ in
            for _ in 0..<20_000 where fixture.lock.tryAcquire() {
                fixture.guarded += 1
                entries.wrappingAdd(1, ordering: .relaxed)
                fixture.lock.release()
            }
        }
        #expect(fixture.guarded == entries.load(ordering: .relaxed))
        #expect(fixture.guarded > 0)
    }

    @Test func theOwnerIsRefusedASecondEntry() throws {
        let fixture = Fixture()
        #expect(fixture.lock.acquire() == .entered)
        #expect(fixture.lock.owner == percolate_thread_number())
        #expect(fixture.lock.acquire() == .reentrant)
        #expect(!fixture.lock.tryAcquire())
        #expect(try fixture.elsewhere { !$0.tryAcquire() && $0.owner != percolate_thread_number() })
        fixture.lock.release()
        #expect(fixture.lock.owner == 0)
        #expect(
            try fixture.elsewhere { lock in
                guard lock.acquire() == .entered else { return false }
                lock.release()
                return true
            })
    }

    @Test func aWaiterSleepsUntilTheRelease() {
        let fixture = Fixture()
        #expect(fixture.lock.acquire() == .entered)
        let waiter = Elsewhere {
            guard fixture.lock.acquire() == .entered else { return }
            fixture.guarded += 1
            fixture.lock.release()
        }
        #expect(!waiter.finishes(within: 50))
        #expect(fixture.guarded == 0)
        fixture.lock.release()
        waiter.finish()
        #expect(fixture.guarded == 1)
    }

    @Test func awaitingTheReleaseDoesNotTakeTheLock() {
        let fixture = Fixture()
        fixture.lock.awaitRelease()
        #expect(fixture.lock.acquire() == .entered)
        let waiter = Elsewhere {
            while !fixture.lock.tryAcquire(hasWaited: true) { fixture.lock.awaitRelease() }
            fixture.guarded += 1
            fixture.lock.release()
        }
        #expect(!waiter.finishes(within: 50))
        fixture.lock.release()
        waiter.finish()
        #expect(fixture.guarded == 1)
        #expect(fixture.lock.acquire() == .entered)
        fixture.lock.release()
    }

    /// A thread that is inside a lock when it ends never releases it.
    @Test func aLockOfAThreadThatEndedIsTakenOver() throws {
        try TestHeap.run {
            let index = FrontEnd.indexCount - 1
            let lock = FrontEnd.gate(index).lock
            let fixture = Fixture()
            let owner = try fixture.elsewhere { _ -> UInt32 in
                let lock = FrontEnd.gate(index).lock
                return lock.tryAcquire() ? lock.owner : 0
            }
            #expect(owner != 0 && lock.owner == owner)
            #expect(!lock.tryAcquire(), "nothing is known of the owner at once")
            #expect(lock.acquire() == .entered)
            #expect(lock.owner == percolate_thread_number())
            lock.release()
        }
    }

    @Test func onlyALockOfTheNamedThreadIsTakenOver() throws {
        let fixture = Fixture()
        let owner = try fixture.elsewhere { $0.tryAcquire() ? $0.owner : 0 }
        #expect(!fixture.lock.takeOver(from: owner &+ 1) && fixture.lock.owner == owner)
        #expect(fixture.lock.takeOver(from: owner) && fixture.lock.owner == percolate_thread_number())
        fixture.lock.release()
        #expect(!fixture.lock.takeOver(from: owner))
    }

    /// As a signal handler that interrupted the allocator.
    @Test func aNestedCallWaitsForNobodyLong() throws {
        let fixture = Fixture()
        let release = DispatchSemaphore(value: 0)
        let held = DispatchSemaphore(value: 0)
        let holder = Elsewhere {
            #expect(fixture.lock.tryAcquire())
            held.signal()
            release.wait()
            fixture.lock.release()
        }
        held.wait()
        let admission = try Fixture().elsewhere { _ -> Admission in
            var visit = percolate_visit()
            let thread: UnsafeMutablePointer<percolate_thread> = percolate_this_thread()
            return withUnsafeMutablePointer(to: &visit) {
                thread.pointee.nested = $0
                defer { thread.pointee.nested = nil }
                return fixture.lock.acquire()
            }
        }
        #expect(admission == .outOfOrder)
        release.signal()
        holder.finish()
        #expect(fixture.lock.acquire() == .entered)
        fixture.lock.release()
    }
}
