import CPercolate

/// Moves pointers between a slab and memory of the caller: compare the header, copy, store the
/// header.
///
/// This is the operation vector {compare-eq 8 bytes; memcpy; memcpy 8 bytes}. The executor runs it
/// as one section where the calling thread is on the slab's CPU, closing nothing, and behind the
/// closed gate where a section cannot finish: after aborts in a row (a debugger steps through it).
/// Both are the same to the caller.
struct MoveVector {
    enum Outcome {
        case done
        /// The header changed since the caller read it.
        case differs
        /// The gate is closed, or the slab is another one: leave it alone.
        case closed
        /// The thread is on another CPU now.
        case elsewhere
    }

    /// Most pointers that one vector moves. A batch lies on the stack: with twice as many, refills
    /// take a tenth fewer instructions, but each of a thousand parked threads keeps another page of
    /// its stack.
    static var limit: Int { 64 }
    /// Sections that may abort in a row before the gate is closed.
    static var attempts: Int { 4 }

    let gate: Gate
    /// The value of the open gate: the slab's address.
    let open: UInt64
    let header: UnsafeMutablePointer<UInt64>
    let expected: UInt64
    let replacement: UInt64
    let target: UnsafeMutablePointer<UInt64>
    let source: UnsafePointer<UInt64>
    let count: Int

    /// Runs the vector for the calling thread.
    func run(_ sequences: Sequences) -> Outcome {
        if sequences.registration != .none {
            if let outcome = runAsSection(sequences) { return outcome }
        }
        return runBehindGate(sequences)
    }

    /// Nil when every attempt was aborted.
    private func runAsSection(_ sequences: Sequences) -> Outcome? {
        var move = percolate_move(
            gate: UnsafeMutableRawPointer(gate.word).assumingMemoryBound(to: UInt64.self), open: open, header: header,
            expected: expected, replacement: replacement, target: target, source: source, count: UInt64(count),
            index: Int64(gate.index), index_offset: Int64(gate.indexOffset), rseq_cs: Int64(sequences.areaOffset))
        for _ in 0..<Self.attempts {
            switch percolate_section_move(&move) {
            case Int32(PERCOLATE_SECTION_DONE.rawValue):
                tally(.vectorsLocal, at: gate.index)
                if percolate_move_is_traced() != 0 {
                    percolate_trace_move(
                        Int32(truncatingIfNeeded: gate.index), UInt64(UInt(bitPattern: header)), UInt64(count))
                }
                return .done
            case Int32(PERCOLATE_SECTION_DIFFERS.rawValue): return .differs
            case Int32(PERCOLATE_SECTION_GATE.rawValue): return .closed
            case Int32(PERCOLATE_SECTION_ELSEWHERE.rawValue): return .elsewhere
            default: tally(.sectionsAborted, at: gate.index)
            }
        }
        return nil
    }

    /// Runs the vector for a caller that holds the gate's lock.
    func runHoldingLock(_ sequences: Sequences) -> Outcome {
        if count <= Self.limit, let outcome = runAsSection(sequences) { return outcome }
        return closeAndInterpret(sequences)
    }

    private func runBehindGate(_ sequences: Sequences) -> Outcome {
        guard gate.lock.acquire() == .entered else { return .closed }
        defer { gate.lock.release() }
        return closeAndInterpret(sequences)
    }

    private func closeAndInterpret(_ sequences: Sequences) -> Outcome {
        guard gate.value == open, gate.close(sequences) != nil else { return .closed }
        let result = interpret()
        gate.open(open)
        tally(.vectorsRemote, at: gate.index)
        return result
    }

    /// Runs the vector as its three operations. The caller holds the closed gate.
    func interpret() -> Outcome {
        var expected = expected
        var replacement = replacement
        return withUnsafeMutablePointer(to: &expected) { expected in
            withUnsafeMutablePointer(to: &replacement) { replacement in
                var operations = InlineArray<3, cpu_op>(repeating: cpu_op())
                operations[0].op = Int32(CPU_COMPARE_EQ_OP.rawValue)
                operations[0].len = 8
                operations[0].u.compare_op.a = UInt64(UInt(bitPattern: header))
                operations[0].u.compare_op.b = UInt64(UInt(bitPattern: expected))
                operations[1].op = Int32(CPU_MEMCPY_OP.rawValue)
                operations[1].len = UInt32(count &* 8)
                operations[1].u.memcpy_op.dst = UInt64(UInt(bitPattern: target))
                operations[1].u.memcpy_op.src = UInt64(UInt(bitPattern: source))
                operations[2].op = Int32(CPU_MEMCPY_OP.rawValue)
                operations[2].len = 8
                operations[2].u.memcpy_op.dst = UInt64(UInt(bitPattern: header))
                operations[2].u.memcpy_op.src = UInt64(UInt(bitPattern: replacement))
                return withUnsafePointer(to: &operations) { array in
                    let first = UnsafeRawPointer(array).assumingMemoryBound(to: cpu_op.self)
                    let trace = VectorTrace(
                        beginning: UInt64(UInt(bitPattern: first)), count: 3, cpu: gate.index, origin: .allocators)
                    let result = executeOperations(first, count: 3, cpu: gate.index)
                    trace.end(result)
                    return result == 0 ? .done : .differs
                }
            }
        }
    }
}

/// Calls `body` with room for as many pointers as one vector moves, on the stack: what crosses
/// layers lies here while no lock is held.
@inline(__always)
func withBatch<R>(_ body: (UnsafeMutablePointer<UInt64>) -> R) -> R {
    withUnsafeTemporaryAllocation(of: UInt64.self, capacity: 64) { batch in
        body(pointer(UInt(bitPattern: batch.baseAddress)))
    }
}
