import CPercolate

/// How large blocks are, and how they change their size.
extension Heap {
    /// The usable bytes of the block that `allocate(size, alignment:)` would give. 0 for a request
    /// beyond every block, and where the heap cannot start.
    static func blockSize(_ size: UInt, alignment: UInt) -> UInt {
        guard size <= UInt(largestRequest), alignment <= largestAlignment, ensureStarted() else { return 0 }
        if Hardening.isFull { return size }
        if alignment <= Arena.pageSize, let number = sizeClass(ofSize: Int(size), alignment: Int(alignment)) {
            return UInt(sizeClasses[number].pointee.size)
        }
        return UInt(largeBlockSize(Int(size)))
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
}
