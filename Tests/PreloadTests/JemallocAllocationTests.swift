import TestSupport
import Testing

/// jemalloc's own functions of allocation, as jemalloc(3) describes them.
@Suite(.serialized)
struct JemallocAllocationTests {
    private let program = InterfaceProgram(source: "mallocx.c")

    @Test(arguments: InterfaceMode.allCases)
    func nallocxSaysTheRealSizeForEveryAlignment(in mode: InterfaceMode) async throws {
        try await program.keeps("real_sizes_agree", in: mode)
    }

    @Test(arguments: InterfaceMode.allCases)
    func sdallocxTakesEverySizeUpToTheRealOne(in mode: InterfaceMode) async throws {
        try await program.keeps("sized_frees_take_what_the_manual_says", in: mode)
    }

    @Test(arguments: InterfaceMode.allCases)
    func blocksOfBothInterfacesAreTheSame(in mode: InterfaceMode) async throws {
        try await program.keeps("frees_mix", in: mode)
    }

    @Test(arguments: InterfaceMode.allCases)
    func numbersOfArenasAndCachesAreAccepted(in mode: InterfaceMode) async throws {
        try await program.keeps("arena_and_cache_numbers_are_accepted", in: mode)
    }

    /// A guarded block ends where its request does: of mallocx that is what nallocx says.
    @Test(arguments: [
        "guard=256", "guard=256,index=mm_cid", "guard=1", "sample=256", "guard=256,sample=512,rseq=off",
        "guard=256,hardened=basic",
    ])
    func sizesAgreeWhereSomeBlocksAreGuarded(options: String) async throws {
        for promise in ["real_sizes_agree", "sized_frees_take_what_the_manual_says", "frees_mix"] {
            let outcome = try await run(
                try await program.executable(), [promise], under: .percolate(options: options))
            #expect(outcome.succeeded && outcome.errors == "", "\(promise) \(outcome.report)")
        }
    }

    @Test func sizesThatOverflowAreRefused() async throws {
        try await program.keeps("sizes_that_overflow")
    }

    @Test(arguments: InterfaceMode.allCases)
    func rallocxKeepsBytesAlignsAndZeroes(in mode: InterfaceMode) async throws {
        try await program.keeps("rallocx_keeps_aligns_and_zeroes", in: mode)
    }

    @Test(arguments: InterfaceMode.allCases)
    func xallocxNeverMoves(in mode: InterfaceMode) async throws {
        try await program.keeps("xallocx_stays_in_place", in: mode)
    }

    /// Not in a hardened process, which keeps blocks apart.
    @Test(arguments: [InterfaceMode.sections, .locked])
    func largeBlocksGrowAndShrinkInPlace(in mode: InterfaceMode) async throws {
        try await program.keeps("large_blocks_grow_and_shrink_in_place", in: mode)
    }

    @Test(arguments: InterfaceMode.allCases)
    func whatIsUndefinedIsHarmless(in mode: InterfaceMode) async throws {
        try await program.keeps("undefined_is_harmless", in: mode)
    }

    @Test func successKeepsErrno() async throws {
        try await program.keeps("errno_is_kept")
    }

    @Test(arguments: ["wrong_size_small", "wrong_size_beyond_large"], InterfaceMode.allCases)
    func aWrongSizeEndsTheProcess(promise: String, in mode: InterfaceMode) async throws {
        try await expectWrongSize(promise, in: mode)
    }

    /// A hardened process knows the size that was asked for.
    @Test(arguments: [InterfaceMode.sections, .locked])
    func aSizeWithoutItsAlignmentEndsTheProcess(in mode: InterfaceMode) async throws {
        try await expectWrongSize("wrong_size_without_its_alignment", in: mode)
    }

    private func expectWrongSize(_ promise: String, in mode: InterfaceMode) async throws {
        let outcome = try await run(
            try await program.executable(), [promise], under: .percolate(options: mode.options))
        #expect(outcome.signal == 6, "\(outcome.report)")
        #expect(outcome.errors.hasPrefix("percolate: wrong size: "), "\(outcome.errors)")
        #expect(outcome.errors.filter { $0 == "\n" }.count == 1)
    }
}
