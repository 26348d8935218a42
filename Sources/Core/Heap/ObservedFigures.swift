import CPercolate

/// How an observer reads the memory of the process that it observes.
public protocol ObservedMemory {
    /// Copies `count` bytes from `address` to `target`. Where they cannot be read, `target` stays
    /// as it is and the reader remembers that.
    mutating func copy(_ count: Int, from address: UInt64, to target: UnsafeMutableRawPointer)
}

/// The memory of this very process.
struct OwnMemory: ObservedMemory {
    @inline(__always)
    mutating func copy(_ count: Int, from address: UInt64, to target: UnsafeMutableRawPointer) {
        if address != 0 { percolate_copy(UInt(bitPattern: target), UInt(address), count) }
    }
}

/// Collects the figures of a heap from what `percolate_observed_heap` says, in this process or from
/// another one. Takes no lock and allocates nothing. The argument why the figures may be read so
/// stands in <percolate/observation.h>.
public struct ObservedFigures<Memory: ObservedMemory> {
    private let heap: UnsafePointer<percolate_observed_heap>
    public var memory: Memory

    /// `heap` is a copy of the observed process's description, or in the process itself the
    /// original.
    public init(_ heap: UnsafePointer<percolate_observed_heap>, _ memory: Memory) {
        self.heap = heap
        self.memory = memory
    }

    /// Size classes: numbered from 1.
    public var classCount: Int { max(0, Int(heap.pointee.classes.count) &- 1) }
    /// Indexes of the caches.
    public var cpuCount: Int { Int(heap.pointee.caches.count) }

    private mutating func word(_ address: UInt64) -> UInt64 {
        var value: UInt64 = 0
        memory.copy(8, from: address, to: &value)
        return value
    }

    private mutating func value(_ word: percolate_observed_word) -> UInt64 { self.word(word.address) &* word.unit }

    private func record(_ table: percolate_observed_table, _ number: Int) -> UInt64 {
        table.address &+ UInt64(number) &* UInt64(table.stride)
    }

    /// All but what the kernel knows: the process's resident and mapped bytes, and its id.
    public mutating func process() -> percolate_process_figures {
        var result = percolate_process_figures()
        result.mode = heap.pointee.mode
        result.index = heap.pointee.index
        result.registration = heap.pointee.registration
        result.can_fence = heap.pointee.can_fence
        result.release = heap.pointee.release
        result.cache_budget = heap.pointee.cache_budget
        result.reserved = heap.pointee.reserved
        let limit = word(heap.pointee.memory_limit.address)
        let isLimited = limit < heap.pointee.reserved / max(heap.pointee.page_size, 1)
        result.memory_limit = isLimited ? limit &* heap.pointee.memory_limit.unit : UInt64.max
        result.in_use = value(heap.pointee.in_use)
        result.committed = value(heap.pointee.committed)
        result.free_resident = value(heap.pointee.free_resident)
        result.released = value(heap.pointee.released)
        result.large = value(heap.pointee.large)
        result.spans_in_use = value(heap.pointee.spans_in_use)
        result.extends_slices = heap.pointee.extends_slices
        result.slices_extended = value(heap.pointee.slices_extended)
        result.slices_yielded = value(heap.pointee.slices_yielded)
        let released = value(heap.pointee.metadata_released)
        result.metadata = max(value(heap.pointee.metadata), released) &- released
        result.large = withhold(PERCOLATE_OBSERVED_WITHHELD_LARGE_BYTES, from: result.large)
        countBlocks(&result)
        countSlowPaths(&result)
        return result
    }

    /// Bytes of blocks: whose they are.
    private mutating func countBlocks(_ result: inout percolate_process_figures) {
        var used: UInt64 = 0
        for number in 0..<classCount {
            let figures = spans(ofClass: number &+ 1)
            result.free_blocks &+= figures.free_blocks &* figures.block_size
            used &+= (max(figures.blocks, figures.free_blocks) &- figures.free_blocks) &* figures.block_size
        }
        for index in 0..<cpuCount {
            let figures = cache(ofCPU: index)
            result.slabs &+= figures.has_slab
            result.cached &+= figures.cached
        }
        let small = max(used, result.cached) &- result.cached
        result.application = withhold(PERCOLATE_OBSERVED_WITHHELD_BYTES, from: small) &+ result.large
    }

