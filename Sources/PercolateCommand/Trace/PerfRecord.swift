import CLinux

/// A record in a ring. Valid only while it is being read.
struct PerfRecord {
    let bytes: UnsafeRawBufferPointer

    enum Content {
        case sample
        /// So many records of an event found no room and are gone.
        case lost(id: UInt64, count: UInt64)
        /// Something that nobody asked for.
        case other
    }

    var content: Content {
        switch perf_event_type(bytes.load(as: perf_event_header.self).type) {
        case PERF_RECORD_SAMPLE: bytes.count >= Self.registers ? .sample : .other
        case PERF_RECORD_LOST: .lost(id: word(8), count: word(16))
        default: .other
        }
    }

    // The parts of a sample, in the order in which the kernel writes what `linux_open_probe` asks
    // for.

    var event: UInt64 { word(8) }
    var process: Int32 { bytes.load(fromByteOffset: 16, as: Int32.self) }
    var thread: Int32 { bytes.load(fromByteOffset: 20, as: Int32.self) }
    var time: UInt64 { word(24) }
    var cpu: UInt32 { bytes.load(fromByteOffset: 32, as: UInt32.self) }

    /// Where the registers begin, after the word that says of which size they are.
    private static let registers = 48

    /// The registers asked for, lowest number first; empty for a thread of which the kernel knows
    /// none.
    var registers: UnsafeBufferPointer<UInt64> {
        guard word(40) == UInt64(PERF_SAMPLE_REGS_ABI_64.rawValue) else { return .init(start: nil, count: 0) }
        return UnsafeRawBufferPointer(rebasing: bytes[Self.registers...]).bindMemory(to: UInt64.self)
    }

    private func word(_ offset: Int) -> UInt64 { bytes.load(fromByteOffset: offset, as: UInt64.self) }
}
