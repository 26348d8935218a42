import CPercolate
import Synchronization

/// Vectors as the allocator issues them: operands known to be good, signals open, behind a gate of its own.
struct TrustedVector {
    private static let size = 4096
    private let memory: UnsafeMutableRawPointer
    private let sequences: Sequences
    private let move: MoveVector

    /// The vector of `cpu`: a compare, a copy of eight pointers and a store.
    init(cpu: Int, sequences: Sequences) {
        memory = .allocate(byteCount: Self.size, alignment: 128)
        memory.initializeMemory(as: UInt8.self, repeating: 0, count: Self.size)
        self.sequences = sequences
        let start = UInt(bitPattern: memory)
        let gate = Gate(
            word: pointer(start), lock: Lock(at: start &+ 8), index: cpu, indexOffset: sequences.cpuOffset, closed: 0)
        gate.open(1)
        move = MoveVector(
            gate: gate, open: 1, header: pointer(start &+ 256), expected: 0, replacement: 0,
            target: pointer(start &+ 512), source: UnsafePointer(pointer(start &+ 1024)), count: 8)
    }

    /// As refill and drain: one section where the thread is on that CPU.
    func runAsSection(_ count: Int) {
        for _ in 0..<count {
            guard case .done = move.run(sequences) else { fatalError("the section did not commit") }
        }
    }

    /// As stealing: lock, close, the three operations, open, unlock.
    func runBehindGate(_ count: Int) {
        let gate = move.gate
        for _ in 0..<count {
            guard gate.lock.acquire() == .entered, gate.close(sequences) != nil,
                case .done = move.interpret()
            else {
                fatalError("the gate did not close")
            }
            gate.open(move.open)
            gate.lock.release()
        }
    }
}
