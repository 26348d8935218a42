import Foundation
import TestSupport
import Testing

/// The descriptors of the library's restartable sequences hold what the kernel and debuggers expect
/// of them.
@Suite struct DescriptorTests {
    /// `struct rseq_cs` of the kernel, with the four bytes that lie before its abort handler.
    struct Descriptor {
        let address, version, flags, start, length, abort, signature: Int

        var end: Int { start + length }
    }

    struct Sections {
        var descriptors: [Descriptor] = []
        var listed: [Int] = []
        var exits: [(start: Int, target: Int)] = []
        var code: [Range<Int>] = []

        init(of library: String) async throws {
            let program = try await Compiler.shared.executable("Stress/show_sections.c")
            let outcome = try await run(program, [library], under: .glibc)
            try #require(outcome.succeeded, "\(outcome.errors)")
            for line in outcome.output.split(separator: "\n") {
                let words = line.split(separator: " ")
                let numbers = words.dropFirst().compactMap { Int($0) }
                switch (words[0], numbers.count) {
                case ("descriptor", 7):
                    descriptors.append(
                        Descriptor(
                            address: numbers[0], version: numbers[1], flags: numbers[2], start: numbers[3],
                            length: numbers[4], abort: numbers[5], signature: numbers[6]))
                case ("listed", 1): listed.append(numbers[0])
                case ("exit", 2): exits.append((numbers[0], numbers[1]))
                case ("code", 2): code.append(numbers[0]..<numbers[1])
                default: Issue.record("not understood: \(line)")
                }
            }
        }
    }

    /// By cpu_id and by mm_cid: malloc, two of new, mallocx and calloc, each plain, sampled and
    /// marked; free, plain and marked; sized free and sdallocx. And the move vector and the close.
    static let count = 2 * (5 * 3 + 2 + 1 + 1) + 2

    @Test func everyDescriptorIsWhatTheKernelAccepts() async throws {
        let sections = try await Sections(of: Checkout.library)
        #expect(sections.descriptors.count == Self.count)
        for each in sections.descriptors {
            #expect(each.address % 32 == 0)
            #expect(each.version == 0 && each.flags == 0)
            #expect(each.length > 0)
            #expect(sections.code.contains { $0.contains(each.start) && $0.contains(each.end) }, "\(each)")
            #expect(sections.code.contains { $0.contains(each.abort) }, "\(each)")
            #expect(!(each.start..<each.end).contains(each.abort), "\(each)")
            #expect(each.signature == 0x5305_3053, "\(each)")
        }
    }

    @Test func noTwoSectionsOverlap() async throws {
        let ranges = try await Sections(of: Checkout.library).descriptors.map { $0.start..<$0.end }
            .sorted { $0.lowerBound < $1.lowerBound }
        try #require(ranges.count == Self.count)
        for (one, next) in zip(ranges, ranges.dropFirst()) { #expect(one.upperBound <= next.lowerBound) }
    }

    @Test func debuggersFindEveryDescriptor() async throws {
        let sections = try await Sections(of: Checkout.library)
        #expect(sections.listed.sorted() == sections.descriptors.map(\.address).sorted())
        #expect(sections.listed.count == Self.count)
    }

    @Test func everyExitIsOneOfASectionAndLeavesIt() async throws {
        let sections = try await Sections(of: Checkout.library)
        let starts = Dictionary(uniqueKeysWithValues: sections.descriptors.map { ($0.start, $0) })
        for exit in sections.exits {
            let section = try #require(starts[exit.start], "an exit of no section at \(exit.start)")
            #expect(!(section.start..<section.end).contains(exit.target))
            #expect(sections.code.contains { $0.contains(exit.target) })
        }
        // A section without exits could not refuse anything.
        #expect(Set(sections.exits.map(\.start)) == Set(starts.keys))
    }
}
