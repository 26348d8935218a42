import CPercolate

/// A misuse of the allocator that ends the process: going on would corrupt memory.
enum ProgrammerError {
    case doubleFree
    case foreignPointer
    case interiorPointer
    case wrongSize
    case wrongAlignment
    /// The address is none that was handed out.
    case notAllocated
    /// A freed block is resized, or its size asked.
    case useAfterFree
    /// Bytes behind what was asked for were written.
    case overflow
    /// Bytes of a freed block were written.
    case writeAfterFree

    private var text: StaticString {
        switch self {
        case .doubleFree: "double free"
        case .foreignPointer: "foreign pointer"
        case .interiorPointer: "interior pointer"
        case .wrongSize: "wrong size"
        case .wrongAlignment: "wrong alignment"
        case .notAllocated: "not allocated"
        case .useAfterFree: "use after free"
        case .overflow: "overflow"
        case .writeAfterFree: "write after free"
        }
    }

    /// What is at the address.
    enum Place {
        /// Blocks of so many bytes.
        case block(Int)
        /// Pages of a large block, behind its start.
        case largeBlock
        /// Pages that hold no block.
        case freePages
        /// A block that was noted.
        case known(BlockReport)
        /// Memory of somebody else.
        case elsewhere
    }

    /// Says on one line of standard error what was done to which address, and aborts.
    ///
    /// - Parameter lock: what the caller holds. It is given back first, since nothing was changed
    ///   yet: a handler of SIGABRT may allocate, wait for threads that do, and leave by a jump.
    @inline(never)
    func report(_ address: UInt, _ place: Place, releasing lock: Lock? = nil) -> Never {
        lock?.release()
        Visit.endForReport()
        write(address, place)
        percolate_error()
    }

    /// Says the same, and returns.
    func write(_ address: UInt, _ place: Place) {
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
        case .freePages: line.append(" (free pages)")
        case .known(let report): report.append(to: &line, address: address)
        case .elsewhere where percolate_is_in_libc_heap(address):
            line.append(" (not ours, perhaps of libc's malloc, which a library loaded with RTLD_DEEPBIND uses)")
        case .elsewhere: line.append(" (not ours)")
        }
        line.append(", thread ")
        line.append(percolate_gettid())
        line.append(": to find the caller, break on percolate_error in a debugger\n")
        _ = line.write(to: 2)
    }
}

/// What is known of the block that a report is about.
struct BlockReport {
    /// What happened to it last.
    enum Event { case allocated, freed, none }

    var block: UInt
    /// Bytes that were asked for.
    var size: Int
    var event: Event
    /// Milliseconds since then, and the thread that did it.
    var age: UInt64
    var thread: Int
    /// Offset of the first byte that is not what it should be; nil where none was looked for.
    var changed: Int?

    fileprivate func append(to line: inout TextLine, address: UInt) {
        line.append(" (block of ")
        line.append(size)
        line.append(" bytes")
        if block != address {
            line.append(" at ")
            line.append(hexadecimal: block)
        }
        if let changed {
            line.append(", byte ")
            line.append(changed)
            line.append(" changed")
        }
        switch event {
        case .allocated: line.append(", allocated ")
        case .freed: line.append(", freed ")
        case .none:
            line.append(")")
            return
        }
        line.append(age)
        line.append(" ms ago by thread ")
        line.append(thread)
        line.append(")")
    }
}
