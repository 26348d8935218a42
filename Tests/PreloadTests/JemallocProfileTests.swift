import Foundation
import TestSupport
import Testing

/// The heap profile by jemalloc's own interface: `prof.*` of mallctl, and MALLOC_CONF.
@Suite(.serialized)
struct JemallocProfileTests {
    private static let configuration = "prof:true,prof_active:false,lg_prof_sample:0"
    private let program = InterfaceProgram(source: "mallctl_profile.c", flags: ["-rdynamic"])

    private func expectPromise(_ promise: String, under allocator: Allocator) async throws {
        let folder = try TemporaryFolder()
        let outcome = try await run(
            try await program.executable(), [promise], under: allocator,
            environment: ["MALLOC_CONF": Self.configuration], directory: folder.url)
        #expect(outcome.succeeded && outcome.errors == "", "\(outcome.report)")
    }

    @Test(
        arguments: [
            "live_blocks_are_dumped", "a_reset_forgets_and_chooses_the_mean", "dumps_have_names", "settings_are_read",
        ])
    func jemallocAndPercolateKeepTheSamePromises(promise: String) async throws {
        try await expectPromise(promise, under: .other(library: "libjemalloc.so.2"))
        try await expectPromise(promise, under: .percolate())
        try await expectPromise(promise, under: .percolate(options: "rseq=off"))
    }

    @Test(arguments: ["hardened=basic", "hardened=1", "guard=4K"])
    func liveBlocksAreDumpedInOtherModes(options: String) async throws {
        try await expectPromise("live_blocks_are_dumped", under: .percolate(options: options))
    }

    /// `stacks` leaves three blocks of 1000 bytes and one of 77.
    private func profileAtExit(
        _ configuration: String, options: String = "", _ folder: TemporaryFolder
    ) async throws -> (outcome: Outcome, files: [String]) {
        let program = try await Compiler.shared.executable(
            "Sampling/stacks.c", flags: Headers.internalFlags + ["-D_GNU_SOURCE", "-O2", "-rdynamic"])
        let outcome = try await run(
            program, under: .percolate(options: options), environment: ["MALLOC_CONF": configuration],
            directory: folder.url)
        #expect(outcome.succeeded, "\(outcome.report)")
        return (outcome, try FileManager.default.contentsOfDirectory(atPath: folder.url.path).sorted())
    }

    @Test func jeprofReadsWhatIsWrittenAtTheEnd() async throws {
        let folder = try TemporaryFolder()
        let (_, files) = try await profileAtExit(
            "prof:true,lg_prof_sample:0,prof_final:true,prof_prefix:mine", folder)
        #expect(files.count == 1 && files[0].contains(/^mine\.[0-9]+\.0\.f\.heap$/), "\(files)")
        let program = try await Compiler.shared.executable(
            "Sampling/stacks.c", flags: Headers.internalFlags + ["-D_GNU_SOURCE", "-O2", "-rdynamic"])
        let text = try await run(
            "jeprof", ["--text", "--show_bytes", program, folder.path(files[0])], under: .glibc)
        #expect(text.succeeded && text.output.hasPrefix("Total: 3077 B\n"), "\(text.report)")
        #expect(text.output.contains(/\n +3000 +97\.5% +97\.5% +3000 +97\.5% keep_three\n/), "\(text.output)")
        #expect(text.output.contains(/\n +77 +2\.5% +100\.0% +77 +2\.5% handler\n/), "\(text.output)")
    }

    @Test func mallocConfStartsSamplingAndListsLeaks() async throws {
        let leaks = try await profileAtExit("prof:true,prof_leak:true,lg_prof_sample:0", try TemporaryFolder())
        #expect(leaks.outcome.errors.contains(": 3077 bytes in 4 blocks from 2 places\n"), "\(leaks.outcome.report)")
        #expect(leaks.files == [])
        let off = try await profileAtExit("prof_leak:true,prof_final:true,lg_prof_sample:0", try TemporaryFolder())
        #expect(off.outcome.errors == "" && off.files == [])
        let larger = try await profileAtExit(
            "prof:true,lg_prof_sample:62,prof_leak:true", options: "sample=1", try TemporaryFolder())
        #expect(larger.outcome.errors.contains(": 3077 bytes in 4 blocks"), "PERCOLATE_OPTIONS wins")
        let unserved = try await profileAtExit(
            "prof:maybe,lg_prof_sample:64,prof_gdump:true", options: "stats=stderr", try TemporaryFolder())
        #expect(
            unserved.outcome.errors.contains(
                "percolate: MALLOC_CONF: without a counterpart: prof:maybe,lg_prof_sample:64,prof_gdump:true\n"))
    }

    /// What one variable says holds beside the other.
    @Test func optionsOfBothVariablesHold() async throws {
        let (outcome, _) = try await profileAtExit(
            "prof:true,lg_prof_sample:0", options: "leaks=on", try TemporaryFolder())
        #expect(outcome.errors.contains(": 3077 bytes in 4 blocks from 2 places\n"), "\(outcome.report)")
    }
}
