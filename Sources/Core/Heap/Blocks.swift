import CPercolate

/// The heap's operations: what the entry points call when the fast path could not. Addresses are
/// integers; 0 stands for none. Safe in any thread; in signal handlers as far as the emergency
/// region reaches.
extension Heap {
    /// Most bytes of a block: no object may be larger (C23, PTRDIFF_MAX).
    static var largestRequest: Int { Int.max &- 65536 }

    /// A block of `size` bytes. `zeroed` asks for bytes that read as zero.
    static func allocate(_ size: UInt, zeroed: Bool = false) -> UInt {
        guard size <= UInt(largestRequest) else { return 0 }
        let size = Int(size)
        guard ensureStarted() else { return allocateInEmergency(size, alignment: 16, zeroed: zeroed) }
        takeDeferred()
        Requests.serve()
        if Hardening.isFull {
            return noteSample(allocateHardened(size, alignment: 1, zeroed: zeroed), size)
        }
        if Countdown.isOn {
            let number = size <= SizeClass.largest ? sizeClass(ofSize: size) : 0
            let block = allocateSampled(size, alignment: 1, sizeClass: number, zeroed: zeroed)
            if block != 0 { return block }
        }
        if size <= SizeClass.largest {
            let block = allocateSmall(sizeClass(ofSize: size), alignment: 16)
            if zeroed, block != 0 { percolate_zero(block, size) }
            return block
        }
        return allocateLarge(size, alignment: 1, zeroed: zeroed)
    }

    private static var largestAlignment: UInt { 1 << 46 }

    /// A block of `size` bytes at a multiple of `alignment`, a power of two.
    static func allocate(_ size: UInt, alignment: UInt, zeroed: Bool = false) -> UInt {
        guard size <= UInt(largestRequest), alignment <= largestAlignment else { return 0 }
        let size = Int(size)
        guard ensureStarted() else { return allocateInEmergency(size, alignment: Int(alignment), zeroed: zeroed) }
        takeDeferred()
        Requests.serve()
        if Hardening.isFull {
            return noteSample(allocateHardened(size, alignment: Int(alignment), zeroed: zeroed), size)
        }
        let number = alignment <= Arena.pageSize ? sizeClass(ofSize: size, alignment: Int(alignment)) ?? 0 : 0
        if Countdown.isOn {
            let block = allocateSampled(size, alignment: Int(alignment), sizeClass: number, zeroed: zeroed)
            if block != 0 { return block }
        }
        if number != 0 {
            let block = allocateSmall(number, alignment: Int(alignment))
            if zeroed, block != 0 { percolate_zero(block, size) }
            return block
        }
        return allocateLarge(size, alignment: Int(alignment), zeroed: zeroed)
    }

    /// The usable bytes of the block that `allocate(size, alignment:)` would give. 0 for a request
    /// beyond every block, and where the heap cannot start.
    static func blockSize(_ size: UInt, alignment: UInt) -> UInt {
        guard size <= UInt(largestRequest), alignment <= largestAlignment, ensureStarted() else { return 0 }
        if Hardening.isFull { return size }
        if alignment <= Arena.pageSize, let number = sizeClass(ofSize: Int(size), alignment: Int(alignment)) {
            return UInt(sizeClasses[number].pointee.size)
        }
        return roundUp(max(size, 1), Reservation.pageSize)
    }

    /// Resizes a block without moving it: a small one keeps its class, a large one stays large.
    /// Whether it could be done.
    static func resizeInPlace(_ address: UInt, _ size: UInt) -> Bool {
        guard !isForEmergencies(address) else { return size <= UInt(Emergency.usableSize(address)) }
        if GuardedBlocks.owns(address) { return UInt(GuardedBlocks.usableSize(address)) == size }
        var usable = 0
        if Hardening.isFull, let resized = resizeNotedHardened(address, size, usable: &usable) {
            return resized != 0
        }
        let number = pageClass(of: address)
        guard number == 0 else {
            refuseInterior(address, number)
            return size <= UInt(SizeClass.largest) && sizeClass(ofSize: Int(size)) == number
        }
        guard size > UInt(SizeClass.largest), size <= UInt(largestRequest) else { return false }
        guard !spans[largeSpan(at: address)].pointee.isSampled, !Countdown.isOn else {
            return resizeLargeSampled(address, to: Int(size), mayMove: false) != 0
        }
        return resizeLarge(address, to: Int(size), mayMove: false) != 0
    }

    /// Whether `address` lies in memory that blocks come from.
    static func owns(_ address: UInt) -> Bool {
        isInArena(address) || Emergency.owns(address) || GuardedBlocks.owns(address)
    }

