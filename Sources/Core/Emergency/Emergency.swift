/// Blocks for those who cannot wait for a lock, wherever they lie.
enum Emergency {
    @inline(__always)
    static func owns(_ block: UInt) -> Bool { EmergencyRegion.contains(block) || EmergencyMappings.contains(block) }

    /// A zeroed or a used block: the caller zeroes what must be zero.
    static func allocate(_ count: Int, alignment: Int) -> UInt {
        tally(.emergencyAllocations, at: 0)
        let block = count <= Int(EmergencyRegion.size) / 8 ? EmergencyRegion.allocate(count, alignment: alignment) : 0
        return block != 0 ? block : EmergencyMappings.allocate(count, alignment: alignment)
    }

    static func usableSize(_ block: UInt) -> Int {
        EmergencyRegion.contains(block) ? EmergencyRegion.usableSize(block) : EmergencyMappings.usableSize(block)
    }

    static func free(_ block: UInt) {
        if EmergencyRegion.contains(block) { EmergencyRegion.free(block) } else { EmergencyMappings.free(block) }
    }
}

extension Counter {
    static var emergencyAllocations: Counter { Counter(16) }
}
