import CPercolate
import Foundation
import Testing

@testable import PercolateCoreHosted

/// Memory that an operand may lie in: which of it can be accessed, and that nothing else is harmed
/// by finding out.
@Suite struct OperandTests {
    let memory = Pages(4)

    @Test func readOnlyMemoryCanBeReadAndNotWritten() {
        memory[0] = 9
        memory.protect(page: 0, PROT_READ)
        let there = memory.address()
        let elsewhere = memory.address(4096)
        #expect(run([copy(to: elsewhere, from: there, 8)]) == .done)
        #expect(memory[4096] == 9)
        #expect(run([compare(CPU_COMPARE_EQ_OP, there, elsewhere, 8)]) == .done)
        #expect(run([copy(to: there, from: elsewhere, 8)]) == .failed(EFAULT))
        #expect(run([copy(to: there, from: elsewhere, 8, expectFaultDestination: 1)]) == .failed(EAGAIN))
        for type in [CPU_ADD_OP, CPU_ADD_RELEASE_OP, CPU_OR_OP, CPU_AND_OP, CPU_XOR_OP, CPU_LSHIFT_OP, CPU_RSHIFT_OP] {
            #expect(run([shift(type, there, 0, 8)]) == .failed(EFAULT))
        }
        #expect(memory[0] == 9)
    }

    @Test func memoryWithoutAccessFaultsForReadsAndWrites() {
        memory.protect(page: 0, PROT_NONE)
        #expect(run([copy(to: memory.address(4096), from: memory.address(), 8)]) == .failed(EFAULT))
        #expect(run([copy(to: memory.address(), from: memory.address(4096), 8)]) == .failed(EFAULT))
        #expect(run([compare(CPU_COMPARE_EQ_OP, memory.address(4096), memory.address(), 1)]) == .failed(EFAULT))
    }

    @Test(arguments: [
        0, 1, 4095, 0x0000_7fff_ffff_f000, 0x0000_8000_0000_0000, 0xffff_7fff_ffff_ffff, 0xffff_ffff_ff60_0000,
        UInt64.max - 7, UInt64.max,
    ])
    func addressesOutsideTheProcessFault(address: UInt64) {
        #expect(run([add(address, 1, 8)]) == .failed(EFAULT))
        #expect(run([copy(to: memory.address(), from: address, 4096)]) == .failed(EFAULT))
        #expect(run([copy(to: address, from: memory.address(), 4096)]) == .failed(EFAULT))
    }

    @Test func everyPageOfARangeIsLookedAt() {
        memory.protect(page: 1, PROT_NONE)
        #expect(run([copy(to: memory.address(8192), from: memory.address(4096 - 8), 8)]) == .done)
        #expect(run([copy(to: memory.address(8192), from: memory.address(4096 - 8), 9)]) == .failed(EFAULT))
        #expect(run([copy(to: memory.address(4096 - 8), from: memory.address(8192), 9)]) == .failed(EFAULT))
        #expect(run([add(memory.address(4096 - 7), 1, 8)]) == .failed(EFAULT))
        #expect(run([compare(CPU_COMPARE_EQ_OP, memory.address(8191), memory.address(12288), 2)]) == .failed(EFAULT))
        #expect(run([compare(CPU_COMPARE_EQ_OP, memory.address(8192), memory.address(12288), 4096)]) == .done)
    }

    @Test func operandsMayCrossPages() {
        memory.store(UInt64(0x0102_0304_0506_0708), at: 4096 - 3)
        #expect(run([add(memory.address(4096 - 3), 1, 8)]) == .done)
        #expect(memory.value(4096 - 3, as: UInt64.self) == 0x0102_0304_0506_0709)
        #expect(run([copy(to: memory.address(8192 - 5), from: memory.address(4096 - 3), 8)]) == .done)
        #expect(memory.value(8192 - 5, as: UInt64.self) == 0x0102_0304_0506_0709)
        #expect(run([compare(CPU_COMPARE_EQ_OP, memory.address(8192 - 5), memory.address(4096 - 3), 8)]) == .done)
    }

    @Test func pagesThatWereNeverTouchedAreZero() {
        let fresh = Pages(2)
        #expect(run([compare(CPU_COMPARE_EQ_OP, fresh.address(), memory.address(), 4096)]) == .done)
        #expect(run([add(fresh.address(4096), 3, 4)]) == .done)
        #expect(fresh.value(4096, as: UInt32.self) == 3)
    }

    @Test func copyOnWriteIsResolvedForWrites() throws {
        let name = NSTemporaryDirectory() + "percolate-operand-\(getpid())-\(UInt32.random(in: 0 ... .max))"
        let descriptor = open(name, O_RDWR | O_CREAT | O_EXCL, 0o600)
        defer {
            close(descriptor)
            unlink(name)
        }
        #expect(ftruncate(descriptor, 4096) == 0)
        let mapping = try #require(mmap(nil, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE, descriptor, 0))
        defer { munmap(mapping, 8192) }
        let address = UInt64(UInt(bitPattern: mapping))
        #expect(run([add(address, 5, 8)]) == .done)
        #expect(mapping.load(as: UInt64.self) == 5)
        var byte: UInt8 = 1
        #expect(pread(descriptor, &byte, 1, 0) == 1)
        #expect(byte == 0)
        // Beyond the end of the file an access would be answered by SIGBUS.
        #expect(run([add(address + 4096, 5, 8)]) == .failed(EFAULT))
        #expect(run([copy(to: memory.address(), from: address + 4096, 8)]) == .failed(EFAULT))
    }

    @Test func hugePagesAreOrdinaryMemory() throws {
        let size = 4 << 20
        let mapping = try #require(mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))
        defer { munmap(mapping, size) }
        madvise(mapping, size, MADV_HUGEPAGE)
        memset(mapping, 1, size)
        let address = UInt64(UInt(bitPattern: mapping))
        #expect(run([copy(to: address + 2 << 20, from: address + 4090, 4096), add(address + 2 << 20, 1, 8)]) == .done)
        #expect(run([compare(CPU_COMPARE_NE_OP, address + 2 << 20, address, 4096)]) == .done)
    }

    @Test func probingLosesNoConcurrentStore() async {
        nonisolated(unsafe) let word = memory.start.bindMemory(to: UInt64.self, capacity: 1)
        let address = memory.address()
        async let stored: Bool = Task.detached {
            for value in 1...2_000_000 as ClosedRange<UInt64> {
                percolate_operand_store(UInt64(UInt(bitPattern: word)), value, 8)
                if percolate_operand_load(UInt64(UInt(bitPattern: word)), 8) != value { return false }
            }
            return true
        }.value
        for _ in 0..<50_000 { #expect(percolate_probe_write(address) == 1) }
        #expect(await stored)
    }
}
