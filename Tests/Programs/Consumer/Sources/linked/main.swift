import Percolate

final class Node {
    let next: Node?
    init(_ next: Node?) { self.next = next }
}

func usedBlocks(_ bytes: Int) -> Int {
    ProcessHeap.statistics.sizeClasses.first { $0.blockBytes == bytes }?.usedBlocks ?? 0
}

/// Objects that are alive at once, each of 24 bytes.
func objects(_ count: Int) -> [Node] { (0..<count).map { _ in Node(nil) } }

print("isSharedObject \(ProcessHeap.isSharedObject)")
print("servesMalloc \(ProcessHeap.servesMalloc)")

let before = usedBlocks(32)
let held = objects(10_000)
print("objects \(usedBlocks(32) - before >= held.count)")

let array = [UInt8](repeating: 1, count: 1 << 20)
let text = String(repeating: "percolate ", count: 500)
array.withUnsafeBytes { print("array \(ProcessHeap.usableSize(of: $0.baseAddress! - 32) >= array.count)") }
print("string \(text.utf8.count == 5000)")

// A global, so that the optimiser cannot put the objects on the stack.
var last: Node?
last = Node(nil)
let counts = ProcessHeap.countAllocations { for _ in 0..<1000 { last = Node(nil) } }
print("allocations \(counts.allocations) deallocations \(counts.deallocations) leaked \(counts.leakedBytes)")

let threads = await ProcessHeap.countAllocations {
    await withTaskGroup(of: Int.self) { group in
        for _ in 0..<8 { group.addTask { objects(1000).count } }
        for await _ in group {}
    }
}
print("tasks \(threads.allocations >= 8000)")
print("mode \(ProcessHeap.statistics.mode.rawValue)")
