import CPercolate
import Glibc
import Testing

@testable import PercolateCoreHosted

/// When a holder of locks asks for a longer time slice, and when it gives one up: with an area that
/// the tests write as the kernel would. `Tests/Systems/slices` has the kernel.
@Suite(.serialized) struct TimeSliceTests {
    /// Bits of the area's flags that Linux 7.0 writes.
    private static let available: UInt32 = 1 << 4
    private static let enabled: UInt32 = 1 << 5
    /// AT_RSEQ_FEATURE_SIZE, of which the extension needs 33.
    private static let kernelHasNone = percolate_auxiliary(27) < 33

    /// A thread, and its area, whose fields Swift does not import: the record is over-aligned.
    private final class Fixture {
        let thread = UnsafeMutablePointer<percolate_thread>.allocate(capacity: 1)
        private let area = UnsafeMutableRawBufferPointer.allocate(byteCount: 64, alignment: 64)
        private let extendedBefore = percolate_slices_extended

        init(flags: UInt32, cpu: Int32 = 1) {
            thread.initialize(to: percolate_thread())
            area.initializeMemory(as: UInt8.self, repeating: 0)
            area.storeBytes(of: cpu, toByteOffset: 4, as: Int32.self)
            setFlags(flags)
        }
        deinit {
            thread.deallocate()
            area.deallocate()
        }

        var bytes: [UInt8] { Array(area) }
        func setFlags(_ flags: UInt32) { area.storeBytes(of: flags, toByteOffset: 16, as: UInt32.self) }
        func begin() { percolate_begin_hold_in(thread, OpaquePointer(area.baseAddress)) }
        func end() { percolate_end_hold_in(thread, OpaquePointer(area.baseAddress)) }
        func holdCountedElsewhere() {
            var other = percolate_thread()
            percolate_begin_hold_in(&other, OpaquePointer(area.baseAddress))
            percolate_end_hold_in(&other, OpaquePointer(area.baseAddress))
        }
        /// As the kernel in place of a preemption, and at the preemption that follows.
        func grant() { (area[28], area[29]) = (0, 1) }
        func revoke() { (area[28], area[29]) = (0, 0) }
        var isAsking: Bool { area[28] == 1 }
        var extended: UInt64 { percolate_slices_extended - extendedBefore }
    }

    @Test func aHoldAsksAndTakesTheRequestBack() {
        let fixture = Fixture(flags: Self.available | Self.enabled)
        fixture.begin()
        #expect(fixture.isAsking)
        fixture.end()
        #expect(!fixture.isAsking && fixture.extended == 0 && fixture.thread.pointee.holds == 0)
    }

    @Test func onlyTheOutermostHoldGivesUp() {
        let fixture = Fixture(flags: Self.enabled)
        for _ in 0..<3 { fixture.begin() }
        fixture.grant()
        fixture.end()
        fixture.end()
        #expect(fixture.extended == 0, "an inner hold gave up the slice of the outer one")
        fixture.end()
        #expect(fixture.extended == 1)
    }

    /// The negative control: an inner hold that does not know of the outer one ends it.
    @Test func aHoldThatIsCountedElsewhereGivesTheOuterOneUp() {
        let fixture = Fixture(flags: Self.enabled)
        fixture.begin()
        fixture.grant()
        fixture.holdCountedElsewhere()
        #expect(fixture.extended == 1)
        fixture.revoke()
        fixture.end()

        fixture.begin()
        fixture.holdCountedElsewhere()
        #expect(!fixture.isAsking)
        fixture.end()
    }

    @Test func anInnerHoldLeavesTheRequest() {
        let fixture = Fixture(flags: Self.enabled)
        fixture.begin()
        fixture.begin()
        fixture.end()
        #expect(fixture.isAsking)
        fixture.end()
        #expect(!fixture.isAsking)
    }

    @Test func aRevokedSliceNeedsNothing() {
        let fixture = Fixture(flags: Self.enabled)
        fixture.begin()
        fixture.grant()
        fixture.revoke()
        fixture.end()
        #expect(fixture.extended == 0)
    }

    @Test func anEndWithoutABeginningIsNothing() {
        let fixture = Fixture(flags: Self.enabled)
        fixture.end()
        #expect(fixture.thread.pointee.holds == 0)
        fixture.begin()
        #expect(fixture.isAsking)
        fixture.end()
    }

