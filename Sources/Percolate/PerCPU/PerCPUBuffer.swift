import CPercolate

/// A bounded buffer for each CPU: a fixed number of places, filled and emptied at the same end.
///
/// For caches of expensive things, such as connections or scratch memory, that must not grow: `put`
/// hands back what finds no room. Elements are in the buffer itself, so neither putting nor taking
/// allocates. Each is a restartable sequence, with an operation vector where it does not commit.
/// May be used from any thread; not in signal handlers.
public final class PerCPUBuffer<Element: ~Copyable>: @unchecked Sendable where Element: Sendable {
    /// What became of an element.
    public enum Placement: ~Copyable {
        /// The buffer has it.
        case stored
        /// The buffer of that CPU was full: here it is again.
        case refused(Element)

        /// Whether the buffer has the element.
        public var isStored: Bool {
            switch self {
            case .stored: true
            case .refused: false
            }
        }
    }

    /// Word 0 of each CPU's part: how many places are filled. The places follow, on the next
    /// address that has the alignment of an element.
    private let slots: PerCPUSlots
    /// Places of each CPU.
    public let capacity: Int

    private static var firstPlace: Int { max(8, MemoryLayout<Element>.alignment) }
    private static var byteCount: Int { max(1, MemoryLayout<Element>.size) }
    /// Such an element takes one store of the sequence; others are copied in a loop.
    private static var isWord: Bool {
        MemoryLayout<Element>.size == 8 && MemoryLayout<Element>.alignment == 8
    }

    /// Gives each CPU `capacity` places, 1 to 65,536 of them, each as large as an element.
    ///
    /// Ends the process with a line for another number, for elements of more than 2,048 bytes or an
    /// alignment above 64, for elements that cannot be moved by copying their bytes (such as
    /// structures with weak references), which a
    /// ``HeapValue`` can hold in their place, and where there is no memory.
    ///
    /// - Parameters:
    ///   - capacity: places of each CPU.
    ///   - file: the caller's, for the line that a wrong call ends with.
    ///   - line: the caller's.
    public init(capacity: Int, file: StaticString = #fileID, line: UInt = #line) {
        require(
            capacity > 0 && capacity <= 65536, "a per-CPU buffer has 1 to 65,536 places", file, line
        )
        require(
            Self.byteCount <= 2048 && Self.firstPlace <= 64,
            "an element of a per-CPU buffer has at most 2,048 bytes, and is aligned to at most 64",
            file, line)
        require(
            isMovedAsBytes(Element.self),
            "elements that cannot be moved as bytes go into a per-CPU buffer as values of HeapValue",
            file, line)
        self.capacity = capacity
        slots = PerCPUSlots(byteCount: Self.firstPlace + capacity * MemoryLayout<Element>.stride)
    }

    deinit { drain { _ in } }

    /// Puts an element into the buffer of the CPU that the thread runs on.
    ///
    /// - Returns: the element again, where that buffer is full. It ends there if the result is not
    ///   used.
    @discardableResult
    public func put(_ element: consuming Element) -> Placement {
        // A closure cannot consume what it captures, but it can take what an optional has.
        var element = Optional(element)
        return unsafe withUnsafeTemporaryAllocation(of: Element.self, capacity: 1) { room in
            guard let source = room.baseAddress, let element = element.take() else {
                fatalError("no element")
            }
            unsafe source.initialize(to: element)
            while true {
                let cpu = PerCPUSlots.currentCPU
                let count = slots.word(cpu)
                guard count < capacity else { return .refused(unsafe source.move()) }
                if unsafe store(source, at: count, cpu) { return .stored }
            }
        }
    }

    /// Takes the element that was put last on the CPU that the thread runs on; nil when its buffer
    /// is empty.
    public func take() -> Element? {
        unsafe withUnsafeTemporaryAllocation(of: Element.self, capacity: 1) { room in
            guard let target = room.baseAddress else { fatalError("no room for an element") }
            while true {
                let cpu = PerCPUSlots.currentCPU
                let count = slots.word(cpu)
                guard count > 0 else { return nil }
                if unsafe remove(to: target, at: count - 1, cpu) { return unsafe target.move() }
            }
        }
    }

