/// The ends of values.
extension HeapArena {
    /// What is to be done when the arena ends.
    @safe @usableFromInline
    struct Cleanup {
        let previous: UnsafeMutablePointer<Cleanup>?
        let end: any ArenaCleanup.Type
        let start: UnsafeMutableRawPointer
        let count: Int

        @usableFromInline
        init(
            previous: UnsafeMutablePointer<Cleanup>?, end: any ArenaCleanup.Type,
            start: UnsafeMutableRawPointer,
            count: Int
        ) {
            unsafe self.previous = unsafe previous
            self.end = end
            unsafe self.start = unsafe start
            self.count = count
        }
    }

    /// Makes the arena the owner of elements that are initialized now.
    @inlinable
    func own<Element: ~Copyable>(_ room: ArenaRoom<Element>) {
        guard let record = unsafe room.cleanup else { return }
        unsafe record.initialize(
            to: Cleanup(
                previous: state.pointee.lastCleanup, end: ElementCleanup<Element>.self,
                start: UnsafeMutableRawPointer(room.start), count: room.elements.count))
        unsafe state.pointee.lastCleanup = record
    }

    func endValues() {
        #if DEBUG
            for canary in unsafe state.pointee.canaries { canary.check() }
        #endif
        while let cleanup = unsafe state.pointee.lastCleanup {
            unsafe state.pointee.lastCleanup = cleanup.pointee.previous
            unsafe cleanup.pointee.end.end(cleanup.pointee.start, cleanup.pointee.count)
        }
    }
}

@usableFromInline
protocol ArenaCleanup {
    static func end(_ start: UnsafeMutableRawPointer, _ count: Int)
}

@usableFromInline
enum ElementCleanup<Element: ~Copyable>: ArenaCleanup {
    @usableFromInline
    static func end(_ start: UnsafeMutableRawPointer, _ count: Int) {
        unsafe start.assumingMemoryBound(to: Element.self).deinitialize(count: count)
    }
}

/// Room for elements, and for the record of their end if that has an effect: both exist before the
/// first element does, so that no element is left without an owner.
@safe @usableFromInline
struct ArenaRoom<Element: ~Copyable> {
    @usableFromInline let start: UnsafeMutablePointer<Element>
    @usableFromInline let elements: UnsafeMutableBufferPointer<Element>
    @usableFromInline let cleanup: UnsafeMutablePointer<HeapArena.Cleanup>?

    @inlinable
    init(of type: Element.Type, count: Int, in arena: borrowing HeapArena) throws(AllocationError) {
        let byteCount = try ProcessHeap.byteCount(of: Element.self, count)
        if isTrivial(Element.self) || count == 0 {
            unsafe cleanup = nil
        } else {
            let record = unsafe try arena.reserve(
                byteCount: MemoryLayout<HeapArena.Cleanup>.size,
                alignment: MemoryLayout<HeapArena.Cleanup>.alignment)
            unsafe cleanup = record.bindMemory(to: HeapArena.Cleanup.self, capacity: 1)
        }
        let memory = unsafe try arena.reserve(
            byteCount: byteCount, alignment: MemoryLayout<Element>.alignment)
        unsafe start = memory.bindMemory(to: Element.self, capacity: count)
        unsafe elements = UnsafeMutableBufferPointer(start: start, count: count)
    }
}
