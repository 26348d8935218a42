import CPercolate

/// A value for each CPU.
///
/// Values of eight bytes are updated by restartable sequences, others by operation vectors: exact
/// from any thread, but a vector closes the CPU's gate, which costs some hundred nanoseconds on the
/// own CPU. For plain counting take ``PerCPUCounter``.
///
/// Values must mean something bit by bit: two values are taken for the same when all their bytes
/// are. At most 2,048 bytes. May be used from any thread; not in signal handlers.
public final class PerCPU<Value: BitwiseCopyable & Sendable>: Sendable {
    private let slots: PerCPUSlots
    private static var size: Int { MemoryLayout<Value>.size }

    /// Gives every CPU that the machine may have the value. Ends the process with a line where
    /// there is no memory, or where the value has no bytes or too many.
    public init(_ value: Value, file: StaticString = #fileID, line: UInt = #line) {
        require(Self.size > 0 && Self.size <= 2048, "a per-CPU value has 1 to 2,048 bytes", file, line)
        require(
            MemoryLayout<Value>.alignment <= 64, "a per-CPU value is aligned to at most 64 bytes", file, line)
        slots = PerCPUSlots(byteCount: max(8, Self.size))
        for cpu in 0..<Int32(slots.count) {
            unsafe UnsafeMutableRawPointer(slots.slot(cpu)).storeBytes(of: value, as: Value.self)
        }
    }

    /// CPU numbers that have a value.
    public var cpus: Range<Int> { 0..<slots.count }

    /// The value of a CPU at one moment. Ends the process with a line when there is no such CPU.
    public subscript(cpu: Int, file: StaticString = #fileID, line: UInt = #line) -> Value {
        require(cpus.contains(cpu), "there is no CPU \(cpu)", file, line)
        return value(Int32(cpu))
    }

    /// Replaces the value of the CPU that the thread runs on by what `change` makes of it, in one
    /// step.
    ///
    /// `change` is called again with a newer value when somebody else was faster: it must have no
    /// effect but its result.
    @discardableResult
    public func update<Failure: Error>(_ change: (Value) throws(Failure) -> Value) throws(Failure) -> Value {
        while true {
            let cpu = PerCPUSlots.currentCPU
            let old = value(cpu)
            let new = try change(old)
            if replace(old, by: new, cpu) { return new }
        }
    }

    /// Combines the values of all CPUs, each as it is when it is read.
    public func reduce<Result, Failure: Error>(
        _ initial: Result, _ combine: (Result, Value) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        var result = initial
        for cpu in 0..<Int32(slots.count) { result = try combine(result, value(cpu)) }
        return result
    }

    /// Gives every CPU `value` and returns what they had. No update is lost in between: it went
    /// into the old value or into the new.
    public func exchangeAll(with value: Value) -> [Value] {
        cpus.map { cpu in
            while true {
                let old = self.value(Int32(cpu))
                if replace(old, by: value, Int32(cpu)) { return old }
            }
        }
    }

    private func value(_ cpu: Int32) -> Value {
        let slot = unsafe UnsafeMutableRawPointer(slots.slot(cpu))
        if Self.size == 8 { return unsafe unsafeBitCast(slots.word(cpu), to: Value.self) }
        return unsafe withUnsafeTemporaryAllocation(of: Value.self, capacity: 1) { buffer in
            guard let target = buffer.baseAddress else { fatalError("no room for a value") }
            var vector = OperationVector()
            unsafe vector.copy(from: slot, to: target, byteCount: Self.size)
            _ = vector.runHere(on: cpu)
            return unsafe target.pointee
        }
    }

    private func replace(_ old: Value, by new: Value, _ cpu: Int32) -> Bool {
        if Self.size == 8 {
            return unsafe PerCPUSlots.exchange(
                slots.slot(cpu), unsafeBitCast(old, to: Int.self), unsafeBitCast(new, to: Int.self), cpu)
        }
        return unsafe withUnsafeBytes(of: old) { old in
            unsafe withUnsafeBytes(of: new) { new in
                guard let expected = old.baseAddress, let replacement = new.baseAddress else { return true }
                var vector = OperationVector()
                unsafe vector.requireEqual(slots.slot(cpu), expected, byteCount: Self.size)
                unsafe vector.copy(from: replacement, to: slots.slot(cpu), byteCount: Self.size)
                return vector.runHere(on: cpu)
            }
        }
    }
}
