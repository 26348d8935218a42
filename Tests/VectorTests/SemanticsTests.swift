import CPercolate
import Foundation
import Testing

@testable import PercolateCoreHosted

/// What the operations do, at every width and alignment.
@Suite struct SemanticsTests {
    let memory = Pages(4)

    @Test(arguments: 0..<16)
    func theResultNamesTheCompareThatStopped(position: Int) {
        memory[128] = 1
        let equal = compare(CPU_COMPARE_EQ_OP, memory.address(), memory.address(64), 8)
        let differs = compare(CPU_COMPARE_EQ_OP, memory.address(), memory.address(128), 8)
        var vector = Array(repeating: equal, count: 16)
        #expect(run(vector) == .done)
        vector[position] = differs
        #expect(run(vector) == .stopped(at: position))
        vector[position] = compare(CPU_COMPARE_NE_OP, memory.address(), memory.address(64), 8)
        #expect(run(vector) == .stopped(at: position))
    }

    @Test func storesBeforeTheCompareStayAndThoseAfterDoNotHappen() {
        let fails = compare(CPU_COMPARE_NE_OP, memory.address(64), memory.address(128), 8)
        #expect(run([add(memory.address(), 1, 8), fails, add(memory.address(8), 1, 8)]) == .stopped(at: 1))
        #expect(memory.value(0, as: UInt64.self) == 1)
        #expect(memory.value(8, as: UInt64.self) == 0)
    }

    @Test func operationsSeeTheEffectsOfThoseBefore() {
        // Compare-and-exchange: the old value is copied out, compared, and replaced.
        memory.store(UInt64(41), at: 0)
        memory.store(UInt64(41), at: 16)
        memory.store(UInt64(42), at: 24)
        let exchange = [
            copy(to: memory.address(8), from: memory.address(), 8),
            compare(CPU_COMPARE_EQ_OP, memory.address(8), memory.address(16), 8),
            copy(to: memory.address(), from: memory.address(24), 8),
        ]
        #expect(run(exchange) == .done)
        #expect(memory.value(0, as: UInt64.self) == 42)
        #expect(run(exchange) == .stopped(at: 1))
        #expect(memory.value(8, as: UInt64.self) == 42)
    }

    @Test(arguments: [1, 2, 4, 8] as [UInt32], 0..<8)
    func arithmeticWrapsAndStaysWithinItsWidth(len: UInt32, offset: Int) {
        let address = memory.address(64 + offset)
        let mask = len == 8 ? UInt64.max : 1 << (8 * UInt64(len)) - 1
        var expected: UInt64 = 0
        func check(_ operation: cpu_op, _ change: (UInt64) -> UInt64) {
            expected = change(expected) & mask
            #expect(run([operation]) == .done)
            var value: UInt64 = 0
            memcpy(&value, memory.start + 64 + offset, Int(len))
            #expect(value == expected)
        }
        check(add(address, -1, len)) { $0 &- 1 }
        check(add(address, 1, len)) { $0 &+ 1 }
        check(add(address, 0x1234_5678_9abc_def1, len)) { $0 &+ 0x1234_5678_9abc_def1 }
        check(add(address, Int64.min, len, type: CPU_ADD_RELEASE_OP)) { $0 &+ (1 << 63) }
        check(bitwise(CPU_OR_OP, address, 0xf00f_f00f_f00f_f00f, len)) { $0 | 0xf00f_f00f_f00f_f00f }
        check(bitwise(CPU_AND_OP, address, 0x7ff7_7ff7_7ff7_7ff7, len)) { $0 & 0x7ff7_7ff7_7ff7_7ff7 }
        check(bitwise(CPU_XOR_OP, address, .max, len)) { ~$0 }
        check(shift(CPU_LSHIFT_OP, address, 3, len)) { $0 << 3 }
        check(bitwise(CPU_OR_OP, address, 1 << (8 * UInt64(len) - 1), len)) { $0 | 1 << (8 * UInt64(len) - 1) }
        // The shift to the right fills with zeros.
        check(shift(CPU_RSHIFT_OP, address, 8 * len - 1, len)) { $0 >> (8 * UInt64(len) - 1) }
        #expect(expected == 1)
        #expect((0..<64 + offset).allSatisfy { memory[$0] == 0 })
        #expect((64 + offset + Int(len)..<4096).allSatisfy { memory[$0] == 0 })
    }

