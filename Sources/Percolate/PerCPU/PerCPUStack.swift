import CPercolate

/// A stack for each CPU: what was pushed last on a CPU is popped first there, still warm in its
/// cache.
///
/// Pushing and popping are a restartable sequence each, with an operation vector where it does not
/// commit. Elements may be noncopyable; each is in a block of its own, allocated by `push` and
/// freed by `pop`. May be used from any thread; not in signal handlers.
public final class PerCPUStack<Element: ~Copyable>: @unchecked Sendable where Element: Sendable {
    private struct Node: ~Copyable {
        /// Address of the next node, 0 at the end. At offset 0, where the sequence reads it.
        var next: Int
        var element: Element
    }

    private let slots = PerCPUSlots(byteCount: 8)

    /// Empty stacks. Ends the process where there is no memory.
    public init() {}

    deinit {
        while pop(from: 0..<Int32(slots.count)) != nil {}
    }

    /// Pushes onto the stack of the CPU that the thread runs on. Where this throws the element has
    /// ended.
    public func push(_ element: consuming Element) throws(AllocationError) {
        let node = unsafe try ProcessHeap.allocate(Node.self)
        unsafe node.initialize(to: Node(next: 0, element: element))
        while true {
            let cpu = PerCPUSlots.currentCPU
            let head = slots.word(cpu)
            unsafe node.pointee.next = head
            if unsafe PerCPUSlots.exchange(slots.slot(cpu), head, Int(bitPattern: node), cpu) { return }
        }
    }

    /// Pops from the stack of the CPU that the thread runs on; nil when that is empty.
    public func pop() -> Element? {
        guard let address = popNode(PerCPUSlots.currentCPU) else { return nil }
        return take(address)
    }

    /// Pops from the own CPU's stack, or where that is empty from any other's; nil when all were
    /// empty as they were looked at.
    public func popAny() -> Element? {
        if let element = pop() { return element }
        return pop(from: 0..<Int32(slots.count))
    }

    /// Takes everything from all stacks, each by one vector, and hands it to `body`, per CPU last
    /// in first out.
    public func drain(_ body: (consuming Element) -> Void) {
        for cpu in 0..<Int32(slots.count) where slots.word(cpu) != 0 {
            var address = slots.takeWord(cpu)
            while let node = unsafe UnsafeMutablePointer<Node>(bitPattern: address) {
                address = unsafe node.pointee.next
                body(take(Int(bitPattern: node)))
            }
        }
    }

    private func pop(from cpus: Range<Int32>) -> Element? {
        for cpu in cpus where slots.word(cpu) != 0 {
            if let address = popNode(cpu) { return take(address) }
        }
        return nil
    }

    private func take(_ address: Int) -> Element {
        guard let node = unsafe UnsafeMutablePointer<Node>(bitPattern: address) else { fatalError("no node") }
        let value = unsafe node.move()
        unsafe ProcessHeap.deallocate(node, count: 1)
        return value.element
    }

    /// A section reads the node that it finds at the head although another thread may pop and free
    /// it meanwhile; it is aborted then, and the heap never unmaps memory of its blocks. The vector
    /// reads the successor after it compared the head, so a node that was popped and pushed again
    /// does no harm.
    private func popNode(_ cpu: Int32) -> Int? {
        var address = 0
        let result = unsafe rseq_cmpnev_storeoffp_load(slots.slot(cpu), 0, 0, &address, cpu)
        if result >= 0 { return result == 0 ? address : nil }
        while true {
            let head = slots.word(cpu)
            guard let node = unsafe UnsafeRawPointer(bitPattern: head) else { return nil }
            let done = unsafe withUnsafePointer(to: head) { expected in
                var vector = OperationVector()
                unsafe vector.requireEqual(slots.slot(cpu), expected, byteCount: 8)
                unsafe vector.copy(from: node, to: slots.slot(cpu), byteCount: 8)
                return vector.runHere(on: cpu)
            }
            if done { return head }
        }
    }
}
