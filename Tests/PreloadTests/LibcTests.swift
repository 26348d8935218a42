import Foundation
import TestSupport
import Testing

/// The shared object serves programs of every glibc since 2.28, whatever it was built on, and says
/// so to others. `Tests/Systems/glibc` runs it on such systems.
@Suite struct LibcTests {
    private func needs() async throws -> [Substring] {
        let outcome = try await run("readelf", ["-VW", Checkout.library], under: .glibc)
        try #require(outcome.succeeded, "\(outcome.report)")
        let needs = try #require(outcome.output.components(separatedBy: "Version needs section").dropFirst().first)
        return needs.matches(of: /Name: (\S+)/).map(\.1)
    }

    @Test func itNeedsNoVersionOfGlibcAfter2_17() async throws {
        let needs = try await needs()
        #expect(needs.contains("GLIBC_2.2.5"))
        let newer = needs.filter { need in
            // GLIBC_2.34, but also GLIBC_ABI_DT_RELR and what else may come, which only newer
            // releases have.
            guard let version = need.wholeMatch(of: /GLIBC_2\.(\d+)(\.\d+)?/) else { return true }
            return Int(version.1).map { $0 > 17 } ?? true
        }
        #expect(newer == [], "a newer function is reached by PERCOLATE_NEXT or percolate_loaded_symbol")
    }

    /// Names that no older libc has, or has in another library, are not referred to, except by a
    /// weak reference that names no version.
    @Test func itRefersToNothingThatOlderLibcsHaveElsewhere() async throws {
        let outcome = try await run("nm", ["-D", "--undefined-only", Checkout.library], under: .glibc)
        try #require(outcome.succeeded, "\(outcome.report)")
        let names = outcome.output.split(separator: "\n").compactMap { $0.split(separator: " ").last }
        #expect(names.contains("__rseq_size") && names.contains("__errno_location@GLIBC_2.2.5"), "\(names)")
        // What libc itself has of threads in glibc 2.28: the rest is in libpthread and libdl.
        let early = [
            "pthread_attr_destroy", "pthread_attr_init", "pthread_attr_setinheritsched", "pthread_self",
            "pthread_mutex_init", "pthread_mutex_lock", "pthread_mutex_unlock", "pthread_mutex_destroy",
        ]
        let elsewhere = names.filter { name in
            guard let plain = name.split(separator: "@").first else { return true }
            return (plain.hasPrefix("pthread_") || plain.hasPrefix("dl")) && !early.contains(String(plain))
        }
        #expect(elsewhere == [])
    }

    @Test func aProgramOfMuslGetsOneLine() async throws {
        let folder = try TemporaryFolder()
        let program = folder.path("show")
        let source = Checkout.programs.appending(path: "Command/greet.c").path
        let compiled = try await run("musl-gcc", ["-o", program, source], under: .glibc)
        try #require(compiled.succeeded, "\(compiled.report)")
        let alone = try await run(program, under: .glibc)
        #expect(alone.succeeded, "\(alone.report)")
        let preloaded = try await run(program, under: .percolate())
        #expect(preloaded.exitCode == 127 && preloaded.output == "", "\(preloaded.report)")
        #expect(
            preloaded.errors == """
                percolate: this program needs to run without libpercolate_malloc.so: its libc is not glibc, and glibc \
                2.28 or later is supported

                """)
    }
}
