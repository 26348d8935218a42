import Foundation
import TestSupport
import Testing

/// `Tests/run`, in a checkout that has little else, on a machine that has only the programs that
/// the script is written with, and stand-ins, which write down how they were called, for Swift and
/// for what installs packages.
@Suite struct TestScriptTests {
    private struct Machine {
        private let folder: TemporaryFolder
        private var manager: FileManager { .default }

        /// - Parameter tools: the stand-ins, by name, each with what it does after it wrote down
        ///   its call.
        init(tools: [String: String]) throws {
            folder = try TemporaryFolder()
            for path in ["programs", "Tests/Programs/Real", "Sources", "LD_PRELOAD", "Benchmarks"] {
                try manager.createDirectory(
                    atPath: folder.path(path), withIntermediateDirectories: true)
            }
            for program in ["bash", "dirname", "env", "find", "ln", "sort", "true", "xargs"] {
                let path = "/usr/bin/\(program)"
                try manager.createSymbolicLink(atPath: folder.path("programs/\(program)"), withDestinationPath: path)
            }
            let script = folder.path("Tests/run")
            try manager.copyItem(atPath: Checkout.root.appending(path: "Tests/run").path, toPath: script)
            try write(
                """
                # A comment.

                tool        tool-package    for a test
                other-tool  other-package   for another
                bash        bash            for the script
                /usr/bin/*  coreutils       for all
                \(folder.path("programs"))/oth* other-package and a pattern
                """, to: "Tests/Programs/Real/debian-packages")
            try write("", to: "Package.swift")
            try write("", to: "Sources/Code.swift")
            try write("", to: "log")
            for path in ["log", "programs"] {
                try manager.setAttributes([.posixPermissions: 0o777], ofItemAtPath: folder.path(path))
            }
            for (name, action) in tools {
                try write(
                    "#!/usr/bin/bash\necho \"\(name) $*\" >>'\(folder.path("log"))'\n\(action)\n",
                    to: "programs/\(name)")
                try manager.setAttributes([.posixPermissions: 0o755], ofItemAtPath: folder.path("programs/\(name)"))
            }
        }

        private func write(_ text: String, to path: String) throws {
            try text.write(toFile: folder.path(path), atomically: true, encoding: .utf8)
        }

        /// Runs the script to its end, as root or as a user who is not.
        func runScript(
            _ arguments: [String] = [], asRoot: Bool = true
        ) async throws -> (outcome: Outcome, calls: [String]) {
            let nobody = ["/usr/bin/setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
            let user = asRoot || geteuid() != 0 ? [] : nobody
            let command = user + [folder.path("Tests/run")] + arguments
            let outcome = try await TestSupport.run(
                command[0], Array(command.dropFirst()), under: .glibc,
                environment: ["PATH": folder.path("programs")])
            let calls = try String(contentsOfFile: folder.path("log"), encoding: .utf8)
            return (outcome, calls.split(separator: "\n").map(String.init))
        }
    }

    /// Leaves both tools where the script looks for them.
    private static let installing = """
        [[ $* != *install* ]] || for tool in tool other-tool; do ln -s /usr/bin/bash "${0%/*}/$tool"; done
        """

    /// What a run calls when nothing is missing.
    private static let calls = [
        "swift format lint --strict Package.swift Sources/Code.swift", "swift build -c release",
        "swift test --no-parallel",
        "swift test --no-parallel --package-path Benchmarks/Allocations/malloc-interposer",
    ]

    @Test func formatIsCheckedThenAllIsBuiltAndTested() async throws {
        let machine = try Machine(tools: ["swift": "", "tool": "", "other-tool": ""])
        let (outcome, calls) = try await machine.runScript()
        #expect(outcome.succeeded, "\(outcome)")
        #expect(calls == Self.calls)
    }

    /// A part of the tests can be chosen, on a machine that is prepared and checked all the same.
    @Test func argumentsChooseTests() async throws {
        let machine = try Machine(tools: ["swift": "", "tool": "", "other-tool": ""])
        let (outcome, calls) = try await machine.runScript(["--filter", "Suite"])
        #expect(outcome.succeeded, "\(outcome)")
        #expect(calls == Array(Self.calls.prefix(2)) + ["swift test --no-parallel --filter Suite"])
    }

