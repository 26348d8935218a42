import Foundation
import Testing

@testable import Compare

/// A report with two rounds of two workloads, one of which failed once.
private func sample() -> Report {
    func measurement(
        _ round: Int, _ seconds: Double, _ peak: UInt64, marks: [Mark] = [], latencies: [Latency]? = nil
    ) -> Compare.Measurement {
        Compare.Measurement(
            round: round, seconds: seconds, userSeconds: seconds * 0.75, systemSeconds: seconds * 0.25,
            peakResidentBytes: peak, minorFaults: peak / 4096, majorFaults: 0, marks: marks,
            timeline: marks.map { Point(seconds: $0.seconds, resident: $0.resident) }, latencies: latencies)
    }
    func latencies(_ worst: Double) -> [Latency] {
        [Latency(latency: "free", count: 10, nanoseconds: [20, 30, 150, 758, 5000, worst])]
    }
    let marks = [
        Mark(mark: "peak", seconds: 0.5, resident: 900), Mark(mark: "freed", seconds: 0.6, resident: 500),
        Mark(mark: "idle 2 s", seconds: 2.5, resident: 100),
    ]
    return Report(
        machine: Machine(
            processor: "a \"fast\" one", processors: 2, memoryBytes: 1 << 30, kernel: "Linux 6.18", system: "Debian 12",
            library: "glibc 2.36", compiler: "cc 12", transparentHugePages: "madvise", settings: ["MALLOC_CONF": "a<b"]),
        started: Date(timeIntervalSince1970: 1_700_000_000), finished: Date(timeIntervalSince1970: 1_700_000_100),
        loadAtStart: 0.25, loadAtEnd: 1.5, rounds: 2, quick: false, baseline: "jemalloc",
        peers: ["jemalloc", "percolate"].map { Peer(name: $0, path: "/lib/\($0).so", origin: "1.0") },
        skipped: [Skipped(name: "redis", reason: "redis-server is not installed")],
        rows: [
            Row(
                name: "pairs-64", summary: "pairs", group: .micro, threads: 1,
                measurements: [
                    "jemalloc": [measurement(0, 2, 4000), measurement(1, 4, 4000)],
                    "percolate": [
                        measurement(0, 1, 1000, latencies: latencies(12_000)),
                        measurement(1, 2, 1000, latencies: latencies(16_000)),
                    ],
                ]),
            Row(
                name: "burst-64", summary: "a burst & its end", group: .threads, threads: 64, family: "burst",
                measurements: [
                    "jemalloc": [measurement(0, 1, 1000, marks: marks)],
                    "percolate": [measurement(0, 2, 500, marks: marks)],
                ],
                failures: [Failure(peer: "percolate", round: 1, message: "the program exited with 2")]),
        ])
}

@Suite struct ReportTests {
    @Test func aReportSurvivesItsFile() throws {
        let report = sample()
        #expect(try Report(decoding: report.encoded()) == report)
    }

    @Test func aReportOfAnotherFormatIsRefused() throws {
        var report = sample()
        report.format = Report.currentFormat + 1
        let data = try report.encoded()
        #expect(throws: InvalidInput.self) { try Report(decoding: data) }
    }

    @Test func textThatIsNoReportIsRefused() {
        #expect(throws: (any Error).self) { try Report(decoding: Data("{}".utf8)) }
    }

    @Test func meansAreOverTheRowsOfTheSelection() throws {
        let report = sample()
        #expect(try #require(report.mean(.time, of: "percolate", over: .micro)).value == 0.5)
        #expect(try #require(report.mean(.time, of: "percolate", over: .manyThreads)).value == 2)
        let all = try #require(report.mean(.time, of: "percolate", over: .all))
        #expect(abs(all.value - 1) < 1e-12)
        #expect(all.rows == 2)
        #expect(report.mean(.time, of: "percolate", over: .programs) == nil)
    }

    @Test func latenciesAreMediansOfTheRounds() {
        let rows = sample().latencies
        #expect(rows.map(\.peer) == ["percolate"], "only who was timed")
        #expect(rows.first?.nanoseconds == [20, 30, 150, 758, 5000, 14_000])
        #expect(rows.first?.workload == "pairs-64" && rows.first?.function == "free")
        #expect(Page(sample()).html.contains("14 µs"))
    }

    @Test func aWorkloadsLatenciesAreRead() {
        let text = """
            {"latency":"malloc","count":3,"nanoseconds":[1,2,3,4,5,6]}
            {"mark":"peak","seconds":0.5,"resident":900}

            """
        let output = WorkloadOutput(text: text)
        #expect(output.latencies == [Latency(latency: "malloc", count: 3, nanoseconds: [1, 2, 3, 4, 5, 6])])
        #expect(output.marks.count == 1)
    }

    @Test func rowsThatAreWorseAreNamed() {
        let report = sample()
        #expect(report.rowsAbove(1.05, .time, of: "percolate").map(\.name) == ["burst-64"])
        #expect(report.rowsAbove(1.05, .peak, of: "percolate").isEmpty)
    }

    @Test func onlyWorkloadsWithMarksHaveALastResident() throws {
        let report = sample()
        #expect(report.rows[0].ratio(.last, of: "percolate", to: "jemalloc") == nil)
        #expect(try #require(report.rows[1].ratio(.last, of: "percolate", to: "jemalloc")).value == 1)
    }
}

@Suite struct PageTests {
    @Test func thePageIsCompleteInItself() {
        let page = Page(sample()).html
        for reference in ["http://", "https://", "src=", "href=", "@import", "url("] {
            #expect(!page.contains(reference), "the page refers to something outside: \(reference)")
        }
    }

    @Test func thePageShowsEveryWorkloadAndEscapesText() {
        let page = Page(sample()).html
        #expect(page.contains("pairs-64") && page.contains("burst-64"))
        #expect(page.contains("a burst &amp; its end"))
        #expect(page.contains("MALLOC_CONF=a&lt;b"))
        #expect(page.contains("redis-server is not installed"))
        #expect(page.contains("the program exited with 2"))
    }

    @Test func everyDrawingIsWellFormed() throws {
        let page = Page(sample()).html
        let drawings = page.matches(of: /<svg.*?<\/svg>/.dotMatchesNewlines())
        #expect(drawings.count >= 3)
        for drawing in drawings {
            let parser = XMLDocumentCheck(String(drawing.output))
            #expect(parser.opened == parser.closed && parser.opened > 0)
            #expect(!drawing.output.contains("nan") && !drawing.output.contains("inf"))
        }
    }
}

/// Counts elements: what is opened must be closed.
private struct XMLDocumentCheck {
    let opened: Int
    let closed: Int

    init(_ text: String) {
        opened = text.matches(of: /<[a-z]/).count
        closed = text.matches(of: /<\/[a-z]/).count + text.matches(of: /\/>/).count
    }
}
