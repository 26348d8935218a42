import CPercolate
import Synchronization

// What the Swift API's statistics are made of. All of it is read while other threads go on: each figure was true at some moment, and
// sums are exact once the process is quiet.

@c(percolate_process_figures)
public func percolateProcessFigures(_ figures: UnsafeMutablePointer<percolate_process_figures>) {
    var result = percolate_process_figures()
    defer { figures.pointee = result }
    guard Heap.ensureStarted() else { return }
    result.mode =
        switch FrontEnd.mode {
        case .sections: 0
        case .locked: 1
        case .hardened: 2
        }
    result.index = FrontEnd.sequences.index == .cpuID ? 0 : 1
    result.registration =
        switch FrontEnd.sequences.registration {
        case .none: 0
        case .glibc: 1
        case .own: 2
        }
    result.can_fence = FrontEnd.sequences.canFence ? 1 : 0
    result.release =
        switch arena.retention.policy {
        case .prompt: 0
        case .lazy: 1
        case .never: 2
        }
    let page = UInt64(Arena.pageSize)
    result.cache_budget = UInt64(FrontEnd.budget)
    result.reserved = UInt64(arena.limit) &* page
    result.memory_limit = arena.inUseLimit >= arena.limit ? UInt64.max : UInt64(arena.inUseLimit) &* page
    result.served_blocks = total(.refilledObjects) &+ total(.directAllocations) &+ total(.largeAllocations)
    result.emergency_allocations = total(.emergencyAllocations)
    result.large_allocations = total(.largeAllocations)
    result.large_frees = total(.largeFrees)
    result.spans_in_use = UInt64(spansInUse)
    let memory = Heap.memory()
    result.in_use = memory.in_use
    result.committed = memory.committed
    result.free_resident = memory.free_resident
    result.released = arena.retention.releasedTotal &* page
    result.metadata = memory.metadata
}

@c(percolate_class_figures)
public func percolateClassFigures(_ figures: UnsafeMutablePointer<percolate_class_figures>?, _ capacity: UInt) -> UInt {
    guard Heap.ensureStarted() else { return 0 }
    guard let figures else { return UInt(SizeClass.count &- 1) }
    for number in 1..<min(SizeClass.count, Int(capacity) &+ 1) {
        let info = sizeClasses[number].pointee
        var result = percolate_class_figures()
        result.block_size = UInt64(info.size)
        result.span_size = UInt64(info.spanPages) &* UInt64(Arena.pageSize)
        for shard in 0..<Middle.shardCount(number) {
            let list = Middle.list(number, shard)
            guard Middle.lock(list).acquire() else { continue }
            result.spans &+= UInt64(list.pointee.spanCount)
            result.free_blocks &+= UInt64(list.pointee.freeBlocks)
            Middle.lock(list).release()
        }
        result.blocks = result.spans &* UInt64(info.spanBlocks)
        for index in 0..<FrontEnd.indexCount where FrontEnd.caches[index].pointee.slab != 0 {
            let slab = Slab(address: FrontEnd.caches[index].pointee.slab)
            result.cached_blocks &+= UInt64(slab.header(number).count)
        }
        figures[number &- 1] = result
    }
    return UInt(SizeClass.count &- 1)
}

@c(percolate_cpu_figures)
public func percolateCPUFigures(_ figures: UnsafeMutablePointer<percolate_cpu_figures>?, _ capacity: UInt) -> UInt {
    guard Heap.ensureStarted() else { return 0 }
    guard let figures else { return UInt(FrontEnd.indexCount) }
    for index in 0..<min(FrontEnd.indexCount, Int(capacity)) { figures[index] = cpuFigures(index) }
    return UInt(FrontEnd.indexCount)
}

private func cpuFigures(_ index: Int) -> percolate_cpu_figures {
    func counted(_ counter: Counter) -> UInt64 {
        counterRows[index &* Counter.count &+ counter.rawValue].pointee.load(ordering: .relaxed)
    }
    var result = percolate_cpu_figures()
    result.index = UInt64(index)
    let cache = FrontEnd.caches[index]
    if cache.pointee.slab != 0 {
        result.has_slab = 1
        result.capacity = UInt64(cache.pointee.capacityBytes)
        result.budget = UInt64(cache.pointee.budget)
        let slab = Slab(address: cache.pointee.slab)
        for number in 1..<SizeClass.count {
            let count = UInt64(slab.header(number).count)
            result.cached_blocks &+= count
            result.cached &+= count &* UInt64(sizeClasses[number].pointee.size)
        }
    }
    result.refills = counted(.refills)
    result.refilled_objects = counted(.refilledObjects)
    result.drains = counted(.drains)
    result.drained_objects = counted(.drainedObjects)
    result.steals = counted(.steals)
    result.stolen_objects = counted(.stolenObjects)
    result.capacity_changes = counted(.capacityChanges)
    result.vectors_local = counted(.vectorsLocal)
    result.vectors_remote = counted(.vectorsRemote)
    result.sections_aborted = counted(.sectionsAborted)
    result.gates_closed_local = counted(.gatesClosedLocal)
    result.gates_closed_remote = counted(.gatesClosedRemote)
    result.direct_allocations = counted(.directAllocations)
    result.direct_frees = counted(.directFrees)
    return result
}
