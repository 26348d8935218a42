import Foundation
import TestSupport
import Testing

/// `percolate doctor`: what it says of the machine is compared with the machine, what it says of
/// the allocator with statistics that the stand-in reports.
@Suite struct DoctorTests {
    private struct Report: Decodable {
        struct System: Decodable { let kernel, architecture, glibc: String }
        struct Rseq: Decodable {
            let kernel, registeredByGlibc: Bool
            let refusal: String?
        }
        struct Membarrier: Decodable { let fencesSections: Bool }
        struct Aborts: Decodable { let preemption, fence: String }
        struct Processors: Decodable { let possible, online, allowed: String? }
        struct Memory: Decodable {
            let transparentHugePages: String?
            let overcommit: Int?
            let addressSpaceLimit, dataLimit: UInt?
        }
        struct Allocator: Decodable {
            let library, problem: String?
            let statistics: [String: String]
            let remarks: [String]
        }
        let system: System
        let rseq: Rseq
        let membarrier: Membarrier
        let aborts: Aborts
        let processors: Processors
        let memory: Memory
        let allocator: Allocator
    }

    private static func text(
        _ arguments: [String] = [], statistics: [String] = [], environment: [String: String?] = [:]
    ) async throws -> Outcome {
        var environment = environment
        environment["CONTRACT_STATISTICS"] = statistics.joined(separator: "\n")
        let library = try await CommandRun.contractLibrary()
        return try await CommandRun.command(["doctor", "--library", library] + arguments, environment: environment)
    }

    private static func report(_ launcher: [String] = []) async throws -> Report {
        let command =
            launcher + [Checkout.command, "doctor", "--json", "--library", try await CommandRun.contractLibrary()]
        let outcome = try await TestSupport.run(command[0], Array(command.dropFirst()), under: .glibc)
        #expect(outcome.errors == "")
        return try JSONDecoder().decode(Report.self, from: Data(outcome.output.utf8))
    }