    /// `bytes` without those that `counter` counts over all rows, of which one alone may be below
    /// zero.
    private mutating func withhold(_ counter: percolate_observed_counter, from bytes: UInt64) -> UInt64 {
        var withheld: UInt64 = 0
        for row in 0..<Int(heap.pointee.counters.count) { withheld &+= self.counter(counter, row) }
        return bytes &- min(bytes, UInt64(max(Int64(bitPattern: withheld), 0)))
    }

    private mutating func countSlowPaths(_ result: inout percolate_process_figures) {
        for row in 0..<Int(heap.pointee.counters.count) {
            var figures = percolate_cpu_figures()
            count(into: &figures, row)
            result.refills &+= figures.refills
            result.refilled_blocks &+= figures.refilled_blocks
            result.drains &+= figures.drains
            result.drained_blocks &+= figures.drained_blocks
            result.steals &+= figures.steals
            result.stolen_blocks &+= figures.stolen_blocks
            result.capacity_changes &+= figures.capacity_changes
            result.vectors_local &+= figures.vectors_local
            result.vectors_remote &+= figures.vectors_remote
            result.sections_aborted &+= figures.sections_aborted
            result.gates_closed_local &+= figures.gates_closed_local
            result.gates_closed_remote &+= figures.gates_closed_remote
            result.direct_allocations &+= figures.direct_allocations
            result.direct_frees &+= figures.direct_frees
            // Frees are read first: each was an allocation before.
            result.large_frees &+= counter(PERCOLATE_OBSERVED_LARGE_FREES, row)
            result.large_allocations &+= counter(PERCOLATE_OBSERVED_LARGE_ALLOCATIONS, row)
            result.emergency_allocations &+= counter(PERCOLATE_OBSERVED_EMERGENCY_ALLOCATIONS, row)
        }
        result.served_blocks = result.refilled_blocks &+ result.direct_allocations &+ result.large_allocations
    }

    private mutating func counter(_ counter: percolate_observed_counter, _ row: Int) -> UInt64 {
        let column = percolate_observed_column(heap, counter).pointee
        return word(record(heap.pointee.counters, row) &+ UInt64(column) &* 8)
    }

    /// The figures of size class `number`, in spans and caches.
    public mutating func sizeClass(_ number: Int) -> percolate_class_figures {
        var result = spans(ofClass: number)
        for index in 0..<cpuCount {
            let slab = slab(ofCPU: index)
            if slab != 0 { result.cached_blocks &+= cachedBlocks(header: word(header(slab, number))) }
        }
        return result
    }

    private mutating func spans(ofClass number: Int) -> percolate_class_figures {
        var result = percolate_class_figures()
        let info = record(heap.pointee.classes, number)
        var size: UInt32 = 0
        var pages: UInt16 = 0
        var blocks: UInt16 = 0
        memory.copy(4, from: info &+ UInt64(heap.pointee.block_size_offset), to: &size)
        memory.copy(2, from: info &+ UInt64(heap.pointee.span_pages_offset), to: &pages)
        memory.copy(2, from: info &+ UInt64(heap.pointee.span_blocks_offset), to: &blocks)
        result.block_size = UInt64(size)
        result.span_size = UInt64(pages) &* heap.pointee.page_size
        for list in lists(ofClass: number) { count(list, into: &result) }
        count(Int(heap.pointee.lists.count) &- Int(heap.pointee.classes.count) &+ number, into: &result)
        result.blocks = result.spans &* UInt64(blocks)
        return result
    }

    private mutating func count(_ list: Int, into result: inout percolate_class_figures) {
        let address = record(heap.pointee.lists, list)
        result.spans &+= word(address &+ UInt64(heap.pointee.span_count_offset))
        result.free_blocks &+= word(address &+ UInt64(heap.pointee.free_blocks_offset))
    }

