import Foundation
import TestSupport
import Testing

/// What `percolate trace` shows of a program.
@Suite(.enabled(if: TraceRun.isPermitted, TraceRun.needs))
struct TraceTests {
    @Test func vectorsAreShownInOrderWithTheirOperands() async throws {
        let program = try await TraceRun.program("Command/known_vectors.c")
        let (outcome, lines) = try await TraceRun.trace(["--events", "vector,operation,fallback"], [program])
        #expect(outcome.succeeded && outcome.errors == "", "\(outcome.errors)")
        var places: [String: String] = [:]
        for line in outcome.output.split(separator: "\n") {
            let words = line.split(separator: " ")
            places[String(words[0])] = String(words[1])
        }
        let cpu = try #require(places["cpu"].flatMap { Int($0) })
        let (number, copy) = (places["number"] ?? "", places["copy"] ?? "")
        let (same, other, bits) = (places["same"] ?? "", places["other"] ?? "", places["bits"] ?? "")
        let expected = [
            "vector begin: 11 operations at # for cpu \(cpu)",
            "operation 0 compare_eq 8 bytes at \(same) with \(other)",
            "operation 1 add 5 to 8 bytes at \(number), stored 0x2a",
            "operation 2 add_release -2 to 8 bytes at \(number), stored 0x28",
            "operation 3 or 4 bytes at \(bits) with 0xf0, stored 0xff",
            "operation 4 and 4 bytes at \(bits) with 0x3c, stored 0x3c",
            "operation 5 xor 4 bytes at \(bits) with 0xff, stored 0xc3",
            "operation 6 lshift 4 bytes at \(bits) by 4, stored 0xc30",
            "operation 7 rshift 4 bytes at \(bits) by 5, stored 0x61",
            "operation 8 mb",
            "operation 9 memcpy 8 bytes to \(copy) from \(number), stored 0x28",
            "operation 10 memcpy_release 16 bytes to \(same) from \(same)",
            "vector end: done for cpu \(cpu), #",
            "vector begin: 2 operations at # for cpu \(cpu)",
            "operation 0 compare_ne 8 bytes at \(same) with \(other): stops the vector",
            "vector end: stopped by the compare at 0 for cpu \(cpu), #",
            "fallback operation on \(number) of cpu \(cpu + 1) goes on as a vector: the thread is on another CPU",
        ]
        // Where the vectors lie, on the stack, and how long they took, nobody knows before.
        let shown = lines.map { line in
            "\(line.kind) \(line.meaning)".replacing(/operations at 0x[0-9a-f]+/, with: "operations at #")
                .replacing(/, [0-9.]+ (ns|us|ms|s)$/, with: ", #")
        }
        #expect(shown == expected)
        #expect(lines.map(\.time) == lines.map(\.time).sorted())
    }

