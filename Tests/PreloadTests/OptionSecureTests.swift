import Foundation
import TestSupport
import Testing

/// In a program that runs with more rights than its caller has, the caller's options count for
/// nothing.
@Suite(.serialized, .enabled(if: geteuid() == 0, "only root can make a program that runs with another user's rights"))
struct OptionSecureTests {
    @Test func optionsAreIgnoredAndNothingIsWrittenUnderAtSecure() async throws {
        let folder = try TemporaryFolder()
        let library = folder.url.appending(path: "libpercolate_malloc.so").path
        let program = folder.url.appending(path: "secure").path
        let results = folder.url.appending(path: "results")
        let original = URL(filePath: Checkout.library).resolvingSymlinksInPath().path
        try FileManager.default.copyItem(atPath: original, toPath: library)
        let built = try await InterfaceProgram(
            source: "secure.c", flags: [library, "-Wl,-rpath,\(folder.url.path)"]
        ).executable()
        try FileManager.default.copyItem(atPath: built, toPath: program)
        try FileManager.default.createDirectory(at: results, withIntermediateDirectories: true)
        for (path, mode) in [(folder.url.path, 0o755), (results.path, 0o777), (library, 0o755), (program, 0o4755)] {
            try #require(chmod(path, mode_t(mode)) == 0)
        }
        let options = ["PERCOLATE_OPTIONS": "nosuchkey=1,stats=\(results.path)/statistics"]

        // By root itself the same program is ordinary, and the options are seen.
        let ordinary = try await run(program, under: .glibc, environment: options)
        #expect(ordinary.succeeded && ordinary.output.contains("AT_SECURE 0\n"), "\(ordinary.report)")
        #expect(ordinary.errors.hasPrefix("percolate: PERCOLATE_OPTIONS: "))
        #expect(try Statistics.all(prefix: results.path + "/statistics").count == 1)

        try FileManager.default.removeItem(at: results)
        try FileManager.default.createDirectory(at: results, withIntermediateDirectories: true)
        try #require(chmod(results.path, 0o777) == 0)
        let secure = try await run(
            "setpriv", ["--reuid=65534", "--regid=65534", "--clear-groups", program], under: .glibc,
            environment: options)
        #expect(secure.succeeded && secure.output.contains("malloc \(library)\n"), "\(secure.report)")
        try #require(secure.output.contains("AT_SECURE 1\n"), "the temporary folder is mounted nosuid")
        #expect(secure.errors == "")
        #expect(try FileManager.default.contentsOfDirectory(atPath: results.path) == [])
    }
}