    private static func file(_ path: String) throws -> String {
        try String(contentsOfFile: path, encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    @Test func findingsAreThoseOfTheMachine() async throws {
        let report = try await Self.report()
        let names = try await TestSupport.run("uname", ["-rm"], under: .glibc).output.split { " \n".contains($0) }
        #expect([report.system.kernel, report.system.architecture] == names.map(String.init))
        let glibc = try await TestSupport.run("getconf", ["GNU_LIBC_VERSION"], under: .glibc).output
        #expect("glibc \(report.system.glibc)\n" == glibc)
        #expect(report.processors.possible == (try Self.file("/sys/devices/system/cpu/possible")))
        #expect(report.processors.online == (try Self.file("/sys/devices/system/cpu/online")))
        #expect(report.memory.overcommit == Int(try Self.file("/proc/sys/vm/overcommit_memory")))
        let settings = try Self.file("/sys/kernel/mm/transparent_hugepage/enabled")
        #expect(settings.contains("[\(try #require(report.memory.transparentHugePages))]"))
        #expect(report.memory.addressSpaceLimit == nil && report.memory.dataLimit == nil)
        #expect(report.allocator.problem == nil)
        #expect(report.allocator.statistics["process_name"] == "percolate")
    }

    @Test func limitsAndAffinityOfTheProcessAreSeen() async throws {
        let report = try await Self.report([
            "prlimit", "--as=4000000000", "--data=3000000000", "taskset", "-c", "0",
        ])
        #expect(report.memory.addressSpaceLimit == 4_000_000_000)
        #expect(report.memory.dataLimit == 3_000_000_000)
        #expect(report.processors.allowed == "0")
    }

    @Test func registrationThatGlibcWasToldToLeaveIsSeen() async throws {
        let tuned = try await Self.report(["env", "GLIBC_TUNABLES=glibc.pthread.rseq=0"])
        #expect(!tuned.rseq.registeredByGlibc)
        let plain = try await Self.report()
        #expect(plain.rseq.kernel == tuned.rseq.kernel)
        #expect(
            plain.rseq.registeredByGlibc
                == (plain.rseq.kernel && plain.system.glibc.compare("2.35", options: .numeric) != .orderedAscending))
    }

    @Test func abortsAreTriedWhoeverRegistersTheThread() async throws {
        let plain = try await Self.report()
        try #require(plain.rseq.kernel, "this kernel has no restartable sequences")
        let tuned = try await Self.report(["env", "GLIBC_TUNABLES=glibc.pthread.rseq=0"])
        for report in [plain, tuned] {
            #expect(report.aborts.preemption == "passed")
            let single = report.processors.allowed.flatMap { Int($0) } != nil
            let fenceable = report.membarrier.fencesSections && !single
            #expect(report.aborts.fence == (fenceable ? "passed" : "not run"))
        }
        #expect(try await Self.report(["taskset", "-c", "0"]).aborts.fence == "not run")
    }

    @Test func refusedSystemCallsAreSeen() async throws {
        let filter = try await Compiler.shared.executable("Command/refuse_calls.c")
        let report = try await Self.report([filter])
        #expect(!report.rseq.kernel && !report.rseq.registeredByGlibc)
        #expect(report.rseq.refusal == "Function not implemented")
        #expect(!report.membarrier.fencesSections)
        #expect(report.aborts.preemption == "not run" && report.aborts.fence == "not run")
        let arguments = ["doctor", "--library", try await CommandRun.contractLibrary()]
        let outcome = try await TestSupport.run(
            filter, [Checkout.command] + arguments, under: .glibc,
            environment: ["CONTRACT_STATISTICS": "mode locked\nindex cpu_id\nrseq none\nmembarrier no"])
        #expect(outcome.succeeded)
        for words in [
            "A seccomp filter decides", "The kernel refuses restartable sequences (Function not implemented).",
            "locked: each CPU's cache is used under its lock, because the kernel refuses restartable sequences",
            "no membarrier, and no need of it: locks protect every CPU's cache", "Programs can run on Percolate here.",
        ] { #expect(outcome.output.contains(words), "\(outcome.output)") }
    }

    @Test(arguments: [
        (["mode sections", "rseq glibc"], "", "in restartable sequences, on glibc's registration of each thread"),
        (["mode sections", "rseq own"], "", "on its own registration of each thread"),
        (["mode locked", "rseq none"], "rseq=off", "under its lock, because the option rseq=off asks for it"),
        (["mode hardened"], "hardened=0,hardened=1", "because the option hardened=1 asks for it"),
        (["index mm_cid"], "", "mm_cid: caches are numbered by the threads that can run at once"),
        (["index cpu_id", "rseq none"], "", "because compact numbers (mm_cid) come only with restartable sequences"),
        (["index cpu_id"], "index=cpu_id", "numbered by CPU, because the option index=cpu_id asks for it"),
        (["membarrier yes"], "", "a CPU that runs dry can take from the caches of other CPUs"),
        (["membarrier no"], "membarrier=off", "because the option membarrier=off asks for it"),
        (["extends_slices 1"], "", "a thread that holds a lock of the allocator asks the kernel"),
        (["extends_slices 0"], "slice=on,slice=off", "because the option slice=off asks for it"),
        (["extends_slices 0", "rseq none"], "", "longer time slices come only with restartable sequences"),
    ])
    func decisionsOfTheAllocatorAreExplained(statistics: [String], options: String, words: String) async throws {
        let outcome = try await Self.text(statistics: statistics, environment: ["PERCOLATE_OPTIONS": options])
        #expect(outcome.succeeded)
        #expect(outcome.output.contains(words), "\(outcome.output)")
        #expect(outcome.output.contains("Options") == !options.isEmpty)
    }

    @Test func libraryThatCannotBeUsedIsAFailure() async throws {
        let folder = try TemporaryFolder()
        let missing = try await CommandRun.command(["doctor", "--library", folder.path("nowhere.so")])
        #expect(missing.exitCode == 1)
        #expect(missing.output.contains("Programs cannot run on Percolate here."))
        #expect(missing.output.contains("No such file or directory"))
        let other = try await CommandRun.command(["doctor", "--library", try await Self.otherLibrary()])
        #expect(other.exitCode == 1)
        #expect(other.output.contains("left no statistics: it was not served by Percolate"))
    }

    @Test(arguments: [("CRASH", "died by signal 11"), ("FAIL", "exit status 5"), ("HANG", "did not end in time")])
    func libraryThatBreaksProgramsIsAFailure(behaviour: String, words: String) async throws {
        let library = try await Compiler.shared.executable(
            "Command/broken_library.c", flags: ["-shared", "-fPIC", "-D\(behaviour)"])
        let outcome = try await CommandRun.command(["doctor", "--library", library])
        #expect(outcome.exitCode == 1)
        #expect(outcome.output.contains(words), "\(outcome.output)")
        // The longest wait need not be tested twice.
        guard behaviour != "HANG" else { return }
        let json = try await CommandRun.command(["doctor", "--json", "--library", library])
        #expect(json.exitCode == 1)
        let report = try JSONDecoder().decode(Report.self, from: Data(json.output.utf8))
        #expect(report.allocator.problem?.contains(words) == true)
    }

    private static func otherLibrary() async throws -> String {
        try await Compiler.shared.executable("Command/broken_library.c", flags: ["-shared", "-fPIC"])
    }

    /// With the allocator itself.
    @Test func allocatorOfThisBuildIsUsable() async throws {
        let outcome = try await CommandRun.command(["doctor"])
        #expect(outcome.succeeded, "\(outcome.output)")
        #expect(outcome.output.contains("Programs can run on Percolate here."))
        #expect(!outcome.output.contains("not reported"), "\(outcome.output)")
        let off = try await CommandRun.command(["doctor"], environment: ["PERCOLATE_OPTIONS": "rseq=off"])
        #expect(off.output.contains("locked: each CPU's cache is used under its lock, because the option rseq=off"))
        let hardened = try await CommandRun.command(["doctor"], environment: ["PERCOLATE_OPTIONS": "hardened=1"])
        #expect(hardened.output.contains("hardened: every operation takes the checked path"))
    }
}
