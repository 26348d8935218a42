import CPercolate

/// What a probe said, with its arguments' meaning. `index` is a CPU number or a concurrency id,
/// whichever the gates go by.
enum AllocatorEvent {
    case vectorBegin(vector: UInt64, count: Int, cpu: Int, isAllocators: Bool)
    case operation(VectorOperation)
    case vectorEnd(cpu: Int, result: Int, nanoseconds: UInt64)
    case move(index: Int, header: UInt64, count: UInt64)
    case gateClose(index: Int, gate: UInt64, fence: UInt64?)
    case gateOpen(index: Int, gate: UInt64)
    case fallback(cpu: Int, address: UInt64, reason: FallbackReason)
    case abort(section: AbortedSection)
    case refill(index: Int, blockSize: UInt64, count: UInt64)
    case drain(index: Int, blockSize: UInt64, count: UInt64)
    case steal(index: Int, victim: Int, count: UInt64)
    case spanAllocate(address: UInt64, pages: UInt64, blockSize: UInt64)
    case spanFree(address: UInt64, pages: UInt64, blockSize: UInt64)
    case release(address: UInt64, bytes: UInt64)

    /// Nil when an argument is none that the probe is documented to have: then the library is of
    /// another version.
    ///
    /// - Precondition: there are as many arguments as the probe has.
    init?(_ probe: ProbeName, _ arguments: [UInt64]) {
        func number(_ place: Int) -> Int { Int(Int64(bitPattern: arguments[place])) }
        switch probe {
        case .vectorBegin:
            self = .vectorBegin(vector: arguments[0], count: number(1), cpu: number(2), isAllocators: number(3) == 1)
        case .operation:
            guard let operation = VectorOperation(arguments) else { return nil }
            self = .operation(operation)
        case .vectorEnd: self = .vectorEnd(cpu: number(0), result: number(1), nanoseconds: arguments[2])
        case .move: self = .move(index: number(0), header: arguments[1], count: arguments[2])
        case .gateClose:
            self = .gateClose(index: number(0), gate: arguments[1], fence: number(2) == 1 ? arguments[3] : nil)
        case .gateOpen: self = .gateOpen(index: number(0), gate: arguments[1])
        case .fallback:
            guard let reason = FallbackReason(rawValue: number(2)) else { return nil }
            self = .fallback(cpu: number(0), address: arguments[1], reason: reason)
        case .abort:
            guard let section = AbortedSection(rawValue: number(0)) else { return nil }
            self = .abort(section: section)
        case .refill: self = .refill(index: number(0), blockSize: arguments[1], count: arguments[2])
        case .drain: self = .drain(index: number(0), blockSize: arguments[1], count: arguments[2])
        case .steal: self = .steal(index: number(0), victim: number(1), count: arguments[2])
        case .spanAllocate:
            self = .spanAllocate(address: arguments[0], pages: arguments[1], blockSize: arguments[2])
        case .spanFree: self = .spanFree(address: arguments[0], pages: arguments[1], blockSize: arguments[2])
        case .release: self = .release(address: arguments[0], bytes: arguments[1])
        }
    }
}

/// Why a per-CPU operation went on as a vector.
enum FallbackReason: Int {
    case interrupted, elsewhere, notRegistered, gateClosed

    var sentence: String {
        switch self {
        case .interrupted: "its sequence was interrupted"
        case .elsewhere: "the thread is on another CPU"
        case .notRegistered: "the thread is not registered"
        case .gateClosed: "the gate is closed"
        }
    }
}

/// What an aborted section of the allocator was to do: PERCOLATE_ABORTED_*.
enum AbortedSection: Int {
    case allocation, deallocation, move, close

    var sentence: String {
        switch self {
        case .allocation: "allocation"
        case .deallocation: "deallocation"
        case .move: "move between a cache and memory"
        case .close: "closing of a gate"
        }
    }
}