    /// How many elements all buffers hold: exact once nobody puts or takes.
    public var count: Int { (0..<Int32(slots.count)).reduce(0) { $0 + slots.word($1) } }

    /// Takes from each CPU's buffer as many elements as it holds when its turn comes, one after the
    /// other. So what others put meanwhile may be taken, or left.
    ///
    /// - Parameter body: gets each element. Where it throws, those that were not taken stay.
    public func drain<Failure: Error>(
        _ body: (consuming Element) throws(Failure) -> Void
    ) throws(Failure) {
        for cpu in 0..<Int32(slots.count) {
            var left = slots.word(cpu)
            while left > 0, let element = take(on: cpu) {
                left -= 1
                try body(element)
            }
        }
    }

    private func take(on cpu: Int32) -> Element? {
        unsafe withUnsafeTemporaryAllocation(of: Element.self, capacity: 1) { room in
            guard let target = room.baseAddress else { fatalError("no room for an element") }
            while case let count = slots.word(cpu), count > 0 {
                if unsafe remove(to: target, at: count - 1, cpu) { return unsafe target.move() }
            }
            return nil
        }
    }

    private func place(_ position: Int, _ cpu: Int32) -> UnsafeMutableRawPointer {
        unsafe UnsafeMutableRawPointer(slots.slot(cpu))
            + (Self.firstPlace + position * MemoryLayout<Element>.stride)
    }

    /// `if (count == position) { places[position] = *source; count = position + 1 }`
    ///
    /// Then the bytes at `source` are no element any more. Nobody reads places above the count, so
    /// a copy that is interrupted does no harm.
    private func store(_ source: UnsafeMutableRawPointer, at position: Int, _ cpu: Int32) -> Bool {
        let count = unsafe slots.slot(cpu)
        let place = unsafe place(position, cpu)
        let result =
            Self.isWord
            ? unsafe rseq_cmpeqv_trystorev_storev(
                count, position, place.assumingMemoryBound(to: Int.self), source.load(as: Int.self),
                position + 1, cpu)
            : unsafe rseq_cmpeqv_trymemcpy_storev(
                count, position, place, source, Self.byteCount, position + 1, cpu)
        guard result < 0 else { return result == 0 }
        return unsafe exchange(count, position, position + 1, moving: source, to: place, cpu)
    }

    /// `if (count == position + 1) { *target = places[position]; count = position }`
    private func remove(to target: UnsafeMutableRawPointer, at position: Int, _ cpu: Int32) -> Bool {
        let count = unsafe slots.slot(cpu)
        let place = unsafe place(position, cpu)
        // A word is read before the sequence, which makes sure that it is still there.
        let word =
            Self.isWord ? unsafe PerCPUSlots.load(place.assumingMemoryBound(to: Int.self)) : 0
        let result =
            Self.isWord
            ? unsafe rseq_cmpeqv_cmpeqv_storev(
                count, position + 1, place.assumingMemoryBound(to: Int.self), word, position, cpu)
            : unsafe rseq_cmpeqv_trymemcpy_storev(
                count, position + 1, target, place, Self.byteCount, position, cpu)
        if result == 0, Self.isWord { unsafe target.storeBytes(of: word, as: Int.self) }
        guard result < 0 else { return result == 0 }
        return unsafe exchange(count, position + 1, position, moving: place, to: target, cpu)
    }

    /// The vector of both.
    private func exchange(
        _ count: UnsafeMutablePointer<Int>, _ expected: Int, _ replacement: Int,
        moving source: UnsafeMutableRawPointer, to target: UnsafeMutableRawPointer, _ cpu: Int32
    ) -> Bool {
        unsafe withUnsafePointer(to: (expected, replacement)) { words in
            let word = unsafe UnsafeRawPointer(words)
            var vector = OperationVector()
            unsafe vector.requireEqual(count, word, byteCount: 8)
            unsafe vector.copy(from: source, to: target, byteCount: Self.byteCount)
            unsafe vector.copy(from: word + 8, to: count, byteCount: 8)
            return vector.runHere(on: cpu)
        }
    }
}

extension PerCPUBuffer.Placement: Copyable where Element: Copyable {}
extension PerCPUBuffer.Placement: Sendable where Element: ~Copyable {}
