import CPercolate
import Foundation
import Testing

@testable import PercolateCoreHosted

/// The heap's operations as the entry points call them.
@Suite struct HeapTests {
    private static func bytes(_ address: UInt, _ count: Int) -> UnsafeMutableBufferPointer<UInt8> {
        UnsafeMutableBufferPointer(start: UnsafeMutablePointer(bitPattern: address), count: count)
    }

    @Test func everySizeIsServedAlignedAndUsable() throws {
        try TestHeap.run {
            for size in [0, 1, 7, 8, 9, 16, 100, 4096, 32767, 32768, 32769, 100_000, 5 << 20] {
                let block = Heap.allocate(UInt(size))
                #expect(block != 0 && block % (size <= 8 ? 8 : 16) == 0)
                let usable = Heap.usableSize(block)
                #expect(usable >= size)
                Self.bytes(block, usable).initialize(repeating: 0x5a)
                Heap.free(block)
            }
        }
    }

    @Test func everyAlignmentIsKept() throws {
        try TestHeap.run {
            for power in 0...24 {
                for size in [1, 100, 5000, 40_000, 300_000] {
                    let block = Heap.allocate(UInt(size), alignment: 1 << UInt(power))
                    #expect(block != 0 && block % (1 << UInt(power)) == 0)
                    #expect(Heap.usableSize(block) >= size)
                    Heap.free(block)
                }
            }
        }
    }

    @Test func whatNoObjectMayBeIsRefused() throws {
        try TestHeap.run {
            #expect(Heap.allocate(UInt.max) == 0)
            #expect(Heap.allocate(UInt(Int.max) + 1) == 0)
            #expect(Heap.allocate(UInt(Int.max), alignment: 64) == 0)
            #expect(Heap.allocate(16, alignment: 1 << 60) == 0)
            let block = Heap.allocate(100)
            #expect(Heap.reallocate(block, UInt.max) == 0)
            #expect(Heap.usableSize(block) >= 100, "the block stays")
            Heap.free(block)
        }
    }

    @Test(arguments: [100, 4000, 100_000, 3 << 20]) func zeroedMeansZeroAfterUse(size: Int) throws {
        try TestHeap.run {
            for _ in 0..<3 {
                let block = Heap.allocate(UInt(size), zeroed: true)
                #expect(Self.bytes(block, size).allSatisfy { $0 == 0 })
                Self.bytes(block, Heap.usableSize(block)).initialize(repeating: 0xee)
                Heap.free(block)
            }
        }
    }

    /// Through every layer: within a class, between classes, in place, by moving pages, and back.
    @Test func contentsSurviveEveryResize() throws {
        try TestHeap.run {
            var block = Heap.allocate(10)
            Self.bytes(block, 10).initialize(repeating: 1)
            var obstacle: UInt = 0
            var size = 10
            for next in [12, 200, 33_000, 100_000, 1 << 20, 9 << 20, 20 << 20, 300_000, 40_000, 500, 3] {
                let resized = Heap.reallocate(block, UInt(next))
                #expect(resized != 0)
                #expect(Self.bytes(resized, min(size, next)).allSatisfy { $0 == 1 }, "\(size) to \(next)")
                Self.bytes(resized, next).initialize(repeating: 1)
                if obstacle != 0 { Heap.free(obstacle) }
                // Something behind the block, so that not every growth is in place.
                obstacle = next % 3 == 0 ? Heap.allocate(50_000) : 0
                (block, size) = (resized, next)
            }
            if obstacle != 0 { Heap.free(obstacle) }
            Heap.free(block)
        }
    }

    @Test func aLargeBlockThatGrowsInSmallStepsMovesSeldom() throws {
        try TestHeap.run {
            let page = Int(Arena.pageSize)
            var block = Heap.allocate(UInt(40 * page))
            var obstacles: [UInt] = []
            var moves = 0
            for pages in 41...400 {
                // Nothing behind it is free.
                obstacles.append(Heap.allocate(UInt(40 * page)))
                let grown = Heap.reallocate(block, UInt(pages * page))
                if grown != block { moves += 1 }
                block = grown
                let usable = Heap.usableSize(block)
                #expect(usable >= pages * page && usable <= pages * page * 9 / 8)
            }
            #expect(moves <= 40, "once for each ninth, and where the place behind happened to be free")
            let before = arena.inUse
            block = Heap.reallocate(block, UInt(200 * page))
            #expect(Heap.usableSize(block) == 200 * page && arena.inUse <= before - 200)
            Heap.free(block, size: UInt(200 * page), alignment: 1)
            obstacles.forEach(Heap.free)
        }
    }

