import Foundation
import TestSupport
import Testing

/// mallctl and malloc_stats_print: names, lengths, rights, and figures that are true.
@Suite(.serialized)
struct JemallocControlTests {
    private let program = InterfaceProgram(source: "mallctl.c")
    private let figures = InterfaceProgram(source: "mallctl_figures.c")
    private let arenas = InterfaceProgram(source: "mallctl_arenas.c")
    private let printer = InterfaceProgram(source: "malloc_stats_print.c")

    @Test func namesAndNumbersAgree() async throws {
        try await program.keeps("names_and_numbers_agree")
    }

    @Test func numbersInANameMayBeExchanged() async throws {
        try await program.keeps("numbers_in_a_name_may_be_exchanged")
    }

    @Test func whatIsNotTrueDoesNotExist() async throws {
        try await program.keeps("what_is_not_true_does_not_exist")
    }

    @Test func wrongLengthsAreRefused() async throws {
        try await program.keeps("wrong_lengths")
    }

    @Test func whatMayNotBeDoneIsRefused() async throws {
        try await program.keeps("what_may_not_be_done")
    }

    /// In a hardened process blocks are larger than what may be used of them.
    @Test(arguments: [InterfaceMode.sections, .locked])
    func figuresAreExactToTheByte(in mode: InterfaceMode) async throws {
        try await figures.keeps("figures_are_exact", in: mode)
    }

    @Test func purgeGivesMemoryBack() async throws {
        try await arenas.keeps("purge_gives_memory_back")
    }

    @Test func arenasAreMadeAndGivenUp() async throws {
        try await arenas.keeps("arenas_are_made_and_given_up")
    }

    @Test func timesOfDecayChooseTheRelease() async throws {
        try await arenas.keeps("times_choose_the_release")
    }

    @Test(arguments: InterfaceMode.allCases)
    func backgroundThreadIsTheScavenger(in mode: InterfaceMode) async throws {
        try await arenas.keeps("background_thread_is_the_scavenger", in: mode)
    }

    @Test(arguments: InterfaceMode.allCases)
    func requestsAreCountedFromTheFirstQuestionOn(in mode: InterfaceMode) async throws {
        try await figures.keeps("requests_are_counted", in: mode)
    }

    @Test func childrenOfABusyProcessAreAnswered() async throws {
        try await figures.keeps("children_of_a_busy_process_are_answered")
    }

    @Test func statisticsArePrintedAsText() async throws {
        try await printer.keeps("text_is_printed")
    }

    /// Names of JSON objects, joined by slashes, as they occur below `value`.
    private func names(_ value: JSONValue, below path: String = "") -> Set<String> {
        switch value {
        case .object(let members):
            members.reduce(into: []) { names, member in
                // Arenas are numbered.
                let name = path.hasSuffix("stats.arenas") ? "arena" : member.key
                names.formUnion(self.names(member.value, below: "\(path)/\(name)"))
            }
        case .array(let elements): elements.reduce(into: []) { $0.formUnion(names($1, below: path)) }
        case .other: [path]
        }
    }

    private func printed(_ promise: String, under allocator: Allocator) async throws -> JSONValue {
        let outcome = try await run(try await printer.executable(), [promise], under: allocator)
        #expect(outcome.succeeded, "\(outcome.report)")
        let text = outcome.output.replacing("holds: \(promise)\n", with: "")
        return try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))
    }

    @Test func statisticsArePrintedAsJSONWithTheNamesOfJemalloc() async throws {
        let ours = names(try await printed("json_is_printed", under: .percolate()))
        let theirs = names(try await printed("json_is_printed", under: .other(library: "libjemalloc.so.2")))
        // A name of mallctl that jemalloc does not print.
        #expect(ours.subtracting(theirs).sorted() == ["/jemalloc/opt/max_background_threads"])
        #expect(ours.count > 60)
        for name in ["allocated", "active", "metadata", "resident", "mapped", "retained"] {
            #expect(ours.contains("/jemalloc/stats/\(name)"))
        }
        for name in ["pactive", "small/allocated", "large/nmalloc", "bins/curregs", "tcache_bytes"] {
            #expect(ours.contains("/jemalloc/stats.arenas/arena/\(name)"))
        }
    }

    @Test func statisticsLeaveOutWhatIsUnwanted() async throws {
        let names = names(try await printed("short_json_is_printed", under: .percolate()))
        #expect(names.contains("/jemalloc/stats/allocated"))
        #expect(names.filter { $0.contains("/config/") || $0.contains("/bins/") || $0.contains("/arenas/") } == [])
    }

    @Test func everyAnswerIsThatOfJemalloc() async throws {
        let alike = try await InterfaceProgram(source: "mallctl_alike.c").executable()
        let theirs = try await run(alike, under: .other(library: "libjemalloc.so.2"))
        let ours = try await run(alike)
        #expect(theirs.succeeded && ours.succeeded, "\(theirs.report)\(ours.report)")
        #expect(theirs.output.split(separator: "\n").count > 1400)
        #expect(
            zip(ours.output.split(separator: "\n"), theirs.output.split(separator: "\n")).filter { $0 != $1 }.map {
                "\($0), jemalloc: \($1)"
            } == [])
        #expect(ours.output.count == theirs.output.count)
    }

    /// Without libjemalloc's file in the process: what is printed at its end is Percolate's.
    @Test func mallocConfHasCounterparts() async throws {
        func printed(_ configuration: String, options: String = "") async throws -> Outcome {
            try await run(
                try await program.executable(), ["what_may_not_be_done"], under: .percolate(options: options),
                environment: ["MALLOC_CONF": "stats_print:true,\(configuration)"])
        }
        let first = try await printed("dirty_decay_ms:-1,thp:always,background_thread:false,tcache:false,narenas:4,odd")
        #expect(first.succeeded, "\(first.report)")
        for line in [
            "opt.dirty_decay_ms: -1", "opt.thp: \"always\"", "opt.background_thread: false", "opt.tcache: false",
            "opt.stats_print: true", "MALLOC_CONF without a counterpart: narenas:4,odd",
        ] { #expect(first.errors.contains(line + "\n"), "\(line) in\n\(first.errors)") }
        let second = try await printed("dirty_decay_ms:-1", options: "release=prompt,stats=stderr")
        #expect(second.errors.contains("opt.dirty_decay_ms: 1000\n"), "PERCOLATE_OPTIONS wins: \(second.errors)")
        #expect(!second.errors.contains("counterpart"))
        let third = try await printed("stats_print:false,percpu_arena:percpu", options: "stats=stderr")
        #expect(!third.errors.contains("Begin jemalloc statistics"))
        #expect(third.errors.contains("percolate: MALLOC_CONF: without a counterpart: percpu_arena:percpu\n"))
    }

    @Test func aProgramsOwnConfigurationAndMessageFunctionAreUsed() async throws {
        let own = try await InterfaceProgram(source: "malloc_conf.c", flags: ["-rdynamic"]).executable()
        let outcome = try await run(own)
        #expect(outcome.succeeded && outcome.errors == "", "\(outcome.report)")
        let overridden = try await run(own, ["1000"], environment: ["MALLOC_CONF": "dirty_decay_ms:5000"])
        #expect(overridden.succeeded && overridden.errors == "", "\(overridden.report)")
    }
}

/// JSON of any shape.
private enum JSONValue: Decodable {
    case object([String: JSONValue])
    case array([JSONValue])
    case other

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let members = try? container.decode([String: JSONValue].self) {
            self = .object(members)
        } else if let elements = try? container.decode([JSONValue].self) {
            self = .array(elements)
        } else {
            self = .other
        }
    }
}