    /// A program may take a registration back: the kernel leaves its other words as they were.
    @Test(arguments: [-1, -2] as [Int32]) func anUnregisteredAreaIsLeftAlone(cpu: Int32) {
        let fixture = Fixture(flags: Self.available | Self.enabled, cpu: cpu)
        fixture.begin()
        #expect(!fixture.isAsking && !fixture.thread.pointee.is_refused_slices)
        fixture.end()
    }

    @Test func whatTheKernelDoesNotOfferIsNotAskedFor() {
        let fixture = Fixture(flags: 0)
        fixture.begin()
        #expect(!fixture.isAsking && !fixture.thread.pointee.is_refused_slices)
        fixture.end()
    }

    /// The calling thread's real kernel is asked, once.
    @Test(.enabled(if: kernelHasNone, "this kernel has the extension"))
    func aThreadThatIsRefusedAsksOnce() {
        let fixture = Fixture(flags: Self.available)
        fixture.begin()
        #expect(!fixture.isAsking && fixture.thread.pointee.is_refused_slices)
        fixture.end()
        // An area that was registered anew says what it has.
        fixture.setFlags(Self.available | Self.enabled)
        fixture.begin()
        #expect(fixture.isAsking)
        fixture.end()
    }

    /// The kernel ends a process that writes its words.
    @Test func nothingButTheRequestIsWritten() {
        let fixture = Fixture(flags: Self.available | Self.enabled, cpu: 3)
        var expected = fixture.bytes
        fixture.begin()
        expected[28] = 1
        #expect(fixture.bytes == expected)
        fixture.grant()
        fixture.end()
        (expected[28], expected[29]) = (0, 1)
        #expect(fixture.bytes == expected)
    }

    /// glibc's area ends after 33 bytes, and what lies behind it is somebody else's: here, nothing.
    @Test func nothingBehindTheAreaIsTouched() throws {
        let page = Int(getpagesize())
        let pages = try #require(mmap(nil, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))
        defer { munmap(pages, 2 * page) }
        try #require(mprotect(pages + page, page, PROT_NONE) == 0)
        let area = pages + page - 33
        area.storeBytes(of: 1, toByteOffset: 4, as: Int32.self)
        area.storeBytes(of: Self.available | Self.enabled, toByteOffset: 16, as: UInt32.self)
        var thread = percolate_thread()
        let before = percolate_slices_extended
        percolate_begin_hold_in(&thread, OpaquePointer(area))
        #expect(area.load(fromByteOffset: 28, as: UInt8.self) == 1)
        area.storeBytes(of: 1 << 8, toByteOffset: 28, as: UInt16.self)
        percolate_end_hold_in(&thread, OpaquePointer(area))
        #expect(percolate_slices_extended == before + 1)
    }

    @Test(arguments: [0, 20, 28, 32] as [UInt32]) func anAreaThatIsTooShortIsRefused(size: UInt32) {
        let before = percolate_slice_area
        #expect(!percolate_start_slices(percolate_rseq_glibc_offset(), size, true))
        #expect(percolate_slice_area == before)
    }

    /// On this kernel nothing changes: the word stays 0, and locks count no holds.
    @Test(.enabled(if: kernelHasNone, "this kernel has the extension"))
    func aKernelWithoutItChangesNothing() throws {
        #expect(!percolate_start_slices(percolate_rseq_glibc_offset(), 33, true))
        #expect(percolate_slice_area == 0)
        try TestHeap.run {
            for choice in [Options.Choice.automatic, .on, .off] { FrontEnd.sequences.startSlices(choice) }
            #expect(arenaLock.acquire() == .entered)
            #expect(percolate_this_thread().pointee.holds == 0)
            arenaLock.release()
        }
        #expect(percolate_slice_area == 0)
    }

    /// The area that the library registers itself is as long as the kernel offers, or 32 bytes.
    @Test func theOwnAreaIsAsLongAsTheKernelKnows() {
        let known = percolate_auxiliary(27)
        #expect(percolate_rseq_own_size() == (known > 32 && known <= 64 ? UInt32(known) : 32))
        #expect((Int(percolate_thread_pointer()) &+ percolate_rseq_own_offset()) % 64 == 0)
    }
}
