import Foundation
import TestSupport
import Testing

@Suite(.serialized)
struct OptionTests {
    /// Runs a program that works hard, which must succeed whatever the options are.
    private func outcome(options: String, sourceLocation: SourceLocation = #_sourceLocation) async throws -> Outcome {
        let program = try await InterfaceProgram(source: "allocate.c").executable()
        let outcome = try await run(
            program, ["contents_survive"], under: .percolate(), environment: ["PERCOLATE_OPTIONS": options])
        #expect(outcome.succeeded, "\(outcome.report)", sourceLocation: sourceLocation)
        return outcome
    }

    @Test(arguments: [
        "", "hardened=0", "hardened=1", "rseq=auto", "rseq=off", "index=auto", "index=cpu_id", "index=mm_cid",
        "cache=auto", "cache=0", "cache=65536", "cache=64K", "cache=1M", "cache=2G", "release=prompt", "release=lazy",
        "release=never", "background=auto", "background=off", "huge=0", "huge=1", "membarrier=auto", "membarrier=off",
        "slice=auto", "slice=on", "slice=off", "reserve=256M", "reserve=1G", "reserve=64G", "main=1",
        "profile=off", "leaks=off", "sample=0", "guard=0",
        "hardened=yes", "huge=true", "rseq=on", "membarrier=1", "background=no", "cache=4MB", "cache = 4 MiB, huge=off",
        "hardened=1,rseq=off", "rseq=auto,index=cpu_id,cache=1M,release=lazy,membarrier=auto,reserve=4G,hardened=0",
    ])
    func documentedOptionsAreTakenInSilence(options: String) async throws {
        #expect(try await outcome(options: options).errors == "")
    }

