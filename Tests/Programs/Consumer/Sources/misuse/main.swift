import Percolate

// One error of a caller each. The process must end in it, and say what it was.
switch CommandLine.arguments.dropFirst().first {
case "size": ProcessHeap.deallocate(try ProcessHeap.allocate(byteCount: 100), byteCount: 1000)
case "old-size": _ = try ProcessHeap.reallocate(try ProcessHeap.allocate(byteCount: 100), from: 5000, to: 10)
case "alignment": ProcessHeap.deallocate(try ProcessHeap.allocate(byteCount: 100), byteCount: 100, alignment: -64)
case "count": ProcessHeap.deallocate(try ProcessHeap.allocate(Int.self), count: -1)
case "position": try readBeyond()
case "array": try removeFromNothing()
case "initializer": _ = try HeapBuffer<Int>(count: 3) { $0.append(1) }
case "arena": try writeBehind()
case "limit": ProcessHeap.setMemoryLimit(-1)
case "capacity": _ = PerCPUBuffer<Int>(capacity: 0)
case "element": _ = PerCPUBuffer<WithWeakReference>(capacity: 1)
case "element-size": _ = PerCPUBuffer<InlineArray<257, Int>>(capacity: 1)
case "cpu": _ = PerCPU(0)[-1]
case "value": _ = PerCPU(())
case "path":
    var options = HeapOptions()
    options.statistics = "a,hardened=1"
    _ = options.environmentValue
default: print("no such error")
}
print("survived")

final class Object {}
struct WithWeakReference: @unchecked Sendable { weak var object: Object? }

func removeFromNothing() throws {
    var array = try HeapArray<Int>(capacity: 10)
    array.removeLast()
}

func writeBehind() throws {
    let arena = try HeapArena()
    let bytes = try arena.allocateBytes(10)
    if let start = bytes.baseAddress { (start + 10).storeBytes(of: 0, as: UInt8.self) }
}

func readBeyond() throws {
    let buffer = try HeapBuffer(repeating: 1, count: 3)
    print(buffer[3])
}
