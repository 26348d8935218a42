import TestSupport
import Testing

@Suite(.serialized)
struct CrimeForeignPointerTests {
    private let program = CrimeProgram(source: "foreign_pointer.c")

    @Test(
        arguments: [
            "free_stack", "free_global", "free_code", "free_glibc_small", "free_glibc_large", "free_brk",
            "free_mapping", "free_inside_mapping", "free_small_number", "free_non_canonical", "free_last_address",
            "free_stack_when_warm", "sized_free_of_stack",
        ], InterfaceMode.allCases)
    func freeOfAForeignPointerIsReportedAtOnce(crime: String, in mode: InterfaceMode) async throws {
        try await program.isReported(crime, as: [.foreignPointer], in: mode)
    }

    /// The line says how such a block usually comes about.
    @Test(arguments: [("free_glibc_small", true), ("free_brk", true), ("free_stack", false), ("free_global", false)])
    func aBlockOfLibcsMallocIsCalledSo(crime: String, isCalledSo: Bool) async throws {
        let executable = try await Compiler.shared.executable("Crimes/\(program.source)")
        let outcome = try await run(executable, [crime])
        #expect(outcome.signal == 6, "\(outcome.report)")
        #expect(outcome.errors.contains("RTLD_DEEPBIND") == isCalledSo, "\(outcome.report)")
    }

    @Test(arguments: ["realloc_stack", "realloc_to_zero", "reallocarray_mapping"], InterfaceMode.allCases)
    func reallocOfAForeignPointerIsReportedAtOnce(crime: String, in mode: InterfaceMode) async throws {
        try await program.isReported(crime, as: [.foreignPointer], in: mode)
    }

    @Test(arguments: InterfaceMode.allCases)
    func usableSizeOfAForeignPointerIsReportedAtOnce(in mode: InterfaceMode) async throws {
        try await program.isReported("usable_size_of_global", as: [.foreignPointer], in: mode)
    }
}

@Suite(.serialized)
struct CrimeDoubleFreeTests {
    private let program = CrimeProgram(source: "double_free.c")

    @Test(
        arguments: [
            "immediate_smallest", "immediate_small", "immediate_medium", "immediate_large", "immediate_huge",
            "immediate_when_warm", "immediate_in_thread", "immediate_aligned", "immediate_sized",
        ], InterfaceMode.allCases)
    func anImmediateDoubleFreeIsReportedAtOnce(crime: String, in mode: InterfaceMode) async throws {
        try await program.isReported(crime, as: [.doubleFree], in: mode)
    }

    @Test(arguments: ["older_large", "after_realloc_large"], InterfaceMode.allCases)
    func everyDoubleFreeOfALargeBlockIsReportedAtOnce(crime: String, in mode: InterfaceMode) async throws {
        try await program.isReported(crime, as: [.doubleFree], in: mode)
    }

    @Test(arguments: InterfaceMode.allCases)
    func reallocOfAFreedLargeBlockIsReportedAtOnce(in mode: InterfaceMode) async throws {
        try await program.isReported("realloc_of_freed_large", as: [.useAfterFree], in: mode)
    }

    @Test(arguments: ["older", "older_before_trim"], [InterfaceMode.sections, .locked])
    func anOlderDoubleFreeIsReportedWithItsBatch(crime: String, in mode: InterfaceMode) async throws {
        try await program.isReported(crime, as: [.doubleFree], .withItsBatch, in: mode)
    }

    @Test(arguments: InterfaceMode.allCases)
    func doubleFreesOfSpansThatAreGoneAreReported(in mode: InterfaceMode) async throws {
        try await program.isReported(
            "long_gone", as: [.doubleFree, .foreignPointer], .withItsBatch, in: mode, sameAddress: false)
    }

    @Test(arguments: ["older", "older_before_trim"])
    func hardenedReportsEveryDoubleFreeAtOnce(crime: String) async throws {
        try await program.isReported(crime, as: [.doubleFree], in: .hardened)
    }

    @Test func hardenedReportsAReallocOfAFreedBlockAsAUse() async throws {
        try await program.isReported("realloc_of_freed_small", as: [.useAfterFree], in: .hardened)
    }

    /// What was never a block of the program is told from one that was freed.
    @Test func hardenedReportsABlockThatNobodyWasGiven() async throws {
        try await program.isReported("never_allocated", as: [.interiorPointer], in: .hardened)
    }
}

@Suite(.serialized)
struct CrimeInteriorPointerTests {
    private let program = CrimeProgram(source: "interior_pointer.c")

    @Test(
        arguments: [
            "large_first_bytes", "large_page", "large_middle", "large_end", "large_aligned", "realloc_large",
        ], InterfaceMode.allCases)
    func pointersIntoALargeBlockAreReportedAtOnce(crime: String, in mode: InterfaceMode) async throws {
        try await program.isReported(crime, as: [.interiorPointer], in: mode)
    }

    @Test(
        arguments: ["small_second_half", "small_odd", "medium_page", "small_before_trim"],
        [InterfaceMode.sections, .locked])
    func pointersIntoASmallBlockAreReportedWithTheirBatch(crime: String, in mode: InterfaceMode) async throws {
        try await program.isReported(crime, as: [.interiorPointer], .withItsBatch, in: mode)
    }

    private let busyProgram = CrimeProgram(source: "interior_busy.c")

    /// Whatever many threads do with the heap meanwhile: by default the pointer may be served as a
    /// block before, and is found when it is in a batch again.
    @Test(arguments: ["busy_middle", "busy_odd", "busy_end"], [InterfaceMode.sections, .locked])
    func pointersIntoASmallBlockOfABusyHeapAreReported(crime: String, in mode: InterfaceMode) async throws {
        try await busyProgram.isReported(
            crime, as: [.interiorPointer], .withItsBatch, in: mode, sameThread: false)
    }

    /// So that no two blocks overlap.
    @Test(
        arguments: ["busy_middle", "busy_odd", "busy_end"],
        ["hardened=basic", "hardened=basic,rseq=off", "hardened=basic,index=mm_cid", "hardened=1"])
    func hardenedReportsThemBeforeTheyAreServed(crime: String, options: String) async throws {
        try await busyProgram.isReported(crime, as: [.interiorPointer], in: .hardened, options: options)
    }

    @Test(arguments: ["small_second_half", "small_odd", "medium_page", "realloc_small"])
    func hardenedReportsEveryInteriorPointerAtOnce(crime: String) async throws {
        try await program.isReported(crime, as: [.interiorPointer], in: .hardened)
    }
}

@Suite(.serialized)
struct CrimeWrongSizeTests {
    private let program = CrimeProgram(source: "wrong_size.cpp")

    @Test(
        arguments: [
            "free_sized_too_small", "free_sized_too_large", "free_sized_small_as_large", "free_sized_large_as_small",
            "free_sized_large_as_larger", "free_sized_as_everything", "free_aligned_sized_too_large",
        ], InterfaceMode.allCases)
    func aWrongSizeInFreeSizedIsReportedAtOnce(crime: String, in mode: InterfaceMode) async throws {
        try await program.isReported(crime, as: [.wrongSize], in: mode)
    }

    @Test(
        arguments: [
            "delete_too_small", "delete_too_large", "delete_array_too_large", "aligned_delete_too_small",
            "delete_through_base",
        ], InterfaceMode.allCases)
    func aWrongSizeInSizedDeleteIsReportedAtOnce(crime: String, in mode: InterfaceMode) async throws {
        try await program.isReported(crime, as: [.wrongSize], in: mode)
    }
}
