import TestSupport
import Testing

@Suite(.serialized)
struct InterfaceNewTests {
    private let program = InterfaceProgram(source: "new.cpp")

    @Test(arguments: InterfaceMode.allCases)
    func everyFormOfNewGoesWithEveryFormOfDelete(in mode: InterfaceMode) async throws {
        try await program.keeps("every_form", in: mode)
    }

    @Test(arguments: InterfaceMode.allCases)
    func deleteOfNullDoesNothing(in mode: InterfaceMode) async throws {
        try await program.keeps("delete_null", in: mode)
    }

    @Test(arguments: InterfaceMode.allCases)
    func sizedDeleteTakesEverySizeThatWasAskedFor(in mode: InterfaceMode) async throws {
        try await program.keeps("sized_delete_of_all_sizes", in: mode)
    }

    @Test(arguments: InterfaceMode.allCases)
    func overalignedTypesAreAligned(in mode: InterfaceMode) async throws {
        try await program.keeps("overaligned_types", in: mode)
    }

    @Test(arguments: InterfaceMode.allCases)
    func arraysOfObjectsAreDeletedWhole(in mode: InterfaceMode) async throws {
        try await program.keeps("arrays_of_objects", in: mode)
    }

    @Test(
        arguments: [[], ["-static-libstdc++", "-static-libgcc"]] as [[String]], InterfaceMode.allCases)
    func anOrdinaryProgramComputesTheSame(flags: [String], in mode: InterfaceMode) async throws {
        let program = try await Compiler.shared.executable("Interface/program.cpp", flags: flags)
        let expected = try await run(program, under: .glibc)
        #expect(expected.succeeded, "\(expected.report)")
        let outcome = try await run(program, under: .percolate(options: mode.options))
        #expect(outcome.succeeded && outcome.errors == "", "\(outcome.report)")
        #expect(outcome.output == expected.output)
    }
}

/// Programs that replace a part of the interface by their own functions.
@Suite(.serialized)
struct InterfaceReplacedTests {
    @Test(
        arguments: ["replaced_plain_operators", "replaced_operators_fail_without_throwing", "aligned_operators_stay"],
        InterfaceMode.allCases)
    func theOtherFormsOfNewAndDeleteFollowTheReplacedOnes(promise: String, in mode: InterfaceMode) async throws {
        try await InterfaceProgram(source: "replaced.cpp", flags: ["-std=c++17"]).keeps(promise, in: mode)
    }

    @Test(arguments: InterfaceMode.allCases)
    func reallocarrayFollowsAReplacedRealloc(in mode: InterfaceMode) async throws {
        try await InterfaceProgram(source: "own_malloc.c").keeps("reallocarray_goes_with_the_program", in: mode)
    }
}

/// A failing `new`, in the ways in which a program can come by its C++ library.
enum CppLibrary: String, CaseIterable, Sendable {
    case shared, linkedStatically, loadedWithAPlugIn, linkedIntoAPlugIn
}

@Suite(.serialized)
struct InterfaceFailingNewTests {
    private func keeps(
        _ promise: String, with library: CppLibrary, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        switch library {
        case .shared:
            try await InterfaceProgram(source: "failing_new.cpp").keeps(promise, sourceLocation: sourceLocation)
        case .linkedStatically:
            try await InterfaceProgram(source: "failing_new.cpp", flags: ["-static-libstdc++", "-static-libgcc"])
                .keeps(promise, sourceLocation: sourceLocation)
        case .loadedWithAPlugIn, .linkedIntoAPlugIn:
            let linking = library == .linkedIntoAPlugIn ? ["-static-libstdc++", "-static-libgcc"] : []
            let plugIn = try await Compiler.shared.executable(
                "Interface/failing_new_plugin.cpp", flags: ["-shared", "-fPIC"] + linking)
            try await InterfaceProgram(source: "plugin_host.c")
                .keeps(promise, before: [plugIn], sourceLocation: sourceLocation)
        }
    }

    @Test(arguments: CppLibrary.allCases)
    func aFailingNewThrowsBadAlloc(with library: CppLibrary) async throws {
        try await keeps("new_throws_bad_alloc", with: library)
    }

    @Test(arguments: CppLibrary.allCases)
    func aFailingNothrowNewReturnsNull(with library: CppLibrary) async throws {
        try await keeps("nothrow_new_returns_null", with: library)
    }

    @Test(arguments: CppLibrary.allCases)
    func theHandlerIsCalledUntilItGivesUp(with library: CppLibrary) async throws {
        try await keeps("handler_is_called_until_it_gives_up", with: library)
    }

    @Test(arguments: CppLibrary.allCases)
    func theHandlerSeesTheWholeStack(with library: CppLibrary) async throws {
        try await keeps("handler_sees_the_whole_stack", with: library)
    }

    @Test(arguments: CppLibrary.allCases)
    func theHandlersExceptionReachesTheCaller(with library: CppLibrary) async throws {
        try await keeps("handler_may_throw", with: library)
    }

    @Test(arguments: CppLibrary.allCases)
    func nothrowNewTurnsTheHandlersBadAllocIntoNull(with library: CppLibrary) async throws {
        try await keeps("nothrow_new_catches_the_handlers_exception", with: library)
    }

    @Test(arguments: CppLibrary.allCases)
    func newSucceedsOnceTheHandlerHasFreed(with library: CppLibrary) async throws {
        try await keeps("handler_frees_and_new_succeeds", with: library)
    }
}
