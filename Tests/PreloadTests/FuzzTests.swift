import Foundation
import TestSupport
import Testing

/// The fuzzer of the C interface, `Tests/Programs/Fuzz/interface.c`, in every mode: first what
/// earlier runs kept, then new inputs for some seconds. `PERCOLATE_LONG=1` makes that an hour in
/// all.
@Suite(.serialized)
struct FuzzTests {
    private static let modes = [
        "", "rseq=off", "index=mm_cid", "hardened=basic", "hardened=1", "hardened=1,quarantine=64K",
    ]
    private static let isLong = ProcessInfo.processInfo.environment["PERCOLATE_LONG"] == "1"

    private static func fuzzer(_ flags: [String] = []) async throws -> String {
        let target = RunFolder.url.appending(path: "fuzz-interface").path
        guard !FileManager.default.fileExists(atPath: target) else { return target }
        try FileManager.default.createDirectory(
            at: RunFolder.url, withIntermediateDirectories: true)
        let source = Checkout.programs.appending(path: "Fuzz/interface.c").path
        let arguments = [
            "-O1", "-g", "-w", "-fno-builtin", "-fsanitize=fuzzer", "-pthread", "-o", target,
            source,
        ]
        let outcome = try await run("clang", arguments, under: .glibc)
        guard outcome.succeeded else { throw DoesNotCompile(description: outcome.errors) }
        return target
    }

    private static let corpus = Checkout.programs.appending(path: "Fuzz/corpus").path

    @Test(arguments: modes)
    func theInterfaceAgreesWithItsModel(options: String) async throws {
        let seconds = Self.isLong ? 600 : 4
        let folder = try TemporaryFolder()
        let outcome = try await run(
            try await Self.fuzzer(),
            [
                "-max_total_time=\(seconds)", "-max_len=1500", "-timeout=60", folder.url.path,
                Self.corpus,
            ],
            under: .percolate(options: options), directory: folder.url,
            timeout: .seconds(seconds + 120))
        #expect(outcome.succeeded, "\(outcome.report.suffix(3000))")
        #expect(!outcome.errors.contains("percolate: "), "\(outcome.report.suffix(3000))")
    }

    /// An allocator that is wrong in one small thing is found within the kept inputs.
    @Test func theModelDisagreesWithAWrongAllocator() async throws {
        let library = try await Compiler.shared.executable(
            "Fuzz/careless_memalign.c", flags: ["-shared", "-fPIC"])
        let folder = try TemporaryFolder()
        let outcome = try await run(
            try await Self.fuzzer(), ["-runs=0", Self.corpus],
            under: .other(library: "\(library) \(Checkout.library)"),
            directory: folder.url)
        #expect(!outcome.succeeded)
        #expect(outcome.errors.contains("the model disagrees"), "\(outcome.report.suffix(3000))")
    }
}
