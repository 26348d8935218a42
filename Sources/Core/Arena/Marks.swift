import CPercolate
import Synchronization

/// Whether each small block is handed out: what `free` looks at under `hardened=basic`.
///
/// A mark is a byte. The blocks of a class lie at least 2^g bytes apart, g from 4 to 8 by the
/// class, so `address >> g` numbers them, and each g has an array: the marks of many blocks lie in
/// one cache line, since a random one is what a look-up costs most. An entry for each class, in
/// the tables of the fast path, says where: `(array - (arena.base >> g)) << 8 | g`.
///
/// A block that is handed out has the low byte of its address and one as its mark. That is exact,
/// although an address inside a block may have the mark of the block: multiples of 16 that have one
/// mark differ in the low byte, and nothing else is looked up. `free` is 2, and 0 says nothing: no
/// multiple of 16 comes to either. A block that says nothing was handed out before the process was
/// hardened; then the span is looked up. Blocks of 8 bytes would share marks: none are made any
/// more, and old ones are looked up.
///
/// The owner of a block is the only one who may write its mark, so the fast path needs no atomic
/// operation: `malloc` writes it after the block left the cache, `free` before the block goes
/// there. Blocks that enter a cache from below are marked `free` first, whatever was there. The
/// blocks of a span that is given up are free, so what an array holds from another use of a page is
/// `free` or nothing.
struct Marks {
    static var free: UInt8 { UInt8(PERCOLATE_MARK_FREE) }

    static func live(_ block: UInt) -> UInt8 {
        UInt8(truncatingIfNeeded: block) &+ UInt8(PERCOLATE_MARK_LIVE)
    }

    private static var shifts: ClosedRange<UInt> { UInt(PERCOLATE_MARK_ALIGNMENT)...8 }

    /// One for each of `shifts`.
    private var arrays = InlineArray<5, Reservation>(repeating: Reservation())
    private var isStarted = false

    /// Makes the arrays of an arena of `pages` pages. The lock of growth is held, here and in
    /// `grow`, or the process has one thread.
    mutating func start(pages: Int) -> Bool {
        for index in arrays.indices {
            guard let array = Reservation.reserve(Self.size(pages, index)) else { return giveUp() }
            arrays[index] = array
        }
        isStarted = true
        return grow(toPages: publishedPages) || giveUp()
    }

    /// Returns false.
    private mutating func giveUp() -> Bool {
        for index in arrays.indices where arrays[index].size > 0 {
            _ = percolate_munmap(arrays[index].address, Int(arrays[index].size))
            arrays[index] = Reservation()
        }
        isStarted = false
        return false
    }

    /// Bytes of an array, for so many pages of blocks.
    private static func size(_ pages: Int, _ index: Int) -> UInt {
        let bytes = UInt(pages) &<< UInt(PERCOLATE_PAGE_SHIFT)
        return roundUp(bytes &>> (shifts.lowerBound &+ UInt(index)), Reservation.pageSize)
    }

    /// Makes the marks of the first `pages` pages usable.
    mutating func grow(toPages pages: Int) -> Bool {
        guard isStarted else { return true }
        for index in arrays.indices {
            guard arrays[index].commit(Self.size(pages, index)) else { return false }
        }
        return true
    }

    /// Says where the marks of a class are whose blocks have `size` bytes.
    func place(_ sizeClass: Int, size: Int) {
        let power = UInt(Int.bitWidth &- 1 &- size.leadingZeroBitCount)
        let shift = min(power, Self.shifts.upperBound)
        let array = Int(arrays[Int(shift &- Self.shifts.lowerBound)].address)
        Self.entry(sizeClass).pointee = Self.entry(of: array &- Int(arena.base &>> shift), shift)
    }

    /// The same of a class whose blocks have none: every address has the byte at `zero`, which
    /// stays
    /// 0.
    func place(_ sizeClass: Int, at zero: UInt) {
        Self.entry(sizeClass).pointee = Self.entry(of: Int(zero), 63)
    }

    private static func entry(of origin: Int, _ shift: UInt) -> Int {
        origin &<< Int(PERCOLATE_MARK_SHIFT_BITS) | Int(shift)
    }

    @inline(__always)
    private static func entry(_ sizeClass: Int) -> UnsafeMutablePointer<Int> {
        pointer(UInt(front.tables) &+ UInt(PERCOLATE_TABLE_MARKS) &+ UInt(sizeClass) &* 8)
    }

    @inline(__always)
    private func cell(_ block: UInt, _ sizeClass: Int) -> UnsafeMutablePointer<Atomic<UInt8>> {
        let entry = Self.entry(sizeClass).pointee
        let shift = UInt(bitPattern: entry) & (1 &<< UInt(PERCOLATE_MARK_SHIFT_BITS) &- 1)
        let origin = UInt(bitPattern: entry &>> Int(PERCOLATE_MARK_SHIFT_BITS))
        return pointer(origin &+ block &>> shift)
    }

    /// What is known of the block at `block`, which is one of its class.
    func value(_ block: UInt, _ sizeClass: Int) -> UInt8 {
        cell(block, sizeClass).pointee.load(ordering: .relaxed)
    }

    /// A thread that was about to hand out a block of 8 bytes when the process was hardened comes
    /// here with class 1, which has no marks.
    func set(_ block: UInt, _ sizeClass: Int, _ value: UInt8) {
        guard sizeClass > 1 else { return }
        cell(block, sizeClass).pointee.store(value, ordering: .relaxed)
    }

    /// Marks a block free. False when it was marked so.
    func free(_ block: UInt, _ sizeClass: Int) -> Bool {
        cell(block, sizeClass).pointee.exchange(Self.free, ordering: .relaxed) != Self.free
    }
}
