import Testing

@Suite(.serialized)
struct InterfaceAlignTests {
    private let program = InterfaceProgram(source: "align.c")

    @Test(arguments: InterfaceMode.allCases)
    func alignmentsFrom1ByteTo16MiBAreHonoured(in mode: InterfaceMode) async throws {
        try await program.keeps("alignment_is_honoured", in: mode)
    }

    @Test(arguments: InterfaceMode.allCases)
    func alignedBlocksLiveAmongOthers(in mode: InterfaceMode) async throws {
        try await program.keeps("aligned_among_others", in: mode)
    }

    @Test(arguments: InterfaceMode.allCases)
    func posixMemalignRefusesWrongAlignmentsWithEINVAL(in mode: InterfaceMode) async throws {
        try await program.keeps("posix_memalign_invalid", in: mode)
    }

    @Test(arguments: InterfaceMode.allCases)
    func posixMemalignReturnsENOMEMAndLeavesThePointer(in mode: InterfaceMode) async throws {
        try await program.keeps("posix_memalign_no_memory", in: mode)
    }

    @Test(arguments: InterfaceMode.allCases)
    func posixMemalignLeavesErrno(in mode: InterfaceMode) async throws {
        try await program.keeps("posix_memalign_leaves_errno", in: mode)
    }

    @Test(arguments: InterfaceMode.allCases)
    func alignedBlocksOfNothingDiffer(in mode: InterfaceMode) async throws {
        try await program.keeps("zero_size", in: mode)
    }

    @Test(arguments: InterfaceMode.allCases)
    func alignedAllocRefusesWhatIsNoPowerOfTwo(in mode: InterfaceMode) async throws {
        try await program.keeps("aligned_alloc_invalid", in: mode)
    }

    @Test(arguments: InterfaceMode.allCases)
    func alignedAllocFailsWithENOMEM(in mode: InterfaceMode) async throws {
        try await program.keeps("aligned_alloc_no_memory", in: mode)
    }

    @Test(arguments: InterfaceMode.allCases)
    func memalignRoundsItsAlignmentUp(in mode: InterfaceMode) async throws {
        try await program.keeps("memalign_rounds", in: mode)
    }

    @Test(arguments: InterfaceMode.allCases)
    func vallocStartsPagesAndPvallocFillsThem(in mode: InterfaceMode) async throws {
        try await program.keeps("whole_pages", in: mode)
    }
}
