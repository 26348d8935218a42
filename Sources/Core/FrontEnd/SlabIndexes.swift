/// The indexes of the caches that have a slab, as far as the caller sees them without a lock.
///
/// It ends at the last of them. So the records of CPUs that the process never ran on stay
/// untouched: reading one would cost a page fault.
struct SlabIndexes {
    private var index = 0
    private var left = FrontEnd.state.pointee.slabCount.load(ordering: .relaxed)

    @inline(__always)
    mutating func next() -> Int? {
        guard left > 0 else { return nil }
        while index < FrontEnd.indexCount {
            index &+= 1
            if FrontEnd.caches[index &- 1].pointee.slab != 0 {
                left &-= 1
                return index &- 1
            }
        }
        return nil
    }
}
