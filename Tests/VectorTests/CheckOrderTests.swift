import CPercolate
import Foundation
import Testing

@testable import PercolateCoreHosted

/// The checks of `cpu_opv`, in their order: which error wins when several things are wrong, and
/// that none has an effect.
@Suite struct CheckOrderTests {
    let memory = Pages(4)
    /// No address of any process: the kernel's half.
    let kernelAddress: UInt64 = 0xffff_8000_0000_0000

    @Test func unknownFlagsAreRefusedBeforeEverything() {
        #expect(run([], count: 0, cpu: 0, flags: 4) == .failed(EINVAL))
        #expect(run([], count: 0, cpu: 0, flags: 5) == .failed(EINVAL))
        #expect(run([], count: 0, cpu: 0, flags: 3) == .failed(EINVAL), "one question at a time")
        #expect(run([], count: -1, cpu: -1, flags: Int32.min) == .failed(EINVAL))
    }

    @Test(arguments: [
        PERCOLATE_VECTOR_ALLOWED_CPU, PERCOLATE_VECTOR_ANY_CPU, PERCOLATE_VECTOR_MM_CID,
    ])
    func theQueriesLookAtNothingElse(which: percolate_vector_cpu) {
        for (flag, answer) in [(Int32(1), 12), (2, 16)] {
            #expect(raw([], count: -7, cpu: -1, flags: flag, on: which) == answer)
            #expect(raw([], count: 99, cpu: Int32.max, flags: flag, on: which) == answer)
        }
    }

    @Test(arguments: [Int32.min, -2, -1])
    func negativeCPUsAreRefused(cpu: Int32) {
        #expect(run([barrier()], cpu: cpu) == .failed(EINVAL))
        #expect(run([barrier()], cpu: cpu, on: PERCOLATE_VECTOR_ANY_CPU) == .failed(EINVAL))
        #expect(run([barrier()], cpu: cpu, on: PERCOLATE_VECTOR_MM_CID) == .failed(EINVAL))
    }

    @Test func countsAreBounded() {
        let sixteen = Array(repeating: barrier(), count: 16)
        #expect(run(sixteen) == .done)
        #expect(run(sixteen + [barrier()]) == .failed(EINVAL))
        #expect(run(sixteen, count: -1) == .failed(EINVAL))
        #expect(run(sixteen, count: Int(Int32.max)) == .failed(EINVAL))
    }

    @Test func anEmptyVectorNeedsNoPointer() {
        #expect(run([], count: 0) == .done)
        #expect(run([], count: 0, cpu: Int32.max) == .failed(EINVAL))
    }

    @Test func anUnreadableVectorFaults() {
        withUnsafeTemporaryAllocation(of: cpu_op.self, capacity: 16) { copy in
            let target = copy.baseAddress!
            for address: UInt64 in [0, 1, 4096, kernelAddress, .max, .max - 31] {
                let vector = UnsafePointer<cpu_op>(bitPattern: UInt(address))
                #expect(runVector(vector, target, 1, 0, 0, PERCOLATE_VECTOR_ALLOWED_CPU) == -Int(EFAULT))
            }
            // The last operation reaches into a page that is not there.
            memory.unmap(page: 1)
            let straddling = UnsafePointer<cpu_op>(bitPattern: UInt(memory.address(4096 - 48)))
            #expect(runVector(straddling, target, 1, 0, 0, PERCOLATE_VECTOR_ALLOWED_CPU) >= 0)
            #expect(runVector(straddling, target, 2, 0, 0, PERCOLATE_VECTOR_ALLOWED_CPU) == -Int(EFAULT))
        }
    }

    @Test(arguments: [-1, 12, 13, Int32.max, Int32.min])
    func unknownOperationsAreRefused(number: Int32) {
        var operation = barrier()
        operation.op = number
        #expect(run([operation]) == .failed(EINVAL))
        #expect(run([barrier(), barrier(), operation]) == .failed(EINVAL))
    }

    @Test(arguments: [CPU_COMPARE_EQ_OP, CPU_COMPARE_NE_OP, CPU_MEMCPY_OP, CPU_MEMCPY_RELEASE_OP])
    func rangesMayHaveUpTo4096Bytes(type: cpu_op_type) {
        for len: UInt32 in [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 63, 4095, 4096] {
            let result = run([copy(to: memory.address(), from: memory.address(8192), len, type: type)])
            #expect(result == (type == CPU_COMPARE_NE_OP ? .stopped(at: 0) : .done), "length \(len)")
        }
        for len: UInt32 in [4097, 1 << 31, .max] {
            #expect(run([copy(to: memory.address(), from: memory.address(8192), len, type: type)]) == .failed(EINVAL))
        }
    }

