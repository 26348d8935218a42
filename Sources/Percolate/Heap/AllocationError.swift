/// Why an allocation did not happen.
public enum AllocationError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The kernel or the memory limit refused, or no block can be that large.
    case outOfMemory(byteCount: Int)
    /// A count of bytes or elements was negative.
    case negativeCount(Int)
    /// An alignment was not a power of two, or above 2^46.
    case invalidAlignment(Int)

    public var description: String {
        switch self {
        case .outOfMemory(let byteCount): "no memory for a block of \(byteCount) bytes"
        case .negativeCount(let count): "a block cannot have \(count) bytes or elements"
        case .invalidAlignment(let alignment): "\(alignment) is no alignment: give a power of two up to 2^46"
        }
    }
}

/// Why a block that a closure initializes does not exist.
public enum HeapInitializationError<Failure: Error>: Error {
    /// There is no memory for it, or it cannot exist.
    case allocation(AllocationError)
    /// The closure threw. What it had initialized has ended.
    case initializer(Failure)
}

extension HeapInitializationError: Equatable where Failure: Equatable {}

extension HeapInitializationError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .allocation(let error): "\(error)"
        case .initializer(let error): "the initializer threw: \(error)"
        }
    }
}
