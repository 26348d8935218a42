import Foundation
import Percolate
import Synchronization
import TestSupport
import Testing

/// Blocks of the heap, whichever core serves them: the suite also runs under the preloaded shared
/// object (`SharedObjectTests`).
@Suite struct HeapTests {
    private func isFilled(_ block: UnsafeMutableRawPointer, _ count: Int, with byte: UInt8) -> Bool {
        UnsafeRawBufferPointer(start: block, count: count).allSatisfy { $0 == byte }
    }

    private static let sizes = [0, 1, 7, 8, 9, 16, 17, 100, 1024, 4096, 32768, 32769, 100_000, 3 << 20]

    @Test(arguments: sizes, [1, 8, 16, 32, 64, 256, 4096, 65536, 1 << 21])
    func everySizeAndAlignmentIsServedAndTakenBack(byteCount: Int, alignment: Int) throws {
        let block = try ProcessHeap.allocate(byteCount: byteCount, alignment: alignment)
        #expect(Int(bitPattern: block) % alignment == 0)
        #expect(ProcessHeap.usableSize(of: block) >= byteCount)
        memset(block, 0xa5, byteCount)
        #expect(isFilled(block, byteCount, with: 0xa5))
        ProcessHeap.deallocate(block, byteCount: byteCount, alignment: alignment)
    }

    @Test(arguments: sizes, [8, 16, 128, 8192])
    func zeroedBlocksReadAsZeroAlsoWhenTheyWereUsedBefore(byteCount: Int, alignment: Int) throws {
        for _ in 0..<3 {
            let block = try ProcessHeap.allocate(byteCount: byteCount, alignment: alignment, zeroed: true)
            #expect(isFilled(block, byteCount, with: 0))
            memset(block, 0xff, byteCount)
            ProcessHeap.deallocate(block, byteCount: byteCount, alignment: alignment)
        }
    }

    @Test(arguments: [1, 8, 16, 64, 4096])
    func reallocationKeepsBytesAndAlignment(alignment: Int) throws {
        var size = 3
        var block = try ProcessHeap.allocate(byteCount: size, alignment: alignment)
        memset(block, 0x5a, size)
        for wanted in [8, 9, 40, 40, 5000, 70_000, 1 << 20, 600_000, 200, 9, 8, 0, 1] {
            block = try ProcessHeap.reallocate(block, from: size, to: wanted, alignment: alignment)
            #expect(Int(bitPattern: block) % alignment == 0)
            #expect(isFilled(block, min(size, wanted), with: 0x5a))
            memset(block, 0x5a, wanted)
            size = wanted
        }
        ProcessHeap.deallocate(block, byteCount: size, alignment: alignment)
    }

