import CPercolate

/// A misuse of the allocator that ends the process: going on would corrupt memory.
enum ProgrammerError {
    case doubleFree
    case foreignPointer
    case interiorPointer
    case wrongSize

    private var text: StaticString {
        switch self {
        case .doubleFree: "double free"
        case .foreignPointer: "foreign pointer"
        case .interiorPointer: "interior pointer"
        case .wrongSize: "wrong size"
        }
    }

    /// Says on one line of standard error what was done to which address, and aborts.
    ///
    /// - Parameter blockSize: the size of the blocks there, 0 when the address is not in the allocator's memory.
    @inline(never)
    func report(_ address: UInt, blockSize: Int) -> Never {
        var line = TextBuffer()
        line.append("percolate: ")
        line.append(text)
        line.append(": ")
        line.append(hexadecimal: address)
        if blockSize > 0 {
            line.append(" (block of ")
            line.append(blockSize)
            line.append(" bytes)")
        } else {
            line.append(" (not ours)")
        }
        line.append(", thread ")
        line.append(percolate_gettid())
        line.append(": to find the caller, break on percolate_error in a debugger\n")
        _ = line.write(to: 2)
        percolate_error()
    }
}
