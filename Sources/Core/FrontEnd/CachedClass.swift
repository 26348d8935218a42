import CPercolate

/// One size class of one CPU's cache, with its header as the calling thread saw it.
///
/// Every change is one vector {compare the header; move pointers; store the header}: one that was
/// made for a header that has changed since changes nothing. How a vector runs follows from the
/// mode. Where there are restartable sequences, it is a section on the slab of an open gate. Where
/// there are none (`FrontEnd.Mode.locked`), gates stay closed, and it runs under the lock of the
/// cache.
struct CachedClass {
    let sizeClass: Int
    let index: Int
    let slab: Slab
    /// The header, as it is compared and stored.
    private let word: UInt64

    @inline(__always)
    init(_ sizeClass: Int, at index: Int, in slab: Slab) {
        self.sizeClass = sizeClass
        self.index = index
        self.slab = slab
        word = slab.header(sizeClass).word
    }

    /// The class in the cache of the CPU that the calling thread runs on. The cache is set up if it
    /// must be. Nil where the thread has to go around the caches.
    ///
    /// - Parameter cpu: set to the CPU's index, where the thread has one.
    @inline(__always)
    static func ofThisCPU(_ sizeClass: Int, cpu: inout Int) -> CachedClass? {
        guard let index = FrontEnd.currentIndex() else { return nil }
        cpu = index
        if let slab = FrontEnd.usableSlab(index) { return CachedClass(sizeClass, at: index, in: slab) }
        return afterSetUp(sizeClass, at: index)
    }

    /// A closed gate means that another thread holds the slab, or that there is none yet.
    @inline(never)
    private static func afterSetUp(_ sizeClass: Int, at index: Int) -> CachedClass? {
        guard FrontEnd.caches[index].pointee.slab == 0, FrontEnd.setUp(index),
            let slab = FrontEnd.usableSlab(index)
        else { return nil }
        return CachedClass(sizeClass, at: index, in: slab)
    }

    /// The same class as it is now. The caller has the lock of the cache, so the capacity stays.
    /// Nil where the slab is not to be used.
    func asOfNow() -> CachedClass? {
        guard let slab = FrontEnd.usableSlab(index) else { return nil }
        return CachedClass(sizeClass, at: index, in: slab)
    }

    @inline(__always)
    var header: ClassHeader { ClassHeader(word: word) }

    var blockSize: Int { SizeClass.size(ofClass: sizeClass) }

    // MARK: Blocks

    /// Moves the top `count` blocks to `target`.
    @inline(__always)
    func pop(_ count: Int, into target: UnsafeMutablePointer<UInt64>) -> MoveVector.Outcome {
        move(
            count, from: slab.words + (header.current &- count), into: target,
            leaving: ClassHeader.word(word, movedBy: 0 &- count))
    }

    /// Moves `count` blocks from `source` into the cache, which has room for them.
    @inline(__always)
    func push(_ count: Int, from source: UnsafePointer<UInt64>) -> MoveVector.Outcome {
        move(count, from: source, into: slab.words + header.current, leaving: ClassHeader.word(word, movedBy: count))
    }

    /// Aborts when `address` is the block freed last. A block below `current` at any moment is
    /// free, so the test is exact although other threads may move the stack meanwhile.
    @inline(__always)
    func refuseDoubleFree(_ address: UInt64) {
        guard header.count > 0 else { return }
        let word = UInt64(UInt(bitPattern: slab.words + (header.current &- 1)))
        guard percolate_operand_load(word, 8) == address else { return }
        // On a weakly ordered machine the header may be that of a push whose pointer is not to be
        // seen yet, and `address` what lay there before, when this thread was given it.
        if !Sequences.areStoresOrdered {
            guard seesPushes(), percolate_operand_load(word, 8) == address else { return }
        }
        ProgrammerError.doubleFree.report(UInt(address), .block(blockSize))
    }

    /// Brings every pointer that a header counts which the thread has seen. Whether that could be
    /// done.
    @inline(never)
    private func seesPushes() -> Bool {
        guard FrontEnd.mode == .locked else { return FrontEnd.sequences.fenceAll() }
        let lock = FrontEnd.lock(index)
        guard lock.acquire() == .entered else { return false }
        lock.release()
        return true
    }

    // MARK: Capacity

    enum Resizing { case resized, noWords, refused }

