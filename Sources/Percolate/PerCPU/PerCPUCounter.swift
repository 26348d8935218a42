import CPercolate

/// A counter that many threads add to at once: each CPU has a number of its own, on its own cache
/// line.
///
/// Adding is one restartable sequence, inlined into the caller, without an atomic operation; where
/// the sequence is interrupted, an operation vector adds instead. Adding orders nothing else. Takes
/// 64 bytes for each CPU the machine may have. Adding is safe in signal handlers; the rest is not.
public final class PerCPUCounter: Sendable {
    @usableFromInline let slots = PerCPUSlots(byteCount: 8)

    /// A counter that is 0. Ends the process where there is no memory.
    public init() {}

    /// Adds, wrapping around.
    @inlinable @inline(__always)
    public func add(_ amount: Int) {
        let cpu = percolate_section_cpu()
        // The stride is a constant here, so that the address takes a shift. A thread without a
        // number (-1, -2) finds a gate that is never open, before it touches the address.
        let slot = unsafe (slots.base + Int(cpu) &* 64).assumingMemoryBound(to: Int.self)
        if unsafe rseq_addv(slot, amount, cpu) == 0 { return }
        addByVector(amount)
    }

    @usableFromInline @inline(never)
    func addByVector(_ amount: Int) {
        let cpu = PerCPUSlots.currentCPU
        var vector = OperationVector()
        unsafe vector.add(Int64(amount), to: slots.slot(cpu), byteCount: 8)
        _ = vector.runHere(on: cpu)
    }

    /// `counter += amount` is `counter.add(amount)`.
    @inlinable @inline(__always)
    public static func += (counter: PerCPUCounter, amount: Int) { counter.add(amount) }

    /// `counter -= amount` adds the negative of `amount`, wrapping around.
    @inlinable @inline(__always)
    public static func -= (counter: PerCPUCounter, amount: Int) { counter.add(0 &- amount) }

    /// The sum over all CPUs: exact once nobody adds. Else, where all amounts have one sign,
    /// between what it was at the start and at the end of the reading. Takes time for each CPU that
    /// the machine may have.
    public var value: Int {
        var sum = 0
        for cpu in 0..<Int32(slots.count) { sum &+= slots.word(cpu) }
        return sum
    }

    /// Sets the counter to 0 and returns what it was. No addition is lost, nor counted twice: each
    /// CPU's number is taken by a vector.
    public func drain() -> Int {
        var sum = 0
        for cpu in 0..<Int32(slots.count) where slots.word(cpu) != 0 { sum &+= slots.takeWord(cpu) }
        return sum
    }
}
