import CPercolate
import Foundation
import Synchronization
import Testing

@testable import PercolateCoreHosted

extension HostedHeap {
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
                Thread {
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
            HostedHeap.onThreads(8) { _ in
                for _ in 0..<20_000 {
                    guard fixture.lock.acquire() else { continue }
                    fixture.guarded += 1
                    fixture.lock.release()
                }
            }
            #expect(fixture.guarded == 160_000)
        }

        @Test func tryingNeverWaitsAndNeverShares() {
            let fixture = Fixture()
            let entries = Atomic<Int>(0)
            HostedHeap.onThreads(4) { _ in
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
            #expect(fixture.lock.acquire())
            #expect(fixture.lock.isOwned(by: percolate_thread_pointer()))
            #expect(!fixture.lock.acquire())
            #expect(!fixture.lock.tryAcquire())
            #expect(try fixture.elsewhere { !$0.tryAcquire() && !$0.isOwned(by: percolate_thread_pointer()) })
            fixture.lock.release()
            #expect(!fixture.lock.isOwned(by: percolate_thread_pointer()))
            #expect(
                try fixture.elsewhere { lock in
                    guard lock.acquire() else { return false }
                    lock.release()
                    return true
                })
        }

        @Test func aWaiterSleepsUntilTheRelease() {
            let fixture = Fixture()
            #expect(fixture.lock.acquire())
            let waiter = Elsewhere {
                guard fixture.lock.acquire() else { return }
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
            #expect(fixture.lock.acquire())
            let waiter = Elsewhere {
                while !fixture.lock.tryAcquire(hasWaited: true) { fixture.lock.awaitRelease() }
                fixture.guarded += 1
                fixture.lock.release()
            }
            #expect(!waiter.finishes(within: 50))
            fixture.lock.release()
            waiter.finish()
            #expect(fixture.guarded == 1)
            #expect(fixture.lock.acquire())
            fixture.lock.release()
        }

        /// From prepare to parent handler: the forking thread passes, once at a time, and nobody else does.
        @Test func theForkingThreadPassesItsLocksAndOthersWait() throws {
            let fixture = Fixture()
            fixture.lock.holdForFork()
            for _ in 0..<3 {
                #expect(fixture.lock.acquire(), "a lock at rest lets its owner in")
                #expect(!fixture.lock.acquire(), "a signal handler inside is refused")
                #expect(!fixture.lock.tryAcquire())
                fixture.lock.release()
                #expect(fixture.lock.tryAcquire())
                fixture.lock.release()
                #expect(
                    fixture.lock.isOwned(by: percolate_thread_pointer()),
                    "a release does not give away what the fork holds")
            }
            let waiter = Elsewhere {
                guard fixture.lock.acquire() else { return }
                fixture.guarded += 1
                fixture.lock.release()
            }
            #expect(!waiter.finishes(within: 50))
            #expect(try fixture.elsewhere { !$0.tryAcquire() })
            fixture.lock.releaseAfterFork()
            waiter.finish()
            #expect(fixture.guarded == 1)
        }

        /// libc's fork can wait for a thread that wants to allocate.
        @Test func nobodyWaitsForeverForAThreadThatStaysInsideFork() throws {
            let fixture = Fixture()
            fixture.lock.holdForFork()
            StuckFork.begin()
            let patient = Elsewhere {
                guard fixture.lock.acquire(givesUp: false) else { return }
                fixture.guarded += 1
                fixture.lock.release()
            }
            let refused = Elsewhere { if fixture.lock.acquire() { fixture.guarded = -1 } }
            #expect(!refused.finishes(within: 100))
            #expect(refused.finishes(within: 20_000))
            #expect(!patient.finishes(within: 500) && fixture.guarded == 0)
            StuckFork.end()
            fixture.lock.releaseAfterFork()
            patient.finish()
            #expect(fixture.guarded == 1)

            fixture.lock.holdForFork()
            let next = Elsewhere {
                guard fixture.lock.acquire() else { return }
                fixture.guarded += 1
                fixture.lock.release()
            }
            // A fork that goes on is waited for.
            StuckFork.begin()
            let end = ContinuousClock.now + .milliseconds(1000)
            while .now < end {}
            #expect(fixture.guarded == 1)
            StuckFork.end()
            fixture.lock.releaseAfterFork()
            next.finish()
            #expect(fixture.guarded == 2)
        }

        @Test func inTheChildEveryLockIsFree() throws {
            let fixture = Fixture()
            #expect(try fixture.elsewhere { $0.acquire() }, "by a thread that the child does not have")
            #expect(!fixture.lock.tryAcquire())
            fixture.lock.resetAfterFork()
            #expect(fixture.lock.acquire())
            fixture.lock.release()
        }

        @Test func onlyTheHolderReleasesAfterFork() throws {
            let fixture = Fixture()
            #expect(fixture.lock.acquire())
            #expect(
                try fixture.elsewhere { lock in
                    lock.releaseAfterFork()
                    return !lock.tryAcquire()
                })
            fixture.lock.release()
        }
    }
}
