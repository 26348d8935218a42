import Foundation
import TestSupport
import Testing

/// The sequences of `<percolate/rseq_ops.h>` for every architecture that has a file of them.
@Suite struct ArchitectureTests {
    @Test(arguments: ["x86_64-linux-gnu", "aarch64-linux-gnu"])
    func sectionsAssembleForEveryArchitecture(target: String) async throws {
        let source = FileManager.default.temporaryDirectory.appending(path: "percolate-sections-\(UUID().uuidString).c")
        defer { try? FileManager.default.removeItem(at: source) }
        let byID = Checkout.programs.appending(path: "Vectors/by_mm_cid.h").path
        try """
        #include <percolate/rseq_ops.h>
        #ifdef BY_MM_CID
        #include "\(byID)"
        #endif
        int use(intptr_t *v, intptr_t *v2, void *dst, const void *src, int cpu) {
            return rseq_addv(v, 1, cpu) + rseq_cmpeqv_storev(v, 1, 2, cpu) + rseq_cmpnev_storeoffp_load(v, 1, 8, v2, cpu)
                + rseq_offset_deref_addv(v, 8, 1, cpu) + rseq_cmpeqv_trystorev_storev(v, 1, v2, 2, 3, cpu)
                + rseq_cmpeqv_trystorev_storev_release(v, 1, v2, 2, 3, cpu)
                + rseq_cmpeqv_cmpeqv_storev(v, 1, v2, 2, 3, cpu)
                + rseq_cmpeqv_trymemcpy_storev(v, 1, dst, src, 9, 3, cpu)
                + rseq_cmpeqv_trymemcpy_storev_release(v, 1, dst, src, 9, 3, cpu);
        }
        """.write(to: source, atomically: true, encoding: .utf8)
        for optimization in ["-O0", "-O2"] {
            for index in ["-DBY_CPU_ID", "-DBY_MM_CID"] {
                let outcome = try await compile([
                    "--target=\(target)", optimization, index, "-c", source.path, "-o", "/dev/null",
                ])
                #expect(outcome.succeeded, "\(outcome.errors)")
            }
        }
    }

    /// Instruction by instruction, from the first step to each of their ends. This emulator knows
    /// no restartable sequences: what they do when they are interrupted, `Tests/Systems/kernels`
    /// tries.
    @Test(arguments: ["-O0", "-O1", "-O2", "-Os"], ["-DBY_CPU_ID", "-DBY_MM_CID"])
    func theSequencesForAArch64DoTheirStepsInEmulation(optimization: String, index: String) async throws {
        let program = FileManager.default.temporaryDirectory.appending(path: "percolate-aarch64-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: program) }
        let source = Checkout.programs.appending(path: "Vectors/sections_aarch64.c").path
        let compiled = try await compile([
            "--target=aarch64-linux-gnu", "-nostdlib", "-static", "-fuse-ld=lld", optimization, index, source,
            "-o",
            program.path,
        ])
        try #require(compiled.succeeded, "\(compiled.errors)")
        let outcome = try await run("qemu-aarch64", [program.path], under: .glibc)
        #expect(outcome.succeeded, "\(outcome.output)\(outcome.errors)")
    }

    /// clang has every target, and these programs need no library.
    private func compile(_ arguments: [String]) async throws -> Outcome {
        let flags = ["-ffreestanding", "-Wall", "-Wextra", "-Werror", "-I", Headers.folder]
        return try await run("clang", flags + arguments, under: .glibc)
    }
}
