import CPercolate

/// A bounded buffer for each CPU: a fixed number of places, filled and emptied at the same end.
///
/// For caches of expensive things, such as connections or scratch memory, that must not grow: `put` hands back what finds no room. Putting
/// and taking are a restartable sequence each, with an operation vector where it does not commit. May be used from any thread;
/// not in signal handlers.
public final class PerCPUBuffer<Element: ~Copyable>: @unchecked Sendable where Element: Sendable {
    /// Word 0: how many places are filled. Then the places, each the address of a block.
    private let slots: PerCPUSlots
    /// Places of each CPU.
    public let capacity: Int

    /// Gives each CPU `capacity` places, 1 to 65,536 of them: eight bytes each. Ends the process with a line for another number, or where there
    /// is no memory.
    public init(capacity: Int) {
        require(capacity > 0 && capacity <= 65536, "a per-CPU buffer has 1 to 65,536 places")
        self.capacity = capacity
        slots = PerCPUSlots(byteCount: 8 * (capacity + 1))
    }

    deinit { drain { _ in } }

    /// Puts an element into the buffer of the CPU that the thread runs on. Returns it when that is full, else nil. Where this throws the
    /// element has ended.
    public func put(_ element: consuming Element) throws(AllocationError) -> Element? {
        guard slots.word(PerCPUSlots.currentCPU) < capacity else { return element }
        let block = unsafe try ProcessHeap.allocate(Element.self)
        unsafe block.initialize(to: element)
        while true {
            let cpu = PerCPUSlots.currentCPU
            let count = slots.word(cpu)
            guard count < capacity else {
                let element = unsafe block.move()
                unsafe ProcessHeap.deallocate(block, count: 1)
                return element
            }
            if store(Int(bitPattern: block), at: count, cpu) { return nil }
        }
    }

    /// Takes the element that was put last on the CPU that the thread runs on; nil when its buffer is empty.
    public func take() -> Element? {
        while true {
            let cpu = PerCPUSlots.currentCPU
            let count = slots.word(cpu)
            guard count > 0 else { return nil }
            if let address = remove(at: count - 1, cpu) { return element(address) }
        }
    }

    /// How many elements all buffers hold: exact once nobody puts or takes.
    public var count: Int { (0..<Int32(slots.count)).reduce(0) { $0 + slots.word($1) } }

    /// Takes from each CPU's buffer as many elements as it holds when its turn comes, one after the other. So what others put meanwhile may
    /// be taken, or left.
    public func drain(_ body: (consuming Element) -> Void) {
        for cpu in 0..<Int32(slots.count) {
            var left = slots.word(cpu)
            while left > 0, case let count = slots.word(cpu), count > 0 {
                guard let address = remove(at: count - 1, cpu) else { continue }
                left -= 1
                body(element(address))
            }
        }
    }

    private func element(_ address: Int) -> Element {
        guard let block = unsafe UnsafeMutablePointer<Element>(bitPattern: address) else { fatalError("no element") }
        let element = unsafe block.move()
        unsafe ProcessHeap.deallocate(block, count: 1)
        return element
    }

    /// `if (count == position) { places[position] = address; count = position + 1 }`
    private func store(_ address: Int, at position: Int, _ cpu: Int32) -> Bool {
        let count = unsafe slots.slot(cpu)
        let place = unsafe count + (1 + position)
        let result = unsafe rseq_cmpeqv_trystorev_storev(count, position, place, address, position + 1, cpu)
        guard result < 0 else { return result == 0 }
        return unsafe withUnsafePointer(to: (position, address, position + 1)) { words in
            let word = unsafe UnsafeRawPointer(words)
            var vector = OperationVector()
            unsafe vector.requireEqual(count, word, byteCount: 8)
            unsafe vector.copy(from: word + 8, to: place, byteCount: 8)
            unsafe vector.copy(from: word + 16, to: count, byteCount: 8)
            return vector.runHere(on: cpu)
        }
    }

    /// `if (count == position + 1 && places[position] == address) count = position`: the address; nil when somebody was faster.
    private func remove(at position: Int, _ cpu: Int32) -> Int? {
        let count = unsafe slots.slot(cpu)
        let place = unsafe count + (1 + position)
        let address = unsafe PerCPUSlots.load(place)
        let result = unsafe rseq_cmpeqv_cmpeqv_storev(count, position + 1, place, address, position, cpu)
        guard result < 0 else { return result == 0 ? address : nil }
        let done = unsafe withUnsafePointer(to: (position + 1, address, position)) { words in
            let word = unsafe UnsafeRawPointer(words)
            var vector = OperationVector()
            unsafe vector.requireEqual(count, word, byteCount: 8)
            unsafe vector.requireEqual(place, word + 8, byteCount: 8)
            unsafe vector.copy(from: word + 16, to: count, byteCount: 8)
            return vector.runHere(on: cpu)
        }
        return done ? address : nil
    }
}