    @Test(arguments: [CPU_MEMCPY_OP, CPU_MEMCPY_RELEASE_OP], 0..<8)
    func copiesMoveExactlyTheirBytes(type: cpu_op_type, offset: Int) {
        for index in 0..<4096 { memory[4096 + index] = UInt8(truncatingIfNeeded: index &* 7 &+ 1) }
        for len in Array(0...66) + [127, 1000, 4000] {
            memset(memory.start, 0xee, 4096)
            let source = offset == 7 ? 3 : 2 * offset
            let operation = copy(
                to: memory.address(offset + 16), from: memory.address(4096 + source), UInt32(len), type: type)
            #expect(run([operation]) == .done)
            for index in 0..<4096 {
                let inside = index >= offset + 16 && index < offset + 16 + len
                let expected = inside ? memory[4096 + source + index - offset - 16] : 0xee
                if memory[index] != expected {
                    Issue.record("byte \(index) of a copy of \(len)")
                    return
                }
            }
        }
    }

    @Test(arguments: [1, 2, 3, 4, 5, 6, 7, 8, 9, 16, 100, 4096] as [UInt32], 0..<3)
    func comparesLookAtEveryByteAndNoMore(len: UInt32, offset: Int) {
        let a = 0 + offset
        let b = 8192 - offset
        let vector = [compare(CPU_COMPARE_EQ_OP, memory.address(a), memory.address(b), len)]
        memory[a + Int(len)] = 1
        #expect(run(vector) == .done)
        for byte in [0, Int(len) / 2, Int(len) - 1] {
            memory[b + byte] = 0x80
            #expect(run(vector) == .stopped(at: 0))
            memory[b + byte] = 0
        }
        #expect(run(vector) == .done)
    }

    @Test func overlappingCopiesDoNotCrash() {
        for index in 0..<64 { memory[index] = UInt8(index) }
        #expect(run([copy(to: memory.address(1), from: memory.address(), 63)]) == .done)
        #expect(run([copy(to: memory.address(), from: memory.address(), 64)]) == .done)
        #expect(run([copy(to: memory.address(4), from: memory.address(), 8)]) == .done)
    }

    @Test func aVectorMayBeAlignedToOneByteAndLieInReadOnlyMemory() {
        var operation = add(memory.address(4096), 1, 8)
        memcpy(memory.start + 33, &operation, 32)
        memory.protect(page: 0, PROT_READ)
        withUnsafeTemporaryAllocation(of: cpu_op.self, capacity: 16) { room in
            let vector = UnsafePointer<cpu_op>(bitPattern: UInt(memory.address(33)))
            #expect(runVector(vector, room.baseAddress!, 1, 0, 0, PERCOLATE_VECTOR_ALLOWED_CPU) == 0)
        }
        #expect(memory.value(4096, as: UInt64.self) == 1)
    }

    @Test func theSignalMaskIsAsBefore() {
        var before = sigset_t()
        var after = sigset_t()
        pthread_sigmask(SIG_SETMASK, nil, &before)
        #expect(run([add(memory.address(), 1, 8)]) == .done)
        pthread_sigmask(SIG_SETMASK, nil, &after)
        #expect(memcmp(&before, &after, MemoryLayout<sigset_t>.size) == 0)
    }

    @Test func everyAlignedWidthIsOneAccess() async {
        // A writer stores patterns of equal halves by vectors; a reader must never see two halves
        // of different ones.
        let cell = memory.address(256)
        let stop = memory.address(512)
        let reader = Task.detached { () -> Bool in
            while percolate_operand_load(stop, 1) == 0 {
                let value = percolate_operand_load(cell, 8)
                if value >> 32 != value & 0xffff_ffff { return false }
            }
            return true
        }
        for round in 0..<20_000 as Range<UInt64> {
            memory.store(round | round << 32, at: 0)
            #expect(run([copy(to: cell, from: memory.address(), 8)]) == .done)
        }
        percolate_operand_store(stop, 1, 1)
        #expect(await reader.value)
    }
}
