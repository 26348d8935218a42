import CPercolate

/// Memory with a part for each CPU number that the machine may have, each on cache lines of its
/// own. The first word of each is 0 at first, the rest may be anything.
///
/// The first use of the heap, which allocates it, also opens the gates that sections load.
@usableFromInline
@safe
struct PerCPUSlots: ~Copyable, @unchecked Sendable {
    @usableFromInline let base: UnsafeMutableRawPointer
    @usableFromInline let stride: Int
    let count: Int

    /// CPU numbers that the machine may ever use: those that a vector may name.
    private static let cpuCount: Int = {
        var cpu = 0
        while (try? OperationVector().run(on: cpu)) != nil { cpu += 1 }
        return cpu
    }()

    /// Ends the process where there is no memory, as Swift's own collections do.
    init(byteCount: Int) {
        stride = (byteCount + 63) / 64 * 64
        count = Self.cpuCount
        do {
            unsafe base = try ProcessHeap.allocate(byteCount: count * stride, alignment: 64)
        } catch {
            fatalError("per-CPU storage: \(error)")
        }
        for cpu in 0..<Int32(count) { unsafe slot(cpu).pointee = 0 }
    }

    deinit { unsafe ProcessHeap.deallocate(base, byteCount: count * stride, alignment: 64) }

    /// The part of `cpu`, which is in 0 ..< count.
    @inlinable @inline(__always)
    func slot(_ cpu: Int32) -> UnsafeMutablePointer<Int> {
        unsafe (base + Int(cpu) &* stride).assumingMemoryBound(to: Int.self)
    }

    /// The CPU that the calling thread runs on, or ran on a moment ago.
    @inlinable @inline(__always)
    static var currentCPU: Int32 {
        let cpu = percolate_section_cpu()
        return cpu >= 0 ? cpu : kernelCPU
    }

    /// The same for a thread that has no restartable sequences.
    @usableFromInline
    static var kernelCPU: Int32 { max(Int32(percolate_getcpu()), 0) }

    /// The word at the start of `cpu`'s part, as it is at this moment.
    func word(_ cpu: Int32) -> Int { unsafe Self.load(slot(cpu)) }

    static func load(_ word: UnsafePointer<Int>) -> Int {
        Int(bitPattern: UInt(percolate_operand_load(UInt64(UInt(bitPattern: word)), 8)))
    }

    /// If `word` is `expected`, stores `replacement`: a section, or when it does not commit, a
    /// vector.
    static func exchange(_ word: UnsafeMutablePointer<Int>, _ expected: Int, _ replacement: Int, _ cpu: Int32) -> Bool {
        let result = unsafe rseq_cmpeqv_storev(word, expected, replacement, cpu)
        guard result < 0 else { return result == 0 }
        return unsafe withUnsafePointer(to: expected) { expected in
            unsafe withUnsafePointer(to: replacement) { replacement in
                var vector = OperationVector()
                unsafe vector.requireEqual(word, expected, byteCount: 8)
                unsafe vector.copy(from: replacement, to: word, byteCount: 8)
                return vector.runHere(on: cpu)
            }
        }
    }

    /// Sets the word at the start of `cpu`'s part to 0 and returns what it was.
    func takeWord(_ cpu: Int32) -> Int {
        var taken = 0
        unsafe withUnsafePointer(to: 0) { zero in
            unsafe withUnsafeMutablePointer(to: &taken) { taken in
                var vector = OperationVector()
                unsafe vector.copy(from: slot(cpu), to: taken, byteCount: 8)
                unsafe vector.copy(from: zero, to: slot(cpu), byteCount: 8)
                _ = vector.runHere(on: cpu)
            }
        }
        return taken
    }
}

extension OperationVector {
    /// Runs a vector that is well formed and whose memory is mapped. Whether no comparison stopped
    /// it.
    func runHere(on cpu: Int32) -> Bool {
        do {
            return try run(on: Int(cpu)) == .completed
        } catch {
            fatalError("per-CPU data: \(error)")
        }
    }
}
