import Testing

@Suite(.serialized)
struct InterfaceAllocateTests {
    private let program = InterfaceProgram(source: "allocate.c")

    @Test(arguments: InterfaceMode.allCases)
    func mallocOfNothingGivesDifferentBlocksThatCanBeFreed(in mode: InterfaceMode) async throws {
        try await program.keeps("malloc_zero", in: mode)
    }

    @Test(arguments: InterfaceMode.allCases)
    func sizesThatCannotBeFailWithENOMEM(in mode: InterfaceMode) async throws {
        try await program.keeps("impossible_sizes", in: mode)
    }

    @Test(arguments: InterfaceMode.allCases)
    func callocNoticesThatItsProductOverflows(in mode: InterfaceMode) async throws {
        try await program.keeps("calloc_overflow", in: mode)
    }

    @Test(arguments: InterfaceMode.allCases)
    func callocIsZeroAfterDirtyBlocksOfEverySize(in mode: InterfaceMode) async throws {
        try await program.keeps("calloc_zero", in: mode)
    }

    @Test(arguments: InterfaceMode.allCases)
    func callocIsZeroWhenFreedPagesReturnInOtherPieces(in mode: InterfaceMode) async throws {
        try await program.keeps("calloc_zero_in_other_pieces", in: mode)
    }

    @Test(arguments: InterfaceMode.allCases)
    func everyBlockIsAlignedForItsLargestType(in mode: InterfaceMode) async throws {
        try await program.keeps("natural_alignment", in: mode)
    }

    @Test(arguments: InterfaceMode.allCases)
    func freeOfNullDoesNothing(in mode: InterfaceMode) async throws {
        try await program.keeps("free_null", in: mode)
    }

    @Test(arguments: InterfaceMode.allCases)
    func freeKeepsErrno(in mode: InterfaceMode) async throws {
        try await program.keeps("free_keeps_errno", in: mode)
    }

    @Test(arguments: InterfaceMode.allCases)
    func successKeepsErrno(in mode: InterfaceMode) async throws {
        try await program.keeps("success_keeps_errno", in: mode)
    }

    @Test(arguments: InterfaceMode.allCases)
    func everyUsableByteMayBeWritten(in mode: InterfaceMode) async throws {
        try await program.keeps("usable_size", in: mode)
    }

    @Test(arguments: InterfaceMode.allCases)
    func liveBlocksKeepTheirBytes(in mode: InterfaceMode) async throws {
        try await program.keeps("contents_survive", in: mode)
    }
}