    private func lists(ofClass number: Int) -> Range<Int> {
        let wholeLines = Int(heap.pointee.first_of_whole_lines)
        let bits = (Int(heap.pointee.shard_bits.0), Int(heap.pointee.shard_bits.1))
        let isShared = number < wholeLines
        let first = isShared ? number &<< bits.0 : wholeLines &<< bits.0 &+ (number &- wholeLines) &<< bits.1
        return first..<(first &+ 1 &<< (isShared ? bits.0 : bits.1))
    }

    /// The figures of the caches of index `index`, and what was counted there.
    public mutating func cpu(_ index: Int) -> percolate_cpu_figures {
        var result = cache(ofCPU: index)
        if index < Int(heap.pointee.counters.count) { count(into: &result, index) }
        return result
    }

    private mutating func cache(ofCPU index: Int) -> percolate_cpu_figures {
        var result = percolate_cpu_figures()
        result.index = UInt64(index)
        let slab = slab(ofCPU: index)
        guard slab != 0 else { return result }
        result.has_slab = 1
        let cache = record(heap.pointee.caches, index)
        result.capacity = word(cache &+ UInt64(heap.pointee.capacity_offset))
        result.budget = word(cache &+ UInt64(heap.pointee.budget_offset))
        for number in 0..<classCount {
            let blocks = cachedBlocks(header: word(header(slab, number &+ 1)))
            guard blocks != 0 else { continue }
            var size: UInt32 = 0
            let info = record(heap.pointee.classes, number &+ 1)
            memory.copy(4, from: info &+ UInt64(heap.pointee.block_size_offset), to: &size)
            result.cached_blocks &+= blocks
            result.cached &+= blocks &* UInt64(size)
        }
        return result
    }

    private mutating func slab(ofCPU index: Int) -> UInt64 {
        word(record(heap.pointee.caches, index) &+ UInt64(heap.pointee.slab_offset))
    }

    private func header(_ slab: UInt64, _ number: Int) -> UInt64 {
        slab &+ UInt64(heap.pointee.headers_offset) &+ UInt64(number) &* 8
    }

    private func cachedBlocks(header: UInt64) -> UInt64 {
        let current = header & 0xffff
        let begin = header &>> 32 & 0xffff
        return max(current, begin) &- begin
    }

    private mutating func count(into result: inout percolate_cpu_figures, _ row: Int) {
        result.refills = counter(PERCOLATE_OBSERVED_REFILLS, row)
        result.refilled_blocks = counter(PERCOLATE_OBSERVED_REFILLED_BLOCKS, row)
        result.drains = counter(PERCOLATE_OBSERVED_DRAINS, row)
        result.drained_blocks = counter(PERCOLATE_OBSERVED_DRAINED_BLOCKS, row)
        result.steals = counter(PERCOLATE_OBSERVED_STEALS, row)
        result.stolen_blocks = counter(PERCOLATE_OBSERVED_STOLEN_BLOCKS, row)
        result.capacity_changes = counter(PERCOLATE_OBSERVED_CAPACITY_CHANGES, row)
        result.vectors_local = counter(PERCOLATE_OBSERVED_VECTORS_LOCAL, row)
        result.vectors_remote = counter(PERCOLATE_OBSERVED_VECTORS_REMOTE, row)
        result.sections_aborted = counter(PERCOLATE_OBSERVED_SECTIONS_ABORTED, row)
        result.gates_closed_local = counter(PERCOLATE_OBSERVED_GATES_CLOSED_LOCAL, row)
        result.gates_closed_remote = counter(PERCOLATE_OBSERVED_GATES_CLOSED_REMOTE, row)
        result.direct_allocations = counter(PERCOLATE_OBSERVED_DIRECT_ALLOCATIONS, row)
        result.direct_frees = counter(PERCOLATE_OBSERVED_DIRECT_FREES, row)
    }
}