    private static func allocateSmall(_ number: Int, alignment: Int) -> UInt {
        let (address, supply) = FrontEnd.allocate(number)
        guard case .interrupted = supply else {
            if address != 0 { noteUnchecked(UInt(address), number) }
            return UInt(address)
        }
        return Emergency.allocate(Int(sizeClasses[number].pointee.size), alignment: alignment)
    }

    /// Notes a small block that is about to be handed out, unless the process is fully hardened: if
    /// it became so meanwhile, the block is one from before.
    @inline(__always)
    private static func noteUnchecked(_ block: UInt, _ number: Int) {
        switch Hardening.level {
        case .off: break
        case .basic: marks.set(block, number, Marks.live(block))
        case .full:
            records.existing(block, RecordTable.power(forBlocksOf: sizeClasses[number].pointee.size))?.pointee.forget()
        }
    }

    /// For calls inside start-up, of a handler that interrupted it or of start-up itself. None when
    /// start-up failed for good.
    private static func allocateInEmergency(_ size: Int, alignment: Int, zeroed: Bool = false) -> UInt {
        guard phase == .cold else { return 0 }
        let block = Emergency.allocate(size, alignment: alignment)
        if zeroed, block != 0 { percolate_zero(block, size) }
        return block
    }

    /// Frees a block. Ends the process when `address` is none of ours.
    static func free(_ address: UInt) {
        guard address != 0 else { return }
        if isForEmergencies(address) { return Emergency.free(address) }
        takeDeferred()
        Requests.serve()
        if GuardedBlocks.owns(address) { return GuardedBlocks.free(address) }
        if Hardening.isFull, freeHardened(address) { return }
        if Hardening.isBasic { refuseUnmarked(address) }
        freeChecked(address)
    }

    /// Frees a block whose mark says so already (`Marks`).
    static func freeMarked(_ address: UInt) {
        if Counting.isActive {
            let number = publishedClass(of: address)
            marks.set(address, number, Marks.live(address))
            _ = Counting.noteFree(address)
            marks.set(address, number, Marks.free)
        }
        takeDeferred()
        freeChecked(address)
    }

    private static func freeChecked(_ address: UInt) {
        if GuardedBlocks.owns(address) { return GuardedBlocks.free(address) }
        let number = publishedClass(of: address)
        guard number != 0 else { return freeUnpublished(address) }
        refuseInterior(address, number)
        FrontEnd.free(UInt64(address), number)
    }

    /// Frees a block that was asked for with `size` bytes at a multiple of `alignment` (0: the
    /// default). Ends the process when the block is of another size: the size is checked against
    /// the page's class, never trusted.
    static func free(_ address: UInt, size: UInt, alignment: UInt) {
        guard address != 0 else { return }
        if isForEmergencies(address) { return Emergency.free(address) }
        if GuardedBlocks.owns(address) {
            return GuardedBlocks.free(address, expectedSize: Int(min(size, UInt(largestRequest))))
        }
        if Hardening.isFull, freeHardened(address, size: size, alignment: alignment) { return }
        let actual = pageClass(of: address)
        let small = size <= UInt(SizeClass.largest) && alignment <= Arena.pageSize
        var expected = 0
        if small {
            expected =
                alignment <= 1
                ? sizeClass(ofSize: Int(size)) : sizeClass(ofSize: Int(size), alignment: Int(alignment)) ?? 0
        }
        // A block of 8 bytes from before the process was hardened.
        let isOld = actual == 1 && expected == 2 && size <= 8 && Hardening.level != .off
        guard expected == actual || isOld else {
            ProgrammerError.wrongSize.report(address, .block(usableSize(address)))
        }
        if actual != 0 {
            refuseInterior(address, actual)
            guard publishedClass(of: address) != 0 else { return freeUnpublished(address) }
            if Hardening.isBasic { refuseUnmarked(address) }
            FrontEnd.free(UInt64(address), actual)
        } else {
            freeUnpublished(address, expectedSize: Int(min(size, UInt(largestRequest))))
        }
    }

    /// Resizes a block where it is, or by moving its pages. The new address; 0 when only a new
    /// block and a copy will do.
    ///
    /// - Parameter usable: set to the bytes that the old block had.
    static func resize(_ address: UInt, _ size: UInt, usable: inout Int) -> UInt {
        guard !isForEmergencies(address) else {
            usable = Emergency.usableSize(address)
            return 0
        }
        if GuardedBlocks.owns(address) {
            usable = GuardedBlocks.usableSize(address)
            return UInt(usable) == size ? address : 0
        }
        if Hardening.isFull, let resized = resizeNotedHardened(address, size, usable: &usable) { return resized }
        let number = pageClass(of: address)
        guard number != 0 else {
            let id = largeSpan(at: address, .useAfterFree)
            usable = usableLargeSize(id)
            guard size > UInt(SizeClass.largest), size <= UInt(largestRequest) else { return 0 }
            guard !spans[id].pointee.isSampled, !Countdown.isOn else {
                return resizeLargeSampled(address, to: Int(size))
            }
            return resizeLarge(address, to: Int(size))
        }
        refuseInterior(address, number)
        if Hardening.isBasic { refuseFreed(address, number) }
        usable = Int(sizeClasses[number].pointee.size)
        // A block keeps its class or moves, so that its size says its class for as long as it
        // lives.
        return size <= UInt(SizeClass.largest) && sizeClass(ofSize: Int(size)) == number ? address : 0
    }

