import Foundation
import TestSupport
import Testing

/// What a program does wrong with a guarded or sampled block is reported with the stacks of those
/// who had it.
@Suite(.serialized) struct SampledMisuseTests {
    /// The names of functions are in the report where they are exported.
    private static func program() async throws -> String {
        try await Compiler.shared.executable(
            "Sampling/misuse.c", flags: Headers.internalFlags + ["-D_GNU_SOURCE", "-rdynamic"])
    }

    /// What each misuse is called, and whose stacks the report has.
    private static let misuses: [(kind: String, size: String, name: String, stacks: [String])] = [
        ("write-behind", "64", "buffer overflow (write)", ["use_here", "allocate_here"]),
        ("write-behind", "100", "buffer overflow (write, found later)", ["free_here", "allocate_here"]),
        ("write-behind", "40000", "buffer overflow (write)", ["use_here", "allocate_here"]),
        ("write-behind-and-keep", "5", "buffer overflow (write, found later)", ["allocate_here"]),
        ("write-behind-and-grow", "33", "buffer overflow (write, found later)", ["allocate_here"]),
        ("read-behind", "4096", "buffer overflow (read)", ["use_here", "allocate_here"]),
        ("read-freed", "24", "use after free (read)", ["use_here", "free_here", "allocate_here"]),
        ("read-freed-by-another-thread", "24", "use after free (read)", ["use_here", "free_here", "allocate_here"]),
        ("write-freed", "1000", "use after free (write)", ["use_here", "free_here", "allocate_here"]),
        ("free-twice", "24", "double free", ["free_here", "free_here", "allocate_here"]),
        ("grow-freed", "24", "use after free", ["free_here", "allocate_here"]),
        ("size-of-freed", "24", "use after free", ["free_here", "allocate_here"]),
        ("free-inside", "24", "interior pointer", ["free_here", "allocate_here"]),
        ("free-aligned", "24", "wrong alignment", ["free_aligned_here", "allocate_here"]),
    ]

    @Test(arguments: misuses.indices) func everyMisuseOfAGuardedBlockIsReported(index: Int) async throws {
        let misuse = Self.misuses[index]
        let program = try await Self.program()
        for _ in 0..<(Effort.isLong ? 10 : 2) {
            let outcome = try await run(
                program, [misuse.kind, misuse.size], under: .percolate(options: "guard=1"), timeout: .seconds(30))
            #expect(outcome.signal == 6 && !outcome.output.contains("not noticed"), "\(outcome.report)")
            let block = try #require(try /block (0x[0-9a-f]+)/.firstMatch(in: outcome.output)).1
            #expect(outcome.errors.hasPrefix("percolate: \(misuse.name): 0x"), "\(outcome.report)")
            #expect(
                outcome.errors.contains("the guarded block of \(misuse.size) bytes at \(block)\n"), "\(outcome.report)")
            let functions = outcome.errors.matches(of: /#[0-9]+ 0x[0-9a-f]+ (\w+)\+0x/).map { String($0.1) }
            #expect(functions.filter { $0.hasSuffix("_here") } == misuse.stacks, "\(outcome.report)")
            #expect(functions.contains("main"), "\(outcome.report)")
        }
    }

    /// The same of a fully hardened heap where the block is a sample: what is found, how, and by
    /// whose stack, then who freed the block and who allocated it.
    private static let hardenedMisuses: [(kind: String, size: String, name: String, stacks: [String])] = [
        ("write-behind", "64", "overflow", ["free_here", "allocate_here"]),
        ("write-behind", "33000", "overflow", ["free_here", "allocate_here"]),
        ("write-behind-and-keep", "5", "overflow", ["allocate_here"]),
        ("write-behind-and-grow", "33", "overflow", ["allocate_here"]),
        ("write-freed", "1000", "write after free", ["free_here", "allocate_here"]),
        ("write-freed-and-go-on", "24", "write after free", ["free_here", "free_here", "allocate_here"]),
        ("free-twice", "24", "double free", ["free_here", "free_here", "allocate_here"]),
        ("free-twice", "40000", "double free", ["free_here", "free_here", "allocate_here"]),
        ("free-twice-in-threads", "24", "double free", ["free_here", "free_here", "allocate_here"]),
        ("grow-freed", "24", "use after free", ["free_here", "allocate_here"]),
        ("size-of-freed", "24", "use after free", ["free_here", "allocate_here"]),
        ("free-inside", "24", "interior pointer", ["free_here", "allocate_here"]),
        ("free-aligned", "24", "wrong alignment", ["free_aligned_here", "allocate_here"]),
    ]

    @Test(arguments: hardenedMisuses.indices)
    func everyMisuseOfASampledBlockOfAHardenedHeapHasItsStacks(index: Int) async throws {
        let misuse = Self.hardenedMisuses[index]
        let program = try await Self.program()
        let arguments = [misuse.kind, misuse.size]
        // A quarantine that the blocks leave while the program runs.
        let options = "hardened=1,quarantine=64K"
        let outcome = try await run(
            program, arguments, under: .percolate(options: "\(options),sample=1"), timeout: .seconds(30))
        #expect(outcome.signal == 6 && !outcome.output.contains("not noticed"), "\(outcome.report)")
        let lines = outcome.errors.split(separator: "\n")
        #expect(lines.first?.hasPrefix("percolate: \(misuse.name): 0x") == true, "\(outcome.report)")
        #expect(lines.first?.contains(" (block of \(misuse.size) bytes") == true, "\(outcome.report)")
        let deeds = lines.compactMap { $0.wholeMatch(of: #/  (\w+) by thread [0-9]+:/#)?.1 }
        let isFreed = misuse.stacks.count > 2 || misuse.kind.contains("-freed")
        #expect(deeds == (isFreed ? ["found", "freed", "allocated"] : ["found", "allocated"]), "\(outcome.report)")
        let functions = outcome.errors.matches(of: /#[0-9]+ 0x[0-9a-f]+ (\w+)\+0x/).map { String($0.1) }
        #expect(functions.filter { $0.hasSuffix("_here") } == misuse.stacks, "\(outcome.report)")
        // Without a sample the line is all there is.
        let plain = try await run(program, arguments, under: .percolate(options: options), timeout: .seconds(30))
        #expect(plain.signal == 6 && plain.errors.split(separator: "\n").count == 1, "\(plain.report)")
    }

    @Test(arguments: ["guard=1", "guard=4K", "guard=100M,sample=512K", "sample=1", "hardened=1,sample=1", ""])
    func aProgramWithoutMisuseIsLeftAlone(options: String) async throws {
        let outcome = try await run(
            try await Self.program(), ["none", "70"], under: .percolate(options: options))
        #expect(outcome.succeeded && outcome.output.contains("misuse: none"), "\(outcome.report)")
        #expect(outcome.errors.isEmpty)
    }
}
