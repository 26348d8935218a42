import CPercolate

/// The heap's operations: what the entry points call when the fast path could not. Addresses are
/// integers; 0 stands for none. Safe in any thread; in signal handlers as far as the emergency
/// region reaches.
extension Heap {
    /// Most bytes of a block: no object may be larger (C23, PTRDIFF_MAX).
    static var largestRequest: Int { Int.max &- 65536 }

    static var largestAlignment: UInt { 1 << 46 }

    /// A block of `size` bytes at a multiple of `alignment`, a power of two: 1 for the alignment
    /// that every block has. `zeroed` asks for bytes that read as zero.
    static func allocate(_ size: UInt, alignment: UInt = 1, zeroed: Bool = false) -> UInt {
        guard size <= UInt(largestRequest), alignment <= largestAlignment else { return 0 }
        let size = Int(size)
        guard ensureStarted() else {
            // A call inside start-up: of a handler that interrupted it, or of start-up itself.
            // There is no memory when start-up failed for good.
            return phase == .cold ? Refusal.allocate(size, alignment: Int(alignment), zeroed: zeroed) : 0
        }
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
        if number != 0 { return allocateSmall(number, size, alignment: Int(alignment), zeroed: zeroed) }
        return allocateLarge(size, alignment: Int(alignment), zeroed: zeroed)
    }

    private static func allocateSmall(_ number: Int, _ size: Int, alignment: Int, zeroed: Bool) -> UInt {
        switch FrontEnd.allocate(number) {
        case .given(let block):
            noteUnchecked(block, number)
            if zeroed { percolate_zero(block, size) }
            return block
        case .noMemory: return 0
        case .refused: return Refusal.allocate(SizeClass.size(ofClass: number), alignment: alignment, zeroed: zeroed)
        }
    }

    /// Frees a block. Ends the process when `address` is none of ours.
    static func free(_ address: UInt) { free(address, alignment: nil) }

    /// - Parameter alignment: what the caller says that was asked for; nil when it does not say.
    static func free(_ address: UInt, alignment: UInt?) {
        guard address != 0 else { return }
        if isForEmergencies(address) { return Emergency.free(address) }
        takeDeferred()
        Requests.serve()
        if GuardedBlocks.owns(address) {
            return GuardedBlocks.free(address, expectedAlignment: alignment)
        }
        if Hardening.isFull, freeHardened(address, alignment: alignment) { return }
        if let alignment { refuseMisaligned(address, alignment) }
        if Hardening.isBasic { refuseUnmarked(address) }
        freeChecked(address)
    }

    /// Frees a block of which hardening has nothing more to say.
    static func freeChecked(_ address: UInt) {
        if GuardedBlocks.owns(address) { return GuardedBlocks.free(address) }
        let number = publishedClass(of: address)
        guard number != 0 else { return freeUnpublished(address) }
        refuseInterior(address, number)
        FrontEnd.free(UInt64(address), number)
    }

    /// Frees a block that was asked for with `size` bytes at a multiple of `alignment` (1: the
    /// default). Ends the process when the block is of another size: the size is checked against
    /// the page's class, never trusted.
    static func free(_ address: UInt, size: UInt, alignment: UInt) {
        guard address != 0 else { return }
        if isForEmergencies(address) { return Emergency.free(address) }
        if GuardedBlocks.owns(address) {
            return GuardedBlocks.free(
                address, expectedSize: Int(min(size, UInt(largestRequest))),
                expectedAlignment: alignment)
        }
        if Hardening.isFull, freeHardened(address, size: size, alignment: alignment) { return }
        refuseMisaligned(address, alignment)
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
            if small, actual != 0, sizeClass(ofSize: Int(size)) == actual {
                refuseInterior(address, actual)
                ProgrammerError.wrongAlignment.report(address, .block(usableSize(address)))
            }
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

    /// Frees what signal handlers could not.
    @inline(__always)
    static func takeDeferred() {
        if !DeferredFrees.isEmpty || !emergencyState.pointee.deferredSpans.isEmpty {
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
