import Percolate

struct Connection: ~Copyable {
    let number: Int
    consuming func close() -> Int { number }
}

// In a function, because a global variable cannot be consumed, nor lend its span.
func useOwners() throws {
    var value = try HeapValue(Connection(number: 1))
    value.value = Connection(number: 2)
    print("value \(value.take().close())")

    var buffer = try HeapBuffer(repeating: 1, count: 100)
    buffer[99] = 0
    var span = buffer.mutableSpan
    for index in span.indices { span[index] += index }
    var sum = 0
    for index in buffer.indices { sum += buffer.span[index] }
    print("buffer \(sum)")

    let stack = PerCPUStack<Connection>()
    try stack.push(Connection(number: 3))
    print("stack \(stack.popAny()?.close() ?? 0)")

    let pool = PerCPUBuffer<Connection>(capacity: 2)
    switch pool.put(Connection(number: 4)) {
    case .stored: break
    case .refused(let connection): print("refused \(connection.close())")
    }
    pool.drain { print("pool \($0.close())") }
}
try useOwners()

let counter = PerCPUCounter()
let largest = PerCPU(0)
await withTaskGroup(of: Void.self) { group in
    for task in 0..<8 {
        group.addTask {
            for _ in 0..<100 { counter += 1 }
            largest.update { max($0, task) }
        }
    }
}
print("counter \(counter.drain()) largest \(largest.reduce(0, max))")

do {
    let scope = AllocationScope()
    let counts = try ProcessHeap.countAllocations { _ = try HeapValue(7).take() }
    let outer = scope.end()
    print("counted \(counts.allocations >= 1 && outer.allocations >= counts.allocations)")
}
print("statistics \(ProcessHeap.statistics.process.servedBlocks > 0)")