    /// Resizes a block. The new address, 0 when there is no memory; then the old block stays.
    static func reallocate(_ address: UInt, _ size: UInt) -> UInt {
        var old = 0
        let resized = resize(address, size, usable: &old)
        if resized != 0 { return resized }
        let block = allocate(size)
        guard block != 0 else { return 0 }
        percolate_copy(block, address, min(old, Int(size)))
        free(address)
        return block
    }

    /// Bytes that may be used of the block at `address`. Ends the process when it is none of ours.
    static func usableSize(_ address: UInt) -> Int {
        if isForEmergencies(address) { return Emergency.usableSize(address) }
        if GuardedBlocks.owns(address) { return GuardedBlocks.usableSize(address) }
        if Hardening.isFull, let size = usableSizeHardened(address) { return size }
        let number = pageClass(of: address)
        guard number != 0 else { return usableLargeSize(largeSpan(at: address, .useAfterFree)) }
        refuseInterior(address, number)
        if Hardening.isBasic { refuseFreed(address, number) }
        return Int(sizeClasses[number].pointee.size)
    }

    /// Whether `address` is a block for emergencies: those lie outside the arena, which is quicker
    /// to know.
    @inline(__always)
    private static func isForEmergencies(_ address: UInt) -> Bool { !isInArena(address) && Emergency.owns(address) }

    /// Whether `address` lies among the pages that blocks come from.
    @inline(__always)
    private static func isInArena(_ address: UInt) -> Bool {
        (address &- arena.base) &>> UInt(PERCOLATE_PAGE_SHIFT) < UInt(bitPattern: publishedPages)
    }

    /// The size class of the block at `address`, 0 for a large block. Ends the process for an
    /// address outside the arena.
    static func pageClass(of address: UInt) -> Int {
        let number = publishedClass(of: address)
        return number != 0 ? number : Middle.sampledClass(ofPage: Middle.page(of: address))
    }

    /// The same as the fast path sees it: 0 for samples, too.
    static func publishedClass(of address: UInt) -> Int {
        guard isInArena(address) else { ProgrammerError.foreignPointer.report(address, .elsewhere) }
        let classes = Table<UInt8>(address: arenaState.pointee.pageClasses.address)
        return Int(classes[Middle.page(of: address)].pointee)
    }

    /// Ends the process when `address` is not the start of a block of its class.
    private static func refuseInterior(_ address: UInt, _ number: Int) {
        let id = spans.span(of: Middle.page(of: address))
        guard id != 0 else { return }
        let offset = address &- arena.address(Int(spans[id].pointee.firstPage))
        let info = sizeClasses[number].pointee
        guard info.block(at: offset) != nil else {
            ProgrammerError.interiorPointer.report(address, .block(Int(info.size)))
        }
    }

    /// Under basic hardening, before a small block is freed: ends the process unless the block is
    /// handed out, and marks it free.
    private static func refuseUnmarked(_ address: UInt) {
        let number = publishedClass(of: address)
        guard number != 0 else { return }
        refuseInterior(address, number)
        let size = Int(sizeClasses[number].pointee.size)
        // A block that is not marked is from before, unless its span has it.
        if number == 1 || marks.value(address, number) == 0 {
            guard !Middle.isFree(UInt64(address), number) else {
                ProgrammerError.notAllocated.report(address, .block(size))
            }
        }
        guard number == 1 || marks.free(address, number) else {
            ProgrammerError.doubleFree.report(address, .block(size))
        }
    }

    /// The same before a block is resized, or its size said.
    private static func refuseFreed(_ address: UInt, _ number: Int) {
        guard number != 1, publishedClass(of: address) != 0,
            marks.value(address, number) == Marks.free
        else { return }
        ProgrammerError.useAfterFree.report(address, .block(Int(sizeClasses[number].pointee.size)))
    }

    /// Frees what signal handlers could not.
    @inline(__always)
    static func takeDeferred() {
        if !DeferredFrees.isEmpty || !middleState.pointee.deferredSpans.isEmpty {
            takeAllDeferred()
        }
    }

    @inline(never)
    private static func takeAllDeferred() {
        guard !Visit.isNested else { return }
        DeferredFrees.takeAll { block in
            if Hardening.isFull { _ = forgetNoted(block) }
            freeChecked(block)
        }
        Middle.freeDeferredSpans()
    }
}
