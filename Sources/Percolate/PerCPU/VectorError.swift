/// Why a vector did not run. Nothing was stored then.
///
/// The first five are what the C interface calls `EINVAL`.
public enum VectorError: Error, Equatable, Sendable, CustomStringConvertible {
    /// It has more operations than ``OperationVector/capacity``: this many.
    case tooManyOperations(Int)
    /// The operation at this position compares or copies more than 4,096 bytes, or changes an
    /// integer that has not 1, 2, 4 or 8 bytes.
    case invalidLength(operation: Int)
    /// The operation at this position shifts by a negative number of bits, or by as many as its
    /// target has or more.
    case invalidShift(operation: Int)
    /// Its operations work on more bytes together than ``OperationVector/longestData``: on this
    /// many.
    case tooManyBytes(Int)
    /// The machine cannot have a CPU of this number.
    case noSuchCPU(Int)
    /// `EFAULT`: memory that an operation names cannot be accessed as the operation needs.
    case fault
    /// `EAGAIN`: memory that was named with `mayFault` cannot be accessed.
    case expectedFault

    public var description: String {
        switch self {
        case .tooManyOperations(let count):
            "a vector has at most \(OperationVector.capacity) operations, this one has \(count)"
        case .invalidLength(let position):
            "operation \(position): integers have 1, 2, 4 or 8 bytes, what is compared or copied at most 4,096"
        case .invalidShift(let position):
            "operation \(position): an integer is shifted by fewer bits than it has"
        case .tooManyBytes(let count):
            "a vector works on at most \(OperationVector.longestData) bytes, this one on \(count)"
        case .noSuchCPU(let cpu): "the machine has no CPU \(cpu)"
        case .fault: "memory of the vector cannot be accessed"
        case .expectedFault: "memory that may be unmapped is"
        }
    }
}
