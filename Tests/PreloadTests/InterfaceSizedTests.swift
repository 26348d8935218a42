import Testing

@Suite(.serialized)
struct InterfaceSizedTests {
    private let program = InterfaceProgram(source: "sized.c")

    @Test(arguments: InterfaceMode.allCases)
    func freeSizedTakesEverySizeThatWasAskedFor(in mode: InterfaceMode) async throws {
        try await program.keeps("free_sized_right", in: mode)
    }

    @Test(arguments: InterfaceMode.allCases)
    func freeSizedTakesManyBlocksOfASize(in mode: InterfaceMode) async throws {
        try await program.keeps("free_sized_in_batches", in: mode)
    }

    @Test(arguments: InterfaceMode.allCases)
    func freeSizedTakesTheNewSizeAfterRealloc(in mode: InterfaceMode) async throws {
        try await program.keeps("free_sized_after_realloc", in: mode)
    }

    @Test(arguments: InterfaceMode.allCases)
    func freeAlignedSizedTakesWhatAlignedAllocWasGiven(in mode: InterfaceMode) async throws {
        try await program.keeps("free_aligned_sized_right", in: mode)
    }

    @Test(arguments: InterfaceMode.allCases)
    func sizedFreesReallyFree(in mode: InterfaceMode) async throws {
        try await program.keeps("sized_frees_free", in: mode)
    }

    @Test(arguments: InterfaceMode.allCases)
    func cfreeIsFree(in mode: InterfaceMode) async throws {
        try await program.keeps("cfree_frees", in: mode)
    }

    @Test(arguments: InterfaceMode.allCases)
    func theLibcFormsAreTheSameAllocator(in mode: InterfaceMode) async throws {
        try await program.keeps("libc_forms", in: mode)
    }
}
