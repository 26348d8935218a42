import Foundation
import TestSupport
import Testing

/// What needs no build of the scripts that install. `Tests/Systems/packages` has the rest: packages
/// made, installed, used and removed.
@Suite struct InstallTests {
    private let packaging = Checkout.root.appending(path: "LD_PRELOAD/Packaging")

    @Test(arguments: [
        (["--frobnicate"], "--frobnicate"), (["--prefix"], "--prefix needs a folder"),
        (["--prefix=relative"], "not an absolute path: relative"), (["--libdir", "/lib"], "below the prefix: /lib"),
    ])
    func wrongOptionsAreRefusedByName(arguments: [String], sentence: String) async throws {
        let outcome = try await run(packaging.appending(path: "install").path, arguments, under: .glibc)
        #expect(outcome.exitCode == 1 && outcome.output == "")
        #expect(outcome.errors.hasPrefix("install: ") && outcome.errors.contains(sentence), "\(outcome.errors)")
    }

    @Test func helpSaysEachOption() async throws {
        let script = packaging.appending(path: "install")
        let outcome = try await run(script.path, ["--help"], under: .glibc)
        #expect(outcome.succeeded)
        for option in ["--prefix", "--libdir", "--destdir", "--no-strip"] {
            #expect(outcome.output.contains("\n    \(option) "), "\(outcome.output)")
        }
    }

    /// The page is made from the table in the README.
    @Test func theManualPageOfTheOptionsHasEveryRowOfTheTable() async throws {
        let readme = Checkout.root.appending(path: "README.md")
        let table = try String(contentsOf: readme, encoding: .utf8).components(separatedBy: "| key |").last ?? ""
        let keys = table.matches(of: /(?m)^\| `(\w+)` \|/).map { String($0.1) }
        #expect(keys.contains("stats") && keys.contains("hardened"))
        let script = packaging.appending(path: "man/percolate-options.7.sh").path
        let outcome = try await run(script, [readme.path], under: .glibc)
        try #require(outcome.succeeded, "\(outcome)")
        #expect(outcome.output.matches(of: /(?m)^\.It Ic (\w+)$/).map { String($0.1) } == keys)
        // A table that is not found is said, and makes no empty page.
        let folder = try TemporaryFolder()
        let other = folder.path("README.md")
        try "No table.\n".write(toFile: other, atomically: true, encoding: .utf8)
        let empty = try await run(script, [other], under: .glibc)
        #expect(empty.exitCode == 1 && empty.errors.contains("no table of options"))
    }
}
