import Foundation
import Percolate
import Synchronization
import Testing

/// Runs `body` on `count` threads at once, and returns when they have ended and hold nothing any
/// more.
private func onThreads(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) {
    final class Work: Sendable {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }
    let threads = (0..<count).map { number in
        var thread = pthread_t()
        let work = Unmanaged.passRetained(Work { body(number) }).toOpaque()
        let result = pthread_create(
            &thread, nil,
            { work in
                if let work { Unmanaged<Work>.fromOpaque(work).takeRetainedValue().run() }
                return nil
            }, work)
        precondition(result == 0, "no thread")
        return thread
    }
    for thread in threads { pthread_join(thread, nil) }
}

@Suite(.serialized) struct PerCPUTests {
    @Test func noAdditionIsLostUnderContentionAndDrains() {
        let counter = PerCPUCounter()
        let drained = Atomic<Int>(0)
        let running = Atomic<Bool>(true)
        let drainer = Thread {
            while running.load(ordering: .relaxed) {
                drained.wrappingAdd(counter.drain(), ordering: .relaxed)
                usleep(200)
            }
            drained.wrappingAdd(counter.drain(), ordering: .relaxed)
            running.store(true, ordering: .releasing)
        }
        drainer.start()
        onThreads(8) { _ in for _ in 0..<200_000 { counter.add(1) } }
        running.store(false, ordering: .relaxed)
        while !running.load(ordering: .acquiring) { usleep(1000) }
        #expect(drained.load(ordering: .relaxed) == 1_600_000)
        #expect(counter.value == 0)
    }

