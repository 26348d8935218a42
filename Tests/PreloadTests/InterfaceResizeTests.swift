import Testing

@Suite(.serialized)
struct InterfaceResizeTests {
    private let program = InterfaceProgram(source: "resize.c")

    @Test(arguments: InterfaceMode.allCases)
    func reallocOfNullIsMalloc(in mode: InterfaceMode) async throws {
        try await program.keeps("realloc_null", in: mode)
    }

    @Test(arguments: InterfaceMode.allCases)
    func reallocToNothingFreesAndReturnsNull(in mode: InterfaceMode) async throws {
        try await program.keeps("realloc_zero", in: mode)
    }

    @Test(arguments: InterfaceMode.allCases)
    func reallocKeepsTheBytesAcrossEveryBorderOfSizes(in mode: InterfaceMode) async throws {
        try await program.keeps("realloc_keeps_contents", in: mode)
    }

    @Test(arguments: InterfaceMode.allCases)
    func reallocKeepsTheBytesUpTo64MiBAndBack(in mode: InterfaceMode) async throws {
        try await program.keeps("realloc_up_to_64_mib", in: mode)
    }

    @Test(arguments: InterfaceMode.allCases)
    func aShrunkBlockGivesItsPagesBack(in mode: InterfaceMode) async throws {
        try await program.keeps("shrinking_gives_back", in: mode)
    }

    @Test(arguments: InterfaceMode.allCases)
    func aFailedReallocLeavesTheBlock(in mode: InterfaceMode) async throws {
        try await program.keeps("failed_realloc", in: mode)
    }

    @Test(arguments: InterfaceMode.allCases)
    func reallocarrayNoticesThatItsProductOverflows(in mode: InterfaceMode) async throws {
        try await program.keeps("reallocarray_overflow", in: mode)
    }

    @Test(arguments: InterfaceMode.allCases)
    func reallocarrayResizes(in mode: InterfaceMode) async throws {
        try await program.keeps("reallocarray_resizes", in: mode)
    }

    @Test(arguments: InterfaceMode.allCases)
    func alignedBlocksCanBeResized(in mode: InterfaceMode) async throws {
        try await program.keeps("realloc_of_aligned_blocks", in: mode)
    }
}