    /// A part that fails fails the run, which has no later step then.
    @Test func aChosenTestThatFailsFailsTheRun() async throws {
        let machine = try Machine(tools: ["swift": "[[ $1 != test ]]", "tool": "", "other-tool": ""])
        let (outcome, calls) = try await machine.runScript(["--filter", "Suite"])
        #expect(outcome.exitCode == 1 && outcome.signal == nil, "\(outcome)")
        #expect(calls.last == "swift test --no-parallel --filter Suite", "\(calls)")
    }

    /// It ends at the first step that fails, as a failure.
    @Test(arguments: ["format", "build", "test"])
    func aStepThatFailsFailsTheRun(step: String) async throws {
        let machine = try Machine(tools: ["swift": "[[ $1 != \(step) ]]", "tool": "", "other-tool": ""])
        let (outcome, calls) = try await machine.runScript()
        #expect(outcome.exitCode != 0 && outcome.signal == nil, "\(outcome)")
        #expect(calls.last?.hasPrefix("swift \(step)") == true && calls.count <= 3, "\(calls)")
    }

    @Test(.enabled(if: geteuid() == 0))
    func rootInstallsWhatIsMissing() async throws {
        let machine = try Machine(tools: ["swift": "", "apt-get": Self.installing])
        let (outcome, calls) = try await machine.runScript()
        #expect(outcome.succeeded, "\(outcome)")
        #expect(outcome.output.hasPrefix("Installing: other-package tool-package\n"), "\(outcome)")
        try #require(calls.count == 2 + Self.calls.count, "\(calls)")
        #expect(calls[0].hasPrefix("apt-get ") && calls[0].hasSuffix(" update"))
        #expect(calls[1].hasSuffix(" install --no-install-recommends other-package tool-package"))
        #expect(Array(calls[2...]) == Self.calls)
    }

    @Test func aUserInstallsBySudo() async throws {
        let sudo = "[[ $1 != -n ]] || shift; exec \"$@\""
        let machine = try Machine(tools: ["swift": "", "apt-get": Self.installing, "sudo": sudo])
        let (outcome, calls) = try await machine.runScript(asRoot: false)
        #expect(outcome.succeeded, "\(outcome)")
        #expect(calls.filter { $0.hasPrefix("apt-get ") }.count == 2, "\(calls)")
        #expect(calls.suffix(Self.calls.count) == Self.calls)
    }

    /// A machine on which the script may not install: what it has, and what the script says.
    struct Refusal: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var tools: [String: String]
        var line: String
    }

    @Test(arguments: [
        Refusal(
            testDescription: "no apt-get", tools: ["swift": ""],
            line: "and run it again: other-package tool-package\n"),
        Refusal(
            testDescription: "no sudo", tools: ["swift": "", "apt-get": ""],
            line: "apt-get install --no-install-recommends other-package tool-package\n"),
        Refusal(
            testDescription: "sudo wants a password", tools: ["swift": "", "apt-get": "", "sudo": "exit 1"],
            line: "apt-get install --no-install-recommends other-package tool-package\n"),
        Refusal(
            testDescription: "the packages are others here",
            tools: ["swift": "", "apt-get": "", "sudo": "[[ $1 != -n ]] || shift; exec \"$@\""],
            line: "still missing after installing: other-package tool-package\n"),
        Refusal(
            testDescription: "no Swift", tools: ["apt-get": ""],
            line: "Swift 6.3 is missing; https://www.swift.org/install has it.\n"),
    ])
    func itSaysWhatIsMissingWhereItCannotInstall(refusal: Refusal) async throws {
        let machine = try Machine(tools: refusal.tools)
        let (outcome, calls) = try await machine.runScript(asRoot: false)
        #expect(outcome.exitCode == 1, "\(outcome)")
        #expect(outcome.errors.hasSuffix(refusal.line), "\(outcome)")
        #expect(!calls.contains { $0.hasPrefix("swift") }, "\(calls)")
    }
}
