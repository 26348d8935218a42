import Foundation
import TestSupport
import Testing

/// A per-CPU buffer keeps every element once while its owners put and take, and others drain it.
///
/// Putting and taking are sequences, and draining another CPU's buffer is a vector: the vector's
/// fence is what keeps the one out of the other. The control takes that fence away from the very
/// program that passes with it. `StructureTests` and `PerCPUProgramTests` have controls of the same
/// sequences in C, with delays between their steps.
@Suite(.serialized) struct PerCPUBufferTests {
    private func run(_ elements: String, seconds: Int, below launcher: String? = nil) async throws
        -> Outcome
    {
        let program = try await Consumer.release.products().appending(path: "buffers").path
        let arguments = [elements, "\(seconds)"]
        guard let launcher else {
            return try await TestSupport.run(program, arguments, under: .glibc)
        }
        return try await TestSupport.run(launcher, [program] + arguments, under: .glibc)
    }

    @Test(arguments: ["words", "bytes"])
    func everyElementComesOutOnce(elements: String) async throws {
        let outcome = try await run(elements, seconds: 2)
        #expect(outcome.succeeded, "\(outcome)")
    }

    /// The negative control.
    @Test func withoutTheFenceElementsAreLostOrTorn() async throws {
        let launcher = try await Compiler.shared.executable("Vectors/without_fences.c")
        for _ in 0..<24 {
            let outcome = try await run("bytes", seconds: 1, below: launcher)
            if outcome.exitCode == 1, outcome.output.contains("WRONG") { return }
        }
        Issue.record("24 runs without the fence went right: the test cannot see what it is for")
    }
}