    @Test func badArgumentsAreRefusedWithTheReason() {
        #expect(throws: AllocationError.negativeCount(-1)) { try ProcessHeap.allocate(byteCount: -1) }
        #expect(throws: AllocationError.invalidAlignment(24)) { try ProcessHeap.allocate(byteCount: 8, alignment: 24) }
        #expect(throws: AllocationError.invalidAlignment(0)) { try ProcessHeap.allocate(byteCount: 8, alignment: 0) }
        #expect(throws: AllocationError.outOfMemory(byteCount: .max)) { try ProcessHeap.allocate(byteCount: .max) }
        #expect(throws: AllocationError.outOfMemory(byteCount: .max)) {
            try ProcessHeap.allocate(UInt64.self, count: .max / 4)
        }
        #expect(throws: AllocationError.negativeCount(-2)) { try ProcessHeap.allocate(UInt64.self, count: -2) }
    }

    @Test func typedBlocksAndBuffersAreAligned() throws {
        let pointer = try ProcessHeap.allocate(SIMD8<Double>.self, count: 5)
        #expect(Int(bitPattern: pointer) % MemoryLayout<SIMD8<Double>>.alignment == 0)
        ProcessHeap.deallocate(pointer, count: 5)
        let buffer = try ProcessHeap.allocateBuffer(of: Int32.self, count: 1000)
        #expect(buffer.count == 1000)
        ProcessHeap.deallocate(buffer)
    }

    @Test func typedBlocksAndBuffersGrowAndKeepTheirValues() throws {
        var pointer = try ProcessHeap.allocate(SIMD4<Float>.self, count: 3, zeroed: true)
        #expect((0..<3).allSatisfy { pointer[$0] == .zero })
        pointer[2] = SIMD4(repeating: 7)
        pointer = try ProcessHeap.reallocate(pointer, from: 3, to: 10_000)
        #expect(Int(bitPattern: pointer) % 16 == 0 && pointer[2] == SIMD4(repeating: 7))
        ProcessHeap.deallocate(pointer, count: 10_000)

        var buffer = try ProcessHeap.allocateBuffer(of: Int.self, count: 100, zeroed: true)
        #expect(buffer.allSatisfy { $0 == 0 })
        for index in buffer.indices { buffer[index] = index }
        for count in [5000, 300_000, 10, 0, 1] {
            let kept = min(buffer.count, count)
            buffer = try ProcessHeap.reallocate(buffer, to: count)
            #expect(buffer.count == count && (0..<min(kept, 10)).allSatisfy { count < 10 || buffer[$0] == $0 })
        }
        #expect(throws: AllocationError.negativeCount(-1)) { try ProcessHeap.reallocate(buffer, to: -1) }
        ProcessHeap.deallocate(buffer)
    }

    @Test(arguments: [1, 16, 64, 4096]) func rawBuffersCarryTheirSize(alignment: Int) throws {
        var buffer = try ProcessHeap.allocateBuffer(byteCount: 100, alignment: alignment, zeroed: true)
        #expect(buffer.count == 100 && buffer.allSatisfy { $0 == 0 })
        buffer[99] = 9
        for count in [5000, 100_000, 100] {
            buffer = try ProcessHeap.reallocate(buffer, to: count, alignment: alignment)
            let address = Int(bitPattern: buffer.baseAddress)
            #expect(buffer.count == count && buffer[99] == 9 && address % alignment == 0)
        }
        ProcessHeap.deallocate(buffer, alignment: alignment)
        ProcessHeap.deallocate(UnsafeMutableRawBufferPointer(start: nil, count: 0))
    }

    /// Counts the instances that are alive.
    private final class Tracked {
        nonisolated(unsafe) static var alive = 0
        init() { Self.alive += 1 }
        deinit { Self.alive -= 1 }
    }

    @Test func ownersEndWhatTheyOwn() throws {
        do {
            var one = try HeapValue(Tracked())
            let many = try HeapBuffer(count: 10) { _ in Tracked() }
            one.value = Tracked()
            #expect(Tracked.alive == 11)
            #expect(many.count == 10)
        }
        #expect(Tracked.alive == 0)
        let value = try HeapValue([1, 2, 3]).take()
        #expect(value == [1, 2, 3])
    }

    private struct Unique: ~Copyable { var number: Int }

    @Test func ownersHoldNoncopyableValues() throws {
        var one = try HeapValue(Unique(number: 4))
        one.value.number += 1
        var many = try HeapBuffer(count: 3) { Unique(number: $0) }
        many[2].number = 9
        #expect(one.take().number == 5)
        #expect(many[0].number + many[1].number + many[2].number == 10)
    }

    @Test func buffersAreReadAndWrittenThroughSpans() throws {
        var buffer = try HeapBuffer(repeating: 1, count: 100)
        var span = buffer.mutableSpan
        for index in span.indices { span[index] += index }
        var sum = 0
        let read = buffer.span
        for index in read.indices { sum += read[index] }
        #expect(sum == 100 + 99 * 50)
        let empty = try HeapBuffer(repeating: 1, count: 0)
        #expect(empty.count == 0)
    }

    /// A block that whoever has it may write to.
    private struct Block: @unchecked Sendable {
        let address: UnsafeMutableRawPointer
        let byteCount: Int
        let mark: UInt8
    }
    private static let onTheirWay = Mutex<[Block]>([])
    private static let freedElsewhere = Atomic<Int>(0)

    @Test func blocksMayBeFreedByAnotherTask() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for task in 0..<16 {
                group.addTask {
                    for step in 0..<2000 {
                        let size = (task * 131 + step * 17) % 3000
                        let block = Block(
                            address: try ProcessHeap.allocate(byteCount: size), byteCount: size, mark: UInt8(task))
                        memset(block.address, Int32(task), size)
                        let other = Self.onTheirWay.withLock { blocks in
                            blocks.append(block)
                            return blocks.count > 100 ? blocks.remove(at: step % 100) : nil
                        }
                        if let other {
                            #expect(isFilled(other.address, other.byteCount, with: other.mark))
                            ProcessHeap.deallocate(other.address, byteCount: other.byteCount)
                            if other.mark != UInt8(task) { Self.freedElsewhere.wrappingAdd(1, ordering: .relaxed) }
                        }
                        if step % 20 == 0 { await Task.yield() }
                    }
                }
            }
            try await group.waitForAll()
        }
        for block in Self.onTheirWay.withLock({ $0 }) {
            ProcessHeap.deallocate(block.address, byteCount: block.byteCount)
        }
        #expect(Self.freedElsewhere.load(ordering: .relaxed) > 1000)
    }

    @Test func optionsSayOnlyWhatDiffers() {
        var options = HeapOptions()
        #expect(options.environmentValue == "")
        options.hardening = .full
        options.release = .never
        options.cacheBytes = 65536
        options.index = .mmCID
        #expect(options.environmentValue == "hardened=1,index=mm_cid,cache=65536,release=never")
        options = HeapOptions()
        options.usesBackgroundThread = false
        options.usesHugePages = true
        #expect(options.environmentValue == "background=off,huge=1")
        options.extendsSlices = false
        #expect(options.environmentValue == "slice=off,background=off,huge=1")
    }

    @Test func everyOptionIsOneThatAHeapKnows() async throws {
        var options = HeapOptions()
        options.statistics = "stderr"
        options.hardening = .full
        options.usesSequences = false
        options.usesMembarrier = false
        options.extendsSlices = true
        options.index = .cpuID
        options.cacheBytes = 1 << 20
        options.release = .lazy
        options.usesBackgroundThread = false
        options.usesHugePages = true
        options.reservedBytes = 1 << 36
        options.sampleBytes = 1 << 20
        options.guardBytes = 1 << 30
        let folder = try TemporaryFolder()
        options.profile = folder.path("profile")
        let decoded = try JSONDecoder().decode(HeapOptions.self, from: JSONEncoder().encode(options))
        #expect(decoded == options)
        let outcome = try await run("true", under: .percolate(options: options.environmentValue))
        // A line for each option that it does not know would come before.
        #expect(outcome.succeeded && outcome.errors.hasPrefix("percolate statistics\n"), "\(outcome)")
        #expect(outcome.errors.contains("\nmode hardened\n"))
    }
}
