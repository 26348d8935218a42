import CPercolate
import Testing

@testable import PercolateCoreHosted

/// What `decide` makes of this machine and of the options.
@Suite struct SequencesTests {
    private static let glibcRegisters = percolate_rseq_glibc_size() >= 20
    /// AT_RSEQ_FEATURE_SIZE.
    private static let kernelHasMMCID = percolate_auxiliary(27) >= 28

    private func decide(_ text: String = "", allowedCPUs: Int = 2) -> Sequences {
        text.withCString { bytes in
            var options = Options()
            options.parse(bytes)
            return Sequences.decide(options, allowedCPUs: allowedCPUs)
        }
    }

    /// Kernels for AArch64 from 6.19 to 7.0.13 leave some sections of preempted threads alone.
    @Test(arguments: [
        ("5.10.0-32-cloud-arm64", true), ("6.9.7", true), ("6.18.44", true), ("6.19.0-rc1+", false),
        ("6.19-rc1", false),
        ("6.20.1", false), ("7.0-rc3", false), ("7.0.13+deb14-arm64-16k", false), ("7.0.14", true),
        ("7.1.0-rc1", true),
        ("7.10.1", true), ("8.0.1", true), ("10.0.2", true),
    ])
    func kernelsThatDoNotAbortAreKnown(release: String, aborts: Bool) {
        #expect(percolate_arm64_release_aborts_sections(release) == aborts)
    }

    @Test func nothingIsRegisteredOnRequest() {
        let sequences = decide("rseq=off")
        #expect(sequences.registration == .none)
        #expect(!sequences.canFence && !sequences.fence(cpu: 0))
    }

    @Test(.enabled(if: glibcRegisters, "glibc registers no area here"))
    func glibcsAreaIsUsedWhereThereIsOne() {
        let sequences = decide()
        #expect(sequences.registration == .glibc)
        #expect(sequences.areaOffset == percolate_rseq_glibc_offset() + 8)
        #expect(sequences.cpuOffset == percolate_rseq_glibc_offset() + 4)
        #expect(sequences.registerThread())
    }

    @Test(.enabled(if: glibcRegisters && kernelHasMMCID, "no mm_cid here"), arguments: [1, 2, 15, 16, 64, 1024])
    func theIndexFollowsTheNumberOfCPUs(allowed: Int) {
        let sequences = decide(allowedCPUs: allowed)
        #expect(sequences.index == (allowed >= 16 ? .mmCID : .cpuID))
        let field = allowed >= 16 ? 24 : 4
        #expect(sequences.indexOffset == percolate_rseq_glibc_offset() + field)
    }

    @Test(.enabled(if: glibcRegisters, "glibc registers no area here")) func theUserChoosesTheIndex() {
        #expect(decide("index=cpu_id", allowedCPUs: 64).index == .cpuID)
        #expect(decide("index=mm_cid", allowedCPUs: 1).index == (Self.kernelHasMMCID ? .mmCID : .cpuID))
    }

    @Test(.enabled(if: glibcRegisters, "glibc registers no area here"), arguments: TestHeap.processors)
    func theIndexOfAPinnedThreadIsItsCPU(cpu: Int) throws {
        let sequences = decide("index=cpu_id")
        #expect(try TestHeap.onProcessor(cpu) { sequences.currentIndex() } == cpu)
    }

    @Test func withoutMembarrierNothingIsFenced() {
        let sequences = decide("membarrier=off")
        #expect(!sequences.canFence)
        #expect(!sequences.fence(cpu: 0))
    }

    @Test(
        .enabled(if: glibcRegisters, "glibc registers no area here"), arguments: ["index=cpu_id", "index=mm_cid"])
    func theKernelFencesEachCPU(index: String) {
        let sequences = decide(index)
        guard sequences.canFence else {
            return #expect(!sequences.fence(cpu: 0), "a kernel without the rseq membarrier")
        }
        for cpu in TestHeap.processors { #expect(sequences.fence(cpu: cpu)) }
        #expect(sequences.fence(cpu: nil) && sequences.fenceAll())
        // What a fence does to a section is seen by the stress of a build without it
        // (`StressTests`).
        let withoutFence = decide("membarrier=off")
        #expect(!withoutFence.fence(cpu: TestHeap.processors.first) && !withoutFence.fenceAll())
    }
}
