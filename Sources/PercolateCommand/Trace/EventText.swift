import Glibc

/// One line for each event:
///
///     0.004211873 12087/12090 cpu 1  operation  0 add 1 to 8 bytes at 0x5581e0, stored 0x2a
///
/// Seconds since the trace began, process and thread, the CPU that the thread was on, the kind of
/// event, and its meaning.
struct EventText {
    /// Nanoseconds of the monotonic clock at which the trace began.
    let start: UInt64

    func line(_ sample: ProbeSample, _ event: AllocatorEvent, _ kind: EventKind) -> String {
        let elapsed = sample.time >= start ? sample.time - start : 0
        let fraction = Self.padded(String(elapsed % 1_000_000_000), 9, with: "0")
        let name = kind.rawValue + String(repeating: " ", count: max(0, 10 - kind.rawValue.count))
        return "\(elapsed / 1_000_000_000).\(fraction) \(sample.process)/\(sample.thread) cpu \(sample.cpu)  \(name) "
            + "\(Self.meaning(event))\n"
    }

    static func meaning(_ event: AllocatorEvent) -> String {
        switch event {
        case .vectorBegin(let vector, let count, let cpu, let isAllocators):
            "begin: \(counted(UInt64(clamping: count), "operation")) at \(Hex(vector)) for cpu \(cpu)\(isAllocators ? ", of the allocator" : "")"
        case .operation(let operation): "\(operation.index) \(operation.text)"
        case .vectorEnd(let cpu, let result, let nanoseconds):
            "end: \(ending(result)) for cpu \(cpu), \(duration(nanoseconds))"
        case .move(let index, let header, let count):
            "\(counted(count, "pointer")) in one section at index \(index), header \(Hex(header))"
        case .gateClose(let index, let gate, let fence?):
            "close \(index) at \(Hex(gate)) by a fence of \(duration(fence))"
        case .gateClose(let index, let gate, nil): "close \(index) at \(Hex(gate)) on its own cpu, without a fence"
        case .gateOpen(let index, let gate): "open \(index) at \(Hex(gate))"
        case .fallback(let cpu, let address, let reason):
            "operation on \(Hex(address)) of cpu \(cpu) goes on as a vector: \(reason.sentence)"
        case .abort(let section): "\(section.sentence) goes on in the slow path"
        case .refill(let index, let size, let count):
            "\(counted(count, "block")) of \(size) bytes into the cache of index \(index)"
        case .drain(let index, let size, let count):
            "\(counted(count, "block")) of \(size) bytes out of the cache of index \(index)"
        case .steal(let index, let victim, let count):
            "\(counted(count, "block")) from the cache of idle index \(victim), by index \(index)"
        case .spanAllocate(let address, let pages, let size):
            "take \(counted(pages, "page")) at \(Hex(address)) for \(use(size))"
        case .spanFree(let address, let pages, let size):
            "give back \(counted(pages, "page")) at \(Hex(address)) of \(use(size))"
        case .release(let address, let bytes): "\(bytes) bytes at \(Hex(address)) to the system"
        }
    }

    private static func use(_ blockSize: UInt64) -> String {
        blockSize == 0 ? "a large block" : "blocks of \(blockSize) bytes"
    }

    private static func counted(_ count: UInt64, _ noun: String) -> String {
        count == 1 ? "1 \(noun)" : "\(count) \(noun)s"
    }

    private static func ending(_ result: Int) -> String {
        if result == 0 { return "done" }
        if result > 0 { return "stopped by the compare at \(result - 1)" }
        return String(cString: strerror(Int32(clamping: -result)))
    }

    /// Nanoseconds as the unit that leaves one to three digits before the point.
    static func duration(_ nanoseconds: UInt64) -> String {
        let units: [(name: String, size: UInt64)] = [("s", 1_000_000_000), ("ms", 1_000_000), ("us", 1000)]
        guard let unit = units.first(where: { nanoseconds >= $0.size }) else { return "\(nanoseconds) ns" }
        let thousandths = nanoseconds / (unit.size / 1000)
        return "\(thousandths / 1000).\(padded(String(thousandths % 1000), 3, with: "0")) \(unit.name)"
    }

    static func padded(_ text: String, _ width: Int, with filler: Character) -> String {
        String(repeating: filler, count: max(0, width - text.count)) + text
    }
}