    @Test(.enabled(if: ProcessInfo.processInfo.activeProcessorCount > 1, "needs two CPUs"))
    func everyKindOfEventIsShown() async throws {
        let program = try await TraceRun.program("Vectors/events.c")
        let (outcome, lines) = try await TraceRun.trace([], [program, "1"])
        #expect(outcome.succeeded && outcome.errors == "", "\(outcome.errors)")
        let forms = [
            "vector": [
                #/begin: 3 operations at 0x\w+ for cpu \d+, of the allocator/#,
                #/end: done for cpu \d+, [\d.]+ [num]?s/#,
            ],
            "operation": [
                #/0 compare_eq 8 bytes .*/#, #/1 memcpy \d+ bytes .*/#, #/0 add 1 to 8 bytes at 0x\w+, stored 0x\w+/#,
            ],
            "move": [#/\d+ pointers in one section at index \d+, header 0x\w+/#],
            "gate": [
                #/close \d+ at 0x\w+ on its own cpu, without a fence/#,
                #/close \d+ at 0x\w+ by a fence of [\d.]+ [num]?s/#,
                #/open \d+ at 0x\w+/#,
            ],
            "fallback": [#/operation on 0x\w+ of cpu \d+ goes on as a vector: the thread is on another CPU/#],
            "abort": [#/allocation goes on in the slow path/#, #/deallocation goes on in the slow path/#],
            "refill": [#/\d+ blocks of 48 bytes into the cache of index \d+/#],
            "drain": [#/\d+ blocks of 48 bytes out of the cache of index \d+/#],
            "steal": [#/\d+ blocks from the cache of idle index \d+, by index \d+/#],
            "span": [
                #/take \d+ pages at 0x\w+ for blocks of 48 bytes/#,
                #/give back \d+ pages at 0x\w+ of blocks of 48 bytes/#,
                #/take 2048 pages at 0x\w+ for a large block/#, #/give back 2048 pages at 0x\w+ of a large block/#,
            ],
            "release": [#/\d+ bytes at 0x\w+ to the system/#],
        ]
        for (kind, expressions) in forms {
            let meanings = lines.filter { $0.kind == kind }.map(\.meaning)
            for (number, form) in expressions.enumerated() {
                #expect(meanings.contains { (try? form.wholeMatch(in: $0)) != nil }, "\(kind), form \(number)")
            }
        }
        #expect(Set(lines.map(\.kind)) == Set(forms.keys))
    }

    @Test func onlyTheKindsAskedForAreShown() async throws {
        let (outcome, lines) = try await TraceRun.trace(["--events", "refill,span"], ["ls", "/"])
        #expect(outcome.succeeded && !lines.isEmpty)
        #expect(Set(lines.map(\.kind)) == ["refill", "span"])
    }

    @Test func everyProcessAndThreadOfTheProgramIsShownAndNoOther() async throws {
        let vectors = try await TraceRun.program("Command/known_vectors.c")
        let structures = try await TraceRun.program("Vectors/structures.c")
        let script = "\(structures) counter vector 1000000000 1 & other=$!; \"$@\"; kill $other"
        let folder = try TemporaryFolder()
        let inner = "\(vectors) & \(vectors) & \(structures) counter vector 30 3 & wait"
        let launch = TraceRun.arguments(
            ["--events", "vector", "--output", folder.path("trace")], ["/bin/sh", "-c", inner])
        let outcome = try await TestSupport.run(
            "/bin/sh", ["-c", script, "sh", Checkout.command] + launch, under: .glibc)
        #expect(!outcome.output.contains("WRONG"))
        let lines = try String(contentsOfFile: folder.path("trace"), encoding: .utf8).split(separator: "\n")
            .map { try TraceLine($0) }
        let begun = Dictionary(
            grouping: lines.filter { $0.meaning.hasPrefix("begin") && !$0.meaning.contains("allocator") }, by: \.process
        )
        #expect(begun.values.map(\.count).sorted() == [2, 2, 31])
        let threads = begun.values.first { $0.count == 31 }.map { Set($0.map(\.thread)) } ?? []
        #expect(threads.count > 1, "\(threads)")
    }

    @Test func summaryCountsAndMeasures() async throws {
        let program = try await TraceRun.program("Command/known_vectors.c")
        let outcome = try await TraceRun.run(["--summary"], [program])
        #expect(outcome.succeeded)
        let rows = outcome.errors.split(separator: "\n").map(String.init)
        #expect(rows.first?.contains(/^ +count +total +p50 +p90 +p99 +largest$/) == true, "\(outcome.errors)")
        func row(_ name: String) -> String { rows.first { $0.hasPrefix(name + " ") } ?? "" }
        #expect(row("vectors").contains(/^vectors +2( +[\d.]+ [num]?s){5}$/), "\(outcome.errors)")
        #expect(row("operations").contains(/^operations +12$/))
        #expect(row("compares that stopped a vector").hasSuffix(" 1"))
        #expect(row("gates held closed").contains(/closed +2( +[\d.]+ [num]?s){5}$/))
        #expect(row("refills").contains(/^refills +\d+ +\d+ blocks, \d+ bytes$/))
        #expect(row("spans taken").contains(/^spans taken +\d+ +\d+ pages$/))
    }

    /// The trace is written to a pipe that nobody reads before the program has ended, so the kernel
    /// runs out of room.
    @Test func eventsThatAreLostAreCounted() async throws {
        let folder = try TemporaryFolder()
        let structures = try await TraceRun.program("Vectors/structures.c")
        // On one CPU, since each has room of its own, and with no thread of the allocator, which
        // may run vectors too.
        let program = """
            cpu=$(sed -n 's/^Cpus_allowed_list:[^0-9]*\\([0-9]*\\).*/\\1/p' /proc/self/status)
            taskset -c $cpu "$0" counter vector 60000 1 && echo >"$1.ended"
            """
        let script = """
            mkfifo "$0"
            (exec 3<"$0"; until [ -e "$0.ended" ]; do sleep 0.1; done; cat <&3 >"$0.read") &
            "$@"; wait
            """
        let launch = TraceRun.arguments(
            ["--events", "vector,operation", "-o", "background=off", "--output", folder.path("pipe")],
            ["/bin/sh", "-c", program, structures, folder.path("pipe")])
        let outcome = try await TestSupport.run(
            "/bin/sh", ["-c", script, folder.path("pipe"), Checkout.command] + launch, under: .glibc)
        #expect(outcome.succeeded, "\(outcome.errors)")
        let written = try String(contentsOfFile: folder.path("pipe.read"), encoding: .utf8).split(separator: "\n")
        let remark = try #require(written.last)
        #expect(
            remark.contains(#/^percolate: \d+ events were lost, /#) && outcome.errors == "\(remark)\n",
            "\(outcome.errors)")
        func total(_ probe: String, _ form: String) throws -> Int {
            let lost = try #require(
                try Regex("\(probe) (\\d+)", as: (Substring, Substring).self).firstMatch(in: remark))
            return written.count { $0.contains(form) } + (Int(lost.output.1) ?? 0)
        }
        // The program runs one more vector at its start.
        #expect(try total("vec_begin", "  vector     begin: ") == 60_001)
        #expect(try total("op", "  operation  ") == 60_001)
        #expect(try total("vec_end", "  vector     end: ") == 60_001)
    }
}
