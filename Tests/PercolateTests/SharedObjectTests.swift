import Foundation
import TestSupport
import Testing

/// One process, one heap: the API's own tests again, in a process whose `malloc` is the preloaded
/// shared object, in every mode.
@Suite(.serialized) struct SharedObjectTests {
    @Test(arguments: ["", "hardened=1", "rseq=off", "membarrier=off", "index=mm_cid"])
    func theAPIKeepsItsPromisesOnThePreloadedHeap(options: String) async throws {
        let executable = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let suites =
            "HeapTests|HeapArrayTests|HeapArenaTests|StatisticsTests|CountingTests|PerCPUTests|OperationVectorTests"
        let outcome = try await run(
            executable,
            ["--testing-library", "swift-testing", "--no-parallel", "--filter", "PercolateTests.(\(suites))"],
            under: .percolate(options: options), timeout: .seconds(300))
        #expect(outcome.succeeded, "\(outcome.output.suffix(4000))\(outcome.errors.suffix(4000))")
        let tests = try #require((outcome.output + outcome.errors).firstMatch(of: /run with (\d+) tests/)).1
        #expect(Int(tests) ?? 0 >= 30, "the filter found \(tests) tests")
    }
}
