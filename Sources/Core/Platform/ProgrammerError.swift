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

    /// What is at the address.
    enum Place {
        /// Blocks of so many bytes.
        case block(Int)
        /// Pages of no size class: of a large block, or free.
        case largeBlock
        /// Memory of somebody else.
        case elsewhere
    }

    /// Says on one line of standard error what was done to which address, and aborts.
    ///
    /// - Parameter lock: what the caller holds. It is given back first, since nothing was changed yet: a handler of SIGABRT may allocate,
    ///   wait for threads that do, and leave by a jump.
    @inline(never)
    func report(_ address: UInt, _ place: Place, releasing lock: Lock? = nil) -> Never {
        lock?.release()
        Visit.endForReport()
        var line = TextLine()
        line.append("percolate: ")
        line.append(text)
        line.append(": ")
        line.append(hexadecimal: address)
        switch place {
        case .block(let size):
            line.append(" (block of ")
            line.append(size)
            line.append(" bytes)")
        case .largeBlock: line.append(" (large block)")
        case .elsewhere where percolate_is_in_libc_heap(address):
            line.append(" (not ours, perhaps of libc's malloc, which a library loaded with RTLD_DEEPBIND uses)")
        case .elsewhere: line.append(" (not ours)")
        }
        line.append(", thread ")
        line.append(percolate_gettid())
        line.append(": to find the caller, break on percolate_error in a debugger\n")
        _ = line.write(to: 2)
        percolate_error()
    }
}