    /// Gives the class `wanted` words, in its region or in a larger one. The caller has the lock of
    /// the cache.
    func resize(to wanted: Int) -> Resizing {
        guard header.capacity < wanted else { return .refused }
        let cache = FrontEnd.caches[index]
        let old = Int(cache.pointee.regionPowers[sizeClass])
        let isInPlace = old > 0 && wanted <= 1 &<< (old &- 1)
        let power = isInPlace ? old &- 1 : SlabRegions.power(wanted)
        var region = header.begin
        if !isInPlace {
            guard let fresh = cache.pointee.regions.allocate(power: power, in: slab, memory: &cache.pointee.memory)
            else { return .noWords }
            region = fresh
        }
        let after = ClassHeader(
            current: region &+ header.count, begin: region, end: region &+ wanted,
            countdown: header.countdown)
        let outcome = move(
            isInPlace ? 0 : header.count, from: slab.words + header.begin, into: slab.words + region,
            leaving: after.word, holdingLock: true)
        guard outcome == .done else {
            if !isInPlace { cache.pointee.regions.give(region, power: power, in: slab) }
            return .refused
        }
        if !isInPlace, old > 0 { cache.pointee.regions.give(header.begin, power: old &- 1, in: slab) }
        cache.pointee.regionPowers[sizeClass] = UInt8(power &+ 1)
        tally(.capacityChanges, at: index)
        return .resized
    }

    /// Halves the capacity, and moves the blocks that have no room any more to `buffer`, at most as
    /// many as a vector moves. The caller has the lock of the cache.
    ///
    /// - Returns: how many blocks, and how many bytes of capacity, the class lost. Nil where its
    ///   header changed meanwhile.
    func shrink(into buffer: UnsafeMutablePointer<UInt64>) -> (blocks: Int, bytes: UInt)? {
        let end = max(header.begin &+ header.capacity / 2, header.current &- MoveVector.limit)
        let after = ClassHeader(
            current: min(header.current, end), begin: header.begin, end: end, countdown: header.countdown)
        let count = header.current &- after.current
        let outcome = move(
            count, from: slab.words + after.current, into: buffer, leaving: after.word, holdingLock: true)
        guard outcome == .done else { return nil }
        tally(.capacityChanges, at: index)
        return (count, UInt((header.end &- end) &* blockSize))
    }

    /// Moves every block to the middle tier, `batch` by `batch`, and takes the capacity away. The
    /// caller has the lock of the cache, and no section runs on its slab.
    ///
    /// - Returns: the number of blocks.
    func drain(through batch: UnsafeMutablePointer<UInt64>) -> Int {
        var cached = self
        var sum = 0
        while cached.header.count > 0 {
            let part = min(cached.header.count, MoveVector.limit)
            let source = slab.words + (cached.header.current &- part)
            let after = ClassHeader.word(cached.word, movedBy: 0 &- part)
            let vector = cached.vector(part, from: source, into: batch, leaving: after)
            guard vector.interpret() == .done else { break }
            tally(.vectorsRemote, at: index)
            Middle.free(sizeClass, batch, part)
            sum &+= part
            cached = CachedClass(sizeClass, at: index, in: slab)
        }
        announceDrain(sum, ofSize: blockSize, at: index)
        slab.headerWord(sizeClass).pointee = Countdown.emptyHeader(sizeClass)
        return sum
    }

    // MARK: Vectors

    @inline(__always)
    private func vector(
        _ count: Int, from source: UnsafePointer<UInt64>, into target: UnsafeMutablePointer<UInt64>,
        leaving after: UInt64
    ) -> MoveVector {
        MoveVector(
            gate: FrontEnd.gate(index), open: slab.address, header: slab.headerWord(sizeClass), expected: word,
            replacement: after, target: target, source: source, count: count)
    }

    /// Moves `count` pointers and stores the header `after`, if the header is what it was.
    ///
    /// - Parameter holdingLock: whether the caller has the lock of the cache.
    @inline(__always)
    private func move(
        _ count: Int, from source: UnsafePointer<UInt64>, into target: UnsafeMutablePointer<UInt64>,
        leaving after: UInt64, holdingLock: Bool = false
    ) -> MoveVector.Outcome {
        guard FrontEnd.mode == .locked else {
            let vector = vector(count, from: source, into: target, leaving: after)
            return holdingLock ? vector.runHoldingLock(FrontEnd.sequences) : vector.run(FrontEnd.sequences)
        }
        // Gates stay closed: the lock is enough.
        let lock = FrontEnd.lock(index)
        guard holdingLock || lock.acquire() == .entered else { return .closed }
        defer { if !holdingLock { lock.release() } }
        // Full hardening may have emptied the cache for good since the mode was read.
        guard FrontEnd.mode == .locked else { return .closed }
        let current = slab.headerWord(sizeClass)
        guard current.pointee == word else { return .differs }
        if count == 1 { target.pointee = source.pointee } else { target.update(from: source, count: count) }
        // A thread that is lost in between takes at most the blocks in its hands with it.
        percolate_compiler_barrier()
        current.pointee = after
        return .done
    }
}
