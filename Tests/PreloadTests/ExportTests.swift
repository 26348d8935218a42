import Foundation
import TestSupport
import Testing

/// What the shared object looks like from outside.
@Suite(.serialized)
struct ExportTests {
    private func lines(_ tool: String, _ arguments: String...) async throws -> [String] {
        let outcome = try await run(tool, arguments + [Checkout.library], under: .glibc)
        try #require(outcome.succeeded, "\(outcome.report)")
        return outcome.output.split(separator: "\n").map(String.init)
    }

    @Test func theLibraryExportsExactlyItsInterface() async throws {
        let list = Checkout.root.appending(path: "LD_PRELOAD/exports.txt")
        let promised = Set(
            try String(contentsOf: list, encoding: .utf8).split(whereSeparator: \.isWhitespace).map(String.init))
        // A line of nm: address, kind, name; a version's own name is absolute and no entry point.
        let exported = Set(
            try await lines("nm", "-D", "--defined-only", "--extern-only").compactMap { line -> String? in
                let words = line.split(separator: " ")
                guard words.count == 3, words[1] != "A" else { return nil }
                return words[2].split(separator: "@").first.map(String.init)
            })
        #expect(exported.subtracting(promised).sorted() == [], "exported but not promised")
        #expect(promised.subtracting(exported).sorted() == [], "promised but not exported")
    }

    @Test func itNeedsNothingButLibc() async throws {
        let needed = try await lines("readelf", "-dW").filter { $0.contains("(NEEDED)") }
            .compactMap { $0.firstMatch(of: /\[(.+)\]/).map { String($0.1) } }
        #expect(needed == ["libc.so.6"])
    }

    @Test func itIsBoundWhenLoadedAndNeverUnloaded() async throws {
        let flags = try #require(try await lines("readelf", "-dW").first { $0.contains("(FLAGS_1)") })
        #expect(flags.contains("NOW"))
        #expect(flags.contains("NODELETE"))
    }

    @Test func itHasNoTextRelocations() async throws {
        let dynamic = try await lines("readelf", "-dW")
        #expect(dynamic.contains { $0.contains("(SYMTAB)") })
        #expect(!dynamic.contains { $0.contains("TEXTREL") })
    }

    @Test func itDoesNotAskForAnExecutableStack() async throws {
        let segments = try await lines("readelf", "-lW")
        let stack = try #require(segments.first { $0.contains("GNU_STACK") })
        #expect(stack.contains(" RW "), "\(stack)")
        #expect(!segments.contains { $0.contains("RWE") })
    }

    private static let entryPoints = [
        "malloc", "calloc", "realloc", "reallocarray", "free", "cfree", "free_sized", "free_aligned_sized",
        "aligned_alloc", "posix_memalign", "memalign", "valloc", "pvalloc", "malloc_usable_size", "malloc_trim",
        "mallocx", "rallocx", "xallocx", "sallocx", "dallocx", "sdallocx", "nallocx", "mallctl", "mallctlnametomib",
        "mallctlbymib", "malloc_stats_print", "mallinfo", "mallinfo2", "mallopt", "malloc_stats", "malloc_info",
        "__libc_malloc", "__libc_calloc",
        "__libc_realloc", "__libc_free", "__libc_memalign", "__libc_valloc", "__libc_pvalloc", "__posix_memalign",
        "_Znwm", "_Znam", "_ZnwmRKSt9nothrow_t", "_ZnamRKSt9nothrow_t", "_ZnwmSt11align_val_t",
        "_ZnamSt11align_val_t", "_ZnwmSt11align_val_tRKSt9nothrow_t", "_ZnamSt11align_val_tRKSt9nothrow_t", "_ZdlPv",
        "_ZdaPv", "_ZdlPvm", "_ZdaPvm", "_ZdlPvRKSt9nothrow_t", "_ZdaPvRKSt9nothrow_t", "_ZdlPvSt11align_val_t",
        "_ZdaPvSt11align_val_t", "_ZdlPvmSt11align_val_t", "_ZdaPvmSt11align_val_t",
        "_ZdlPvSt11align_val_tRKSt9nothrow_t", "_ZdaPvSt11align_val_tRKSt9nothrow_t",
    ]

    @Test func everyEntryPointIsServedByTheLibrary() async throws {
        let identity = try await InterfaceProgram(source: "identity.c").executable()
        let outcome = try await run(identity, Self.entryPoints)
        #expect(outcome.succeeded, "\(outcome.report)")
        let elsewhere = outcome.output.split(separator: "\n").filter { !$0.hasSuffix(" " + Checkout.library) }
        #expect(elsewhere == [])
        #expect(outcome.output.split(separator: "\n").count == Self.entryPoints.count)
    }

    @Test func itCanBeLinkedInsteadOfPreloaded() async throws {
        let folder = URL(filePath: Checkout.library).deletingLastPathComponent().path
        let linked = [Checkout.library, "-Wl,-rpath,\(folder)"]
        let identity = try await InterfaceProgram(source: "secure.c", flags: linked).executable()
        let outcome = try await run(identity, under: .glibc)
        #expect(outcome.succeeded && outcome.output.contains("malloc \(Checkout.library)\n"), "\(outcome.report)")
        let program = try await InterfaceProgram(source: "allocate.c", flags: linked).executable()
        for promise in ["contents_survive", "calloc_zero", "free_keeps_errno"] {
            let outcome = try await run(program, [promise], under: .glibc)
            #expect(outcome.succeeded && outcome.errors == "", "\(outcome.report)")
        }
    }

    @Test(arguments: ["after_using_glibc", "in_threads", "closing_is_harmless"])
    func itCanBeLoadedBesideGlibcsMalloc(promise: String) async throws {
        let program = try await InterfaceProgram(source: "loaded.c").executable()
        let outcome = try await run(program, [Checkout.library, promise], under: .glibc)
        #expect(outcome.succeeded && outcome.errors == "", "\(outcome.report)")
    }
}