    @Test(arguments: [CPU_ADD_OP, CPU_ADD_RELEASE_OP, CPU_OR_OP, CPU_AND_OP, CPU_XOR_OP, CPU_LSHIFT_OP, CPU_RSHIFT_OP])
    func arithmeticHasTheWidthOfAnInteger(type: cpu_op_type) {
        for len: UInt32 in 0...17 {
            let isWidth = [1, 2, 4, 8].contains(len)
            #expect(
                run([shift(type, memory.address(), 0, len)]) == (isWidth ? .done : .failed(EINVAL)), "length \(len)")
        }
        #expect(run([shift(type, memory.address(), 0, 4096)]) == .failed(EINVAL))
        #expect(run([shift(type, memory.address(), 0, .max)]) == .failed(EINVAL))
    }

    @Test(arguments: [CPU_LSHIFT_OP, CPU_RSHIFT_OP], [1, 2, 4, 8] as [UInt32])
    func shiftsStayBelowTheWidth(type: cpu_op_type, len: UInt32) {
        #expect(run([shift(type, memory.address(), 8 * len - 1, len)]) == .done)
        #expect(run([shift(type, memory.address(), 8 * len, len)]) == .failed(EINVAL))
        #expect(run([shift(type, memory.address(), .max, len)]) == .failed(EINVAL))
    }

    @Test func aVectorHasAtMost4216Bytes() {
        let longest = copy(to: memory.address(), from: memory.address(8192), 4096)
        let word = add(memory.address(), 1, 8)
        #expect(run([longest] + Array(repeating: word, count: 15)) == .done)
        let rest = Array(repeating: word, count: 14)
        #expect(run([longest] + rest + [copy(to: memory.address(), from: memory.address(64), 8)]) == .done)
        #expect(run([longest] + rest + [copy(to: memory.address(), from: memory.address(64), 9)]) == .failed(EINVAL))
        #expect(run([longest, longest]) == .failed(EINVAL))
        #expect(run([longest, barrier(len: 4096), barrier(len: .max)]) == .done)
    }

    @Test func aBadLengthWinsOverABadOperandBeforeIt() {
        let unmapped = add(8, 1, 8)
        #expect(run([unmapped, add(memory.address(), 1, 3)]) == .failed(EINVAL))
    }

    @Test func aBadOperandWinsOverABadCPU() {
        #expect(run([add(8, 1, 8)], cpu: Int32.max) == .failed(EFAULT))
        #expect(run([add(8, 1, 8, expectFault: 1)], cpu: Int32.max) == .failed(EAGAIN))
        #expect(run([add(memory.address(), 1, 8)], cpu: Int32.max) == .failed(EINVAL))
    }

    @Test func operandsBehindAFailingCompareAreCheckedToo() {
        memory[0] = 1
        let fails = compare(CPU_COMPARE_EQ_OP, memory.address(), memory.address(64), 8)
        #expect(run([fails, add(8, 1, 8)]) == .failed(EFAULT))
    }

    @Test func theFirstBadOperandDecides() {
        #expect(run([add(8, 1, 8), add(8, 1, 8, expectFault: 1)]) == .failed(EFAULT))
        #expect(run([add(8, 1, 8, expectFault: 1), add(8, 1, 8)]) == .failed(EAGAIN))
        // The destination is looked at before the source, and the first range of a compare before
        // the second.
        #expect(run([copy(to: 8, from: 16, 8, expectFaultDestination: 1)]) == .failed(EAGAIN))
        #expect(run([copy(to: 8, from: 16, 8, expectFaultSource: 1)]) == .failed(EFAULT))
        #expect(run([compare(CPU_COMPARE_EQ_OP, 8, 16, 8, expectFaultA: 1)]) == .failed(EAGAIN))
        #expect(run([compare(CPU_COMPARE_EQ_OP, 8, 16, 8, expectFaultB: 1)]) == .failed(EFAULT))
    }

    @Test func expectingAFaultOfOneOperandDoesNotExcuseTheOther() {
        let good = memory.address()
        #expect(run([copy(to: good, from: 16, 8, expectFaultDestination: 1)]) == .failed(EFAULT))
        #expect(run([copy(to: 16, from: good, 8, expectFaultSource: 1)]) == .failed(EFAULT))
        #expect(run([compare(CPU_COMPARE_NE_OP, good, 16, 8, expectFaultA: 1)]) == .failed(EFAULT))
        #expect(run([compare(CPU_COMPARE_NE_OP, 16, good, 8, expectFaultB: 1)]) == .failed(EFAULT))
    }

    @Test func anyNonZeroByteExpectsAFault() {
        for byte: UInt8 in [1, 2, 128, 255] {
            #expect(run([add(8, 1, 8, expectFault: byte)]) == .failed(EAGAIN))
            #expect(run([bitwise(CPU_OR_OP, 8, 1, 8, expectFault: byte)]) == .failed(EAGAIN))
            #expect(run([shift(CPU_LSHIFT_OP, 8, 1, 8, expectFault: byte)]) == .failed(EAGAIN))
        }
    }

    @Test func emptyRangesAreNeverAccessed() {
        #expect(run([copy(to: 0, from: 0, 0)]) == .done)
        #expect(run([compare(CPU_COMPARE_EQ_OP, 0, 8, 0)]) == .done)
        #expect(run([compare(CPU_COMPARE_NE_OP, 0, 8, 0)]) == .stopped(at: 0))
    }

    @Test func alignmentAndUnusedBytesAreNotChecked() {
        var operation = add(memory.address(3), 1, 8)
        operation.u.padding.17 = 7
        operation.u.padding.18 = 7
        operation.u.padding.23 = 7
        #expect(run([operation]) == .done)
        #expect(memory[3] == 1)
    }

    @Test func errorsHaveNoEffect() {
        memory.store(UInt64(5), at: 0)
        let effect = add(memory.address(), 1, 8)
        let bad: [cpu_op] = [
            add(8, 1, 8), add(8, 1, 8, expectFault: 1), add(memory.address(), 1, 3),
            copy(to: memory.address(), from: 8, 8),
        ]
        for operation in bad { #expect(run([effect, effect, operation]) != .done) }
        #expect(run([effect], cpu: Int32.max) == .failed(EINVAL))
        #expect(memory.value(0, as: UInt64.self) == 5)
    }
}