    @Test(arguments: [
        ("nosuchkey=1", "nosuchkey"), ("Hardend=1", "Hardend"), ("hardened", "hardened"), ("hardened=", "hardened"),
        ("hardened=maybe", "hardened"), ("hardened=2", "hardened"), ("rseq=onn", "rseq"), ("index=cpu", "index"),
        ("cache=12Q", "cache"), ("cache=-1", "cache"), ("cache=1.5M", "cache"), ("cache=K", "cache"),
        ("cache=99999999999999999999", "cache"), ("cache=18446744073709551615G", "cache"),
        ("release=sometimes", "release"), ("membarrier=2", "membarrier"), ("slice=often", "slice"),
        ("background=often", "background"),
        ("huge=often", "huge"), ("reserve=much", "reserve"),
        ("profile=", "profile"), ("profile=on", "profile"),
        ("stats=", "stats"), ("main=me", "main"), ("=1", "=1"), ("hardened=1=2", "hardened"),
    ])
    func aBadOptionGivesOneLineThatNamesIt(options: String, name: String) async throws {
        let lines = try await outcome(options: options).errors.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.count == 2 && lines.last == "", "\(lines)")
        #expect(lines[0].hasPrefix("percolate: PERCOLATE_OPTIONS: "), "\(lines)")
        #expect(lines[0].dropFirst("percolate: PERCOLATE_OPTIONS: ".count).contains(name), "\(lines)")
    }

    @Test(arguments: [",", "hardened=0,,rseq=auto", ",hardened=0", "hardened=0,", ",,,"])
    func emptyItemsAreNothing(options: String) async throws {
        #expect(try await outcome(options: options).errors == "")
    }

    @Test func ofTwoValuesTheLastOneCounts() async throws {
        let off = Statistics(try await outcome(options: "rseq=auto,rseq=off,stats=stderr").errors)
        #expect(off.values["mode"] == "locked")
        let auto = Statistics(try await outcome(options: "rseq=off,rseq=auto,stats=stderr").errors)
        #expect(auto.values["mode"] == "sections")
    }

    @Test func everyBadOptionGivesItsLineAndTheGoodOnesHold() async throws {
        let errors = try await outcome(options: "first=1,rseq=off,cache=x,stats=stderr,third=3").errors
        let complaints = errors.split(separator: "\n").filter { $0.hasPrefix("percolate: PERCOLATE_OPTIONS: ") }
        #expect(complaints.count == 3, "\(errors)")
        #expect(zip(complaints, ["first", "cache", "third"]).allSatisfy { $0.contains($1) }, "\(complaints)")
        #expect(Statistics(errors).values["mode"] == "locked")
    }

    @Test func aBadOptionOfAnyLengthGivesOneLine() async throws {
        for options in [String(repeating: "x", count: 100_000), "hardened=" + String(repeating: "1", count: 100_000)] {
            let errors = try await outcome(options: options).errors
            #expect(errors.hasPrefix("percolate: PERCOLATE_OPTIONS: ") && errors.hasSuffix("\n"))
            #expect(errors.split(separator: "\n").count == 1)
        }
        let many = Array(repeating: "wrong", count: 50).joined(separator: ",")
        let lines = try await outcome(options: many).errors.split(separator: "\n")
        #expect(lines.count == 50 && lines.allSatisfy { $0.hasPrefix("percolate: PERCOLATE_OPTIONS: ") })
    }

    @Test(arguments: [
        ("hardened=1", "mode", "hardened"), ("rseq=off", "mode", "locked"), ("rseq=off", "rseq", "none"),
        ("index=cpu_id", "index", "cpu_id"), ("membarrier=off", "membarrier", "no"),
    ])
    func anOptionShowsInTheStatistics(option: String, name: String, value: String) async throws {
        let statistics = Statistics(try await outcome(options: option + ",stats=stderr").errors)
        #expect(statistics.values[name] == value)
        #expect(statistics.servedBlocks > 0)
    }

    @Test(arguments: [("rseq=bad", "rseq"), ("hardened=bad", "mode"), ("index=bad", "index")])
    func aBadValueGivesTheDefault(option: String, name: String) async throws {
        let normal = Statistics(try await outcome(options: "stats=stderr").errors)
        let bad = Statistics(try await outcome(options: option + ",stats=stderr").errors)
        #expect(normal.values[name] != nil)
        #expect(bad.values[name] == normal.values[name])
    }

    @Test func everyProcessWritesStatisticsOfItsOwn() async throws {
        let folder = try TemporaryFolder()
        let prefix = folder.url.appending(path: "statistics").path
        // A program that starts another and ends by exit, which dash does not: it ends by _exit.
        let outcome = try await run(
            "timeout", ["60", "/bin/echo", "hello"], under: .percolate(options: "stats=\(prefix)"))
        #expect(outcome.succeeded && outcome.output == "hello\n" && outcome.errors == "", "\(outcome.report)")
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.url.path)
        for file in files {
            let text = try String(contentsOf: folder.url.appending(path: file), encoding: .utf8)
            #expect(text.hasPrefix("percolate statistics\n"))
            #expect(Statistics(text).values["process_id"].map { "statistics." + $0 } == file)
        }
        let names = try Statistics.all(prefix: prefix).compactMap { $0.values["process_name"] }
        #expect(names.sorted() == ["echo", "timeout"])
    }

    @Test func theMainProcessWritesExactlyTheFileItWasTold() async throws {
        let folder = try TemporaryFolder()
        let file = folder.url.appending(path: "statistics").path
        // The shell becomes the program, so that its process id is known in front of the program's
        // start.
        let script = "PERCOLATE_OPTIONS=stats=$1,main=$$ LD_PRELOAD=$2 exec timeout 60 /bin/echo hello"
        let outcome = try await run("sh", ["-c", script, "sh", file, Checkout.library], under: .glibc)
        #expect(outcome.succeeded && outcome.output == "hello\n" && outcome.errors == "", "\(outcome.report)")
        let main = Statistics(try String(contentsOfFile: file, encoding: .utf8))
        #expect(main.values["process_name"] == "timeout")
        let others = try Statistics.all(prefix: file)
        #expect(others.compactMap { $0.values["process_name"] } == ["echo"])
    }

    @Test func statisticsThatCannotBeWrittenDoNotHurtTheProgram() async throws {
        let errors = try await outcome(options: "stats=/nonexistent/folder/statistics").errors
        // A program that has closed standard error by then is not told.
        let lines = errors.split(separator: "\n")
        #expect(lines.count <= 1, "\(errors)")
        for line in lines {
            #expect(line.hasPrefix("percolate: cannot write statistics to /nonexistent/folder/statistics."))
            #expect(line.hasSuffix(": No such file or directory"))
        }
    }
}
