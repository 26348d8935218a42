import Foundation
import TestSupport
import Testing

/// What the command does to the two variables that it adds to.
@Suite struct PreloadVariableTests {
    private func value(
        of name: String, _ options: [String] = [], environment: [String: String?]
    ) async throws -> String {
        let outcome = try await CommandRun.run(options, ["printenv", name], environment: environment)
        return outcome.output.trimmingCharacters(in: .newlines)
    }

    @Test func librariesOfTheUsersStayPreloadedAfterOurs() async throws {
        let ours = try await CommandRun.contractLibrary()
        let theirs = try await Compiler.shared.executable(
            "Command/contract_library.c", flags: ["-shared", "-fPIC", "-DANOTHER"])
        // The loader takes both separators.
        let value = try await value(of: "LD_PRELOAD", environment: ["LD_PRELOAD": "\(theirs) :libdl.so.2:"])
        #expect(value == "\(ours):\(theirs):libdl.so.2")
    }

    @Test func libraryIsNeverPreloadedTwice() async throws {
        let ours = try await CommandRun.contractLibrary()
        let folder = try TemporaryFolder()
        let link = folder.path("link.so")
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: ours)
        let value = try await value(of: "LD_PRELOAD", environment: ["LD_PRELOAD": "\(ours):\(link) libdl.so.2 \(ours)"])
        #expect(value == "\(ours):libdl.so.2")
    }

    @Test func optionsFollowThoseOfTheEnvironment() async throws {
        let options = ["-o", "cache=1M", "--hardened", "-o", "cache=2M", "--option", "rseq=off"]
        let environment = ["PERCOLATE_OPTIONS": "hardened=0,index=cpu_id"]
        #expect(
            try await value(of: "PERCOLATE_OPTIONS", options, environment: environment)
                == "hardened=0,index=cpu_id,hardened=1,cache=1M,cache=2M,rseq=off")
        #expect(
            try await value(of: "PERCOLATE_OPTIONS", options, environment: ["PERCOLATE_OPTIONS": ""])
                == "hardened=1,cache=1M,cache=2M,rseq=off")
        #expect(
            try await value(of: "PERCOLATE_OPTIONS", environment: environment) == "hardened=0,index=cpu_id")
        // Without options, none are set, rather than an empty list.
        #expect(try await CommandRun.run([], ["printenv", "PERCOLATE_OPTIONS"]).exitCode == 1)
    }

    @Test func relativeLibraryIsPassedOnByItsFullPath() async throws {
        let folder = try TemporaryFolder()
        let copy = try folder.copy(of: try await CommandRun.contractLibrary())
        let name = URL(filePath: copy).lastPathComponent
        let outcome = try await TestSupport.run(
            Checkout.command, ["run", "--library", name, "--", "printenv", "LD_PRELOAD"], under: .glibc,
            directory: folder.url)
        #expect(outcome.output.hasPrefix("/") && outcome.output.hasSuffix("/\(name)\n"))
        #expect(outcome.errors == "")
    }

    /// In a folder of builds, copied by hand, and where `LD_PRELOAD/Packaging` installs it: on most
    /// systems, Debian, Fedora.
    @Test(arguments: [
        "bin/libpercolate_malloc.so", "lib/libpercolate_malloc.so", "lib/libpercolate_malloc.so.0",
        "lib/\(multiarch)/libpercolate_malloc.so.0", "lib64/libpercolate_malloc.so.0",
    ])
    func libraryIsFoundBesideTheCommandAndInTheLibraryFolders(place: String) async throws {
        let folder = try TemporaryFolder()
        let command = folder.path("bin/percolate")
        let installed = URL(filePath: folder.path(place))
        for file in [URL(filePath: command), installed] {
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        }
        try FileManager.default.copyItem(
            at: URL(filePath: Checkout.command).resolvingSymlinksInPath(), to: URL(filePath: command))
        let missing = try await TestSupport.run(command, ["run", "--", "true"], under: .glibc)
        #expect(missing.exitCode == 125)
        #expect(missing.errors.contains("cannot find libpercolate_malloc.so"))
        try FileManager.default.copyItem(
            atPath: try await CommandRun.contractLibrary(), toPath: installed.path)
        let outcome = try await TestSupport.run(command, ["run", "--", "printenv", "LD_PRELOAD"], under: .glibc)
        #expect(outcome.output.hasSuffix("/\(place)\n"), "\(outcome)")
        #expect(outcome.errors == "")
    }

    private static var multiarch: String {
        #if arch(arm64)
            "aarch64-linux-gnu"
        #else
            "x86_64-linux-gnu"
        #endif
    }

    @Test func libraryThatCannotBePreloadedIsRefusedWithTheReason() async throws {
        let folder = try TemporaryFolder()
        let library = try await CommandRun.contractLibrary()
        let spaced = folder.path("two words.so")
        try FileManager.default.copyItem(atPath: library, toPath: spaced)
        let text = try folder.script("not a library", name: "text.so")
        let foreign = try folder.copy(of: library)
        try ELFPatch.setMachine(of: foreign, to: ELFPatch.aarch64)
        let program = try await Compiler.shared.executable("Command/greet.c", flags: ["-no-pie"])
        let cases = [
            (folder.path("nowhere.so"), "No such file"), (spaced, "a colon or a space"), (text, "no ELF file"),
            (foreign, "built for 64-bit AArch64"), (program, "no shared object"), (folder.url.path, "Is a directory"),
        ]
        for (path, reason) in cases {
            let outcome = try await CommandRun.command(["run", "--library", path, "--", "echo", "ran"])
            #expect(outcome.exitCode == 125)
            #expect(outcome.output == "")
            #expect(outcome.errors.contains("cannot preload") && outcome.errors.contains(reason), "\(outcome.errors)")
            #expect(outcome.errors.split(separator: "\n").count == 1)
        }
    }
}
