import Percolate

let counts = try ProcessHeap.countAllocations {
    for size in 0..<100 { ProcessHeap.deallocate(try ProcessHeap.allocate(byteCount: size), byteCount: size) }
}
/// The test reads its instructions.
@inline(never) func countOne(_ counter: PerCPUCounter) { counter.add(1) }

let counter = PerCPUCounter()
for _ in 0..<1000 { countOne(counter) }
print("isSharedObject \(ProcessHeap.isSharedObject)")
print("servesMalloc \(ProcessHeap.servesMalloc)")
print("counted \(counts.allocations >= 100 && counts.leakedBytes == 0)")
print("counter \(counter.value)")
print("vectors \(ProcessHeap.statistics.cpus.reduce(0) { $0 + $1.vectorsLocal + $1.vectorsRemote })")