    @Test func additionsUseSectionsAndNotVectors() {
        let counter = PerCPUCounter()
        func vectors() -> Int { ProcessHeap.statistics.cpus.reduce(0) { $0 + $1.vectorsLocal + $1.vectorsRemote } }
        let before = vectors()
        for _ in 0..<1_000_000 { counter -= 3 }
        counter += 1
        #expect(counter.value == -2_999_999)
        let statistics = ProcessHeap.statistics
        if statistics.registration == .glibc, statistics.canFence { #expect(vectors() - before < 10_000) }
    }

    private struct Point: Equatable, BitwiseCopyable, Sendable {
        var x: Int
        var y: Int
        var z: Int
    }

    @Test func valuesOfAnySizeAreUpdatedInOneStep() {
        let word = PerCPU(1)
        let point = PerCPU(Point(x: 0, y: 0, z: 0))
        onThreads(4) { _ in
            for _ in 0..<2000 {
                word.update { $0 + 1 }
                point.update { Point(x: $0.x + 1, y: $0.y + 2, z: $0.z + 3) }
            }
        }
        #expect(word.reduce(0) { $0 + $1 } == 8000 + word.cpus.count)
        let sum = point.reduce(Point(x: 0, y: 0, z: 0)) { Point(x: $0.x + $1.x, y: $0.y + $1.y, z: $0.z + $1.z) }
        #expect(sum == Point(x: 8000, y: 16000, z: 24000))
        #expect(point.exchangeAll(with: Point(x: 0, y: 0, z: 0)).reduce(0) { $0 + $1.z } == 24000)
        #expect(point[0] == Point(x: 0, y: 0, z: 0))
    }

    @Test func whatAChangeThrowsComesOutAndChangesNothing() throws {
        struct Failure: Error {}
        let value = PerCPU(3)
        #expect(throws: Failure.self) { try value.update { _ throws(Failure) in throw Failure() } }
        #expect(throws: Failure.self) { try value.reduce(0) { _, _ throws(Failure) in throw Failure() } }
        #expect(value.reduce(0, +) == 3 * value.cpus.count)
    }

    /// Counts the elements that are alive.
    private struct Token: ~Copyable, Sendable {
        static let alive = Atomic<Int>(0)
        let number: Int
        init(_ number: Int) {
            self.number = number
            Self.alive.wrappingAdd(1, ordering: .relaxed)
        }
        deinit { Self.alive.wrappingSubtract(1, ordering: .relaxed) }
    }

    @Test func everyNodeOfAStackComesOutOnce() throws {
        let sum = Atomic<Int>(0)
        do {
            let stack = PerCPUStack<Token>()
            onThreads(6) { thread in
                for step in 0..<20_000 {
                    do { try stack.push(Token(thread * 20_000 + step)) } catch { Issue.record(error) }
                    if step % 3 != 0, let token = stack.popAny() { sum.wrappingAdd(token.number, ordering: .relaxed) }
                }
            }
            stack.drain { token in sum.wrappingAdd(token.number, ordering: .relaxed) }
            #expect(stack.popAny() == nil ? true : false)
            try stack.push(Token(0))
        }
        #expect(sum.load(ordering: .relaxed) == 120_000 * 119_999 / 2)
        #expect(Token.alive.load(ordering: .relaxed) == 0)
    }

    @Test func aBufferNeverHoldsMoreThanItsCapacity() throws {
        let buffer = PerCPUBuffer<Token>(capacity: 16)
        let refused = Atomic<Int>(0)
        let taken = Atomic<Int>(0)
        onThreads(6) { thread in
            for step in 0..<20_000 {
                switch buffer.put(Token(step)) {
                case .stored: break
                case .refused(let token):
                    #expect(token.number == step)
                    refused.wrappingAdd(1, ordering: .relaxed)
                }
                if (step + thread) % 2 == 0, let token = buffer.take() {
                    _ = token.number
                    taken.wrappingAdd(1, ordering: .relaxed)
                }
            }
        }
        let left = buffer.count
        #expect(left > 0 && left <= 16 * ProcessInfo.processInfo.processorCount)
        #expect(refused.load(ordering: .relaxed) + taken.load(ordering: .relaxed) + left == 120_000)
        var drained = 0
        buffer.drain { token in drained += token.number >= 0 ? 1 : 0 }
        #expect(drained == left)

        // Draining ends, although as much is put as is taken.
        for number in 0..<8 { buffer.put(Token(number)) }
        var turns = 0
        buffer.drain { token in
            turns += 1
            buffer.put(Token(token.number))
        }
        #expect(turns >= 8 && turns <= 16 * ProcessInfo.processInfo.processorCount)
        buffer.drain { _ in }
        #expect(Token.alive.load(ordering: .relaxed) == 0)
    }

    /// Its words are not equal by chance: each thread's element is another, and a mixture of two is
    /// found.
    private struct Wide<Words: BitwiseCopyable & Sendable>: ~Copyable, Sendable {
        let words: Words
    }

    private func exchange<Element: ~Copyable & Sendable>(
        _ make: @escaping @Sendable (Int) -> Element, number: (@Sendable (borrowing Element) -> Int)?
    ) {
        let buffer = PerCPUBuffer<Element>(capacity: 8)
        let put = Atomic<Int>(0)
        let taken = Atomic<Int>(0)
        onThreads(4) { thread in
            for step in 0..<10_000 {
                let value = thread << 32 | step
                if buffer.put(make(value)).isStored {
                    put.wrappingAdd(number == nil ? 1 : value, ordering: .relaxed)
                }
                if (step + thread) % 3 != 0, let element = buffer.take() {
                    taken.wrappingAdd(number?(element) ?? 1, ordering: .relaxed)
                }
            }
        }
        buffer.drain { taken.wrappingAdd(number?($0) ?? 1, ordering: .relaxed) }
        #expect(put.load(ordering: .relaxed) == taken.load(ordering: .relaxed))
        #expect(buffer.count == 0)
    }

    @Test func elementsOfEverySizeComeOutOfABufferAsTheyWentIn() {
        exchange({ $0 }, number: { $0 })
        exchange(
            { Wide(words: ($0, ~$0, $0)) },
            number: { element in
                #expect(element.words.0 == ~element.words.1 && element.words.2 == element.words.0)
                return element.words.0
            })
        exchange(
            { Wide(words: InlineArray<255, Int>(repeating: $0)) },
            number: { element in
                #expect(element.words.indices.allSatisfy { element.words[$0] == element.words[0] })
                return element.words[0]
            })
        // A byte cannot say its number: only how many came out counts.
        exchange({ Wide(words: UInt8(truncatingIfNeeded: $0)) }, number: nil)
        exchange({ _ in Wide(words: ()) }, number: nil)
    }

    @Test func neitherPuttingNorTakingAllocates() {
        let buffer = PerCPUBuffer<Wide<(Int, Int, Int)>>(capacity: 4)
        buffer.put(Wide(words: (0, 0, 0)))
        let counts = ProcessHeap.countAllocations {
            for step in 0..<1000 {
                buffer.put(Wide(words: (step, step, step)))
                _ = buffer.take()
            }
        }
        #expect(counts.allocations == 0 || ProcessHeap.servesMalloc)
    }

    @Test func whatDrainingThrowsLeavesTheRest() {
        struct Failure: Error {}
        let buffer = PerCPUBuffer<Token>(capacity: 4)
        for number in 0..<3 { buffer.put(Token(number)) }
        #expect(throws: Failure.self) { try buffer.drain { _ throws(Failure) in throw Failure() } }
        #expect(buffer.count == 2 && Token.alive.load(ordering: .relaxed) == 2)
    }
}