    @Test func slackIsWithinWhatASizedFreeAccepts() async throws {
        let page = Int(Arena.pageSize)
        try TestHeap.run {
            for pages in 8..<200 {
                let block = Heap.allocate(UInt(pages * page))
                let obstacle = Heap.allocate(UInt(page * 8))
                let grown = Heap.reallocate(block, UInt(pages * page + 1))
                Heap.free(grown, size: UInt(pages * page + 1), alignment: 1)
                Heap.free(obstacle)
            }
        }
        let result = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
            let page = UInt(Arena.pageSize)
            let block = Heap.allocate(80 * page)
            _ = Heap.allocate(8 * page)
            Heap.free(Heap.reallocate(block, 81 * page), size: 78 * page, alignment: 1)
        }
        #expect(report(result).contains("percolate: wrong size: 0x"), "\(report(result))")
    }

    @Test func aLargeBlockGrowsInPlaceWhereItCan() throws {
        try TestHeap.run {
            let page = Int(Arena.pageSize)
            let block = Heap.allocate(UInt(50 * page))
            let pages = arena.inUse
            let smaller = Heap.reallocate(block, UInt(20 * page))
            #expect(smaller == block, "shrinking never moves")
            #expect(arena.inUse == pages - 30 && Heap.usableSize(smaller) == 20 * page)
            // The pages behind it are those that it just gave up.
            let larger = Heap.reallocate(smaller, UInt(50 * page))
            #expect(larger == block)
            #expect(arena.inUse == pages && Heap.usableSize(larger) == 50 * page)
            Heap.free(larger)
            #expect(arena.inUse == pages - 50)
        }
    }

    @Test func everyPageComesBack() throws {
        try TestHeap.run {
            let before = (spans: spansInUse, pages: arena.inUse)
            let blocks = (0..<50).map { Heap.allocate(UInt(40_000 + $0 * 7000)) }
            #expect(spansInUse == before.spans + 50)
            for block in blocks { Heap.free(block) }
            #expect(spansInUse == before.spans && arena.inUse == before.pages)
        }
    }

    @Test func trimmingReleasesWhatIsFree() throws {
        try TestHeap.run {
            let block = Heap.allocate(600_000)
            Self.bytes(block, 600_000).initialize(repeating: 1)
            Heap.free(block)
            #expect(Heap.trim())
            #expect(arena.retention.resident == 0)
            #expect(!Heap.trim(), "nothing is left")
        }
    }

    @Test func aTrimThatFollowsAtOnceIsLeftOutUnlessMuchIsFree() throws {
        try TestHeap.run {
            func free(bytes count: Int) {
                let block = Heap.allocate(UInt(count))
                Self.bytes(block, count).initialize(repeating: 1)
                Heap.free(block)
            }
            free(bytes: 100_000)
            #expect(Heap.trimIfDue(at: 1000), "the first")
            free(bytes: 100_000)
            #expect(!Heap.trimIfDue(at: 1000) && arena.retention.resident > 0, "the same tick")
            #expect(Heap.trimIfDue(at: 1001) && arena.retention.resident == 0, "the next tick")
            free(bytes: 600_000)
            #expect(Heap.trimIfDue(at: 1001) && arena.retention.resident == 0, "much is free")
        }
    }

    @Test func aRightSizeIsAccepted() throws {
        try TestHeap.run {
            for (size, alignment) in [
                (1, 0), (100, 0), (100, 64), (5000, 4096), (100_000, 0), (100_000, 8192), (20, 1 << 16),
            ] as [(UInt, UInt)] {
                let block = alignment == 0 ? Heap.allocate(size) : Heap.allocate(size, alignment: alignment)
                Heap.free(block, size: size, alignment: max(alignment, 1))
            }
            Heap.free(0)
            Heap.free(0, size: 10, alignment: 1)
        }
    }

    private static func twice(_ size: UInt) {
        let block = Heap.allocate(size)
        Heap.free(block)
        Heap.free(block)
    }

    @Test func aDoubleFreeIsReported() async {
        let small = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
            Self.twice(40)
        }
        #expect(
            report(small).contains("percolate: double free: 0x") && report(small).contains("(block of 48 bytes)"))
        let large = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
            Self.twice(90_000)
        }
        #expect(report(large).contains("percolate: double free: 0x"), "\(report(large))")
    }

    @Test func aForeignPointerIsReported() async {
        let result = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
            try TestHeap.startOfProcess()
            let foreign = UnsafeMutableRawPointer.allocate(byteCount: 100, alignment: 16)
            Heap.free(UInt(bitPattern: foreign))
        }
        #expect(report(result).contains("percolate: foreign pointer: 0x") && report(result).contains("(not ours)"))
    }

    @Test func aWrongSizeIsReported() async {
        let small = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
            Heap.free(Heap.allocate(100), size: 200, alignment: 1)
        }
        #expect(
            report(small).contains("percolate: wrong size: 0x") && report(small).contains("(block of 112 bytes)"))
        let large = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
            Heap.free(Heap.allocate(100_000), size: 200_000, alignment: 1)
        }
        #expect(report(large).contains("percolate: wrong size: 0x"), "\(report(large))")
    }

    @Test func anInteriorPointerIsReported() async {
        let large = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
            Heap.free(Heap.allocate(100_000) + 8192)
        }
        #expect(report(large).contains("percolate: interior pointer: 0x"), "\(report(large))")
        let sized = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
            _ = Heap.usableSize(Heap.allocate(100) + 16)
        }
        #expect(report(sized).contains("percolate: interior pointer: 0x"), "\(report(sized))")
    }

    /// In every mode, each in a process of its own that starts its heap with these options.
    @Test(arguments: [
        ["", "sections"], ["rseq=off", "locked"], ["hardened=1", "hardened"], ["membarrier=off", "sections"],
        ["index=mm_cid", "sections"], ["cache=64K", "sections"], ["release=never,reserve=64M", "sections"],
    ])
    func everyModeServes(mode: [String]) async {
        let result = await #expect(processExitsWith: .success, observing: [\.standardErrorContent]) { [mode] in
            setenv("PERCOLATE_OPTIONS", mode[0], 1)
            try TestHeap.startOfProcess()
            precondition("\(FrontEnd.mode)" == mode[1], "mode \(FrontEnd.mode)")
            TestHeap.onThreads(4) { thread in
                var random = SeededGenerator(seed: UInt64(thread))
                var owned: [UInt] = []
                for _ in 0..<8000 {
                    if owned.count < 300, Bool.random(using: &random) {
                        let large = Int.random(in: 0..<50, using: &random) == 0
                        let block = Heap.allocate(UInt.random(in: 8...(large ? 100_000 : 3000), using: &random))
                        precondition(block != 0)
                        UnsafeMutablePointer<Int>(bitPattern: block)?.pointee = thread
                        owned.append(block)
                    } else if let block = owned.popLast() {
                        precondition(UnsafeMutablePointer<Int>(bitPattern: block)?.pointee == thread)
                        Heap.free(block)
                        owned.shuffle(using: &random)
                    }
                }
                for block in owned { Heap.free(block) }
            }
            _ = Heap.trim()
            // What another CPU caches cannot be had without a fence, and a hardened heap keeps
            // free blocks from reuse.
            if mode[0] != "membarrier=off", mode[1] != "hardened" {
                precondition(spansInUse == 0, "\(spansInUse) spans")
                precondition(arena.inUse == 0, "\(arena.inUse) pages")
            }
            exit(0)
        }
        #expect(!report(result).contains("percolate: "), "\(report(result))")
        if result == nil { Issue.record("\(mode)") }
    }
}
