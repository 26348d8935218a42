import Foundation
import Testing

@testable import Compare

/// Real runs, under the C library as the preloaded file. One at a time: the measuring thread waits for all its children.
@Suite(.serialized) final class MeasuredRunTests {
    private let workplace: Workplace
    private let library: Peer

    init() throws {
        workplace = try Workplace(quick: true)
        let checkout = Workplace.sourcePackage.deletingLastPathComponent()
        library = try #require(try Peers(extra: [], checkout: checkout).found.first { $0.name == "glibc" })
    }

    deinit { workplace.remove() }

    private func measure(
        _ path: String, _ arguments: [String] = [], under peer: Peer? = nil, limit: Double = 60, timeline: Bool = false
    ) throws -> Compare.Measurement {
        var runner = MeasuredRun(workplace: workplace)
        runner.limitSeconds = limit
        return try runner.measure(
            Run(command: Command(path, arguments)), under: peer ?? library, round: 0, timeline: timeline)
    }

    @Test func thePeakIsTheProgramsOwnAndNotItsParents() throws {
        let mebibyte = 1 << 20
        let ballast = UnsafeMutableRawPointer.allocate(byteCount: 96 * mebibyte, alignment: 4096)
        defer { ballast.deallocate() }
        memset(ballast, 1, 96 * mebibyte)
        let small = try measure("/bin/true")
        #expect(small.peakResidentBytes > 0)
        #expect(small.peakResidentBytes < UInt64(16 * mebibyte))
        #expect(small.minorFaults > 0)
    }

    @Test func theLargestDescendantCountsForThePeak() throws {
        // tail keeps what it may have to print.
        let run = try measure("/bin/sh", ["-c", "head -c 50000000 /dev/zero | tail -c 50000000 > /dev/null"])
        #expect(run.peakResidentBytes > 45_000_000)
        #expect(run.processorSeconds > 0)
    }

    @Test func aProgramThatFailsGivesNoMeasurement() {
        #expect(throws: MeasuredRun.Problem.self) { try self.measure("/bin/false") }
        #expect(throws: MeasuredRun.Problem.self) { try self.measure("/nonexistent/program") }
    }

    @Test func aProgramThatNeverEndsIsKilledAtTheLimit() {
        let started = Date()
        #expect(throws: MeasuredRun.Problem.self) { try self.measure("/bin/sleep", ["60"], limit: 0.5) }
        #expect(Date().timeIntervalSince(started) < 20)
    }

    @Test func aLibraryThatWasNotLoadedIsNotedAsAFailure() throws {
        let absent = Peer(name: "absent", path: "/nonexistent/libabsent.so", origin: "")
        let problem = #expect(throws: MeasuredRun.Problem.self) { try self.measure("/bin/true", under: absent) }
        #expect(problem?.description.contains("not loaded") == true)
    }

    @Test func aWorkloadsMarksAndItsTimelineTellTheSameStory() throws {
        let run = try measure(try workplace.compile("bigfree"), ["megabytes=40", "idle=2"], timeline: true)
        #expect(run.marks.map(\.mark) == ["start", "peak", "freed", "idle 2 s"])
        let peak = try #require(run.marks.first { $0.mark == "peak" })
        #expect(peak.resident > 40 << 20)
        #expect(run.peakResidentBytes + (1 << 20) >= peak.resident)
        #expect(run.timeline.count > 10)
        #expect(run.timeline.contains { $0.resident > 40 << 20 })
        // The idle time is not work.
        #expect(run.seconds < 2)
    }

    @Test func aServerIsMeasuredWhileItsClientRuns() throws {
        // The client only sleeps, so its time is known.
        guard let server = Shell.find("redis-server") else { return }
        let socket = workplace.path("test.sock")
        let run = Run(
            command: Command(server, ["--port", "0", "--unixsocket", socket, "--save", ""]),
            server: Run.Server(client: Command("/bin/sleep", ["0.5"]), socket: socket, stopSignal: SIGTERM))
        var runner = MeasuredRun(workplace: workplace)
        runner.limitSeconds = 30
        let measured = try runner.measure(run, under: library, round: 0, timeline: false)
        #expect(measured.seconds >= 0.5 && measured.seconds < 10)
        #expect(measured.peakResidentBytes > 1 << 20)
    }

    #if arch(x86_64)
        @Test func instructionsAreCountedAndRepeatable() throws {
            let arguments = ["calls=8", "run=16"]
            let first = try InstructionCount.count(under: library, arguments: arguments)
            #expect(first.map(\.operation) == InstructionCount.Operation.allCases)
            let second = try InstructionCount.count(under: library, arguments: arguments)
            let pair = try #require(first.first { $0.operation == .pairMalloc })
            #expect(pair.typical > 5 && pair.typical < 400)
            #expect(second.first { $0.operation == .pairMalloc }?.typical == pair.typical)
        }
    #endif
}

@Suite struct WorkloadOutputTests {
    @Test func linesThatAreNotTheWorkloadsOwnAreSkipped() {
        let output = WorkloadOutput(
            text: """
                {"mark":"start","seconds":0.5,"resident":4096}
                PONG
                {"active":1.25}
                {"mark":
                """)
        #expect(output.marks == [Mark(mark: "start", seconds: 0.5, resident: 4096)])
        #expect(output.activeSeconds == 1.25)
    }
}

@Suite struct PeersTests {
    private let checkout = Workplace.sourcePackage.deletingLastPathComponent()

    @Test(arguments: ["name", "=path", "two words=/bin/true", "name=/nonexistent"])
    func aPeerThatCannotBeReadIsRefused(text: String) {
        #expect(throws: InvalidInput.self) { try Peers(extra: [text], checkout: self.checkout) }
    }

    @Test func aPeerOfTheSameNameReplacesTheDefault() throws {
        let peers = try Peers(extra: ["jemalloc=/bin/true"], checkout: checkout)
        let named = (peers.found.map(\.name) + peers.missing.map(\.name)).filter { $0 == "jemalloc" }
        #expect(named.count == 1)
        #expect(peers.found.contains { $0.name == "jemalloc" && $0.path.hasSuffix("/true") })
    }

    @Test func anAllocatorThatIsNotThereIsNamedAsMissing() throws {
        let peers = try Peers(extra: [], checkout: URL(filePath: "/nonexistent"))
        #expect(peers.missing.contains { $0.name == "percolate" })
    }
}

@Suite struct WorkloadCatalogTests {
    @Test func everyWorkloadHasItsSourceAndANameOfItsOwn() {
        let workloads = WorkloadCatalog.all()
        #expect(Set(workloads.map(\.name)).count == workloads.count)
        for workload in workloads {
            guard case .compiled(let source, _) = workload.body else { continue }
            let file = Workplace.sourcePackage.appending(path: "Workloads/\(source).c").path
            #expect(FileManager.default.fileExists(atPath: file), "\(workload.name) has no \(source).c")
        }
    }

    @Test func theThreadCountsOfTheGoalsAreCovered() {
        for family in ["queue", "churn"] {
            let counts = WorkloadCatalog.all().filter { $0.family == family }.map(\.threads)
            #expect(counts == [2, 64, 256, 1000])
        }
    }
}
