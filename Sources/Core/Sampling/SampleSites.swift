import CPercolate
import Synchronization

/// A change of a record that others read without a lock: `sequence` is odd meanwhile.
@inline(__always)
func changing(_ sequence: UnsafeMutablePointer<UInt32>) {
    let word: UnsafeMutablePointer<Atomic<UInt32>> = pointer(UInt(bitPattern: sequence))
    _ = word.pointee.wrappingAdd(1, ordering: .acquiringAndReleasing)
}

/// The stacks that allocated samples, and what each stands for. Guarded by `Samples.lock`.
enum SampleSites {
    /// The site of a stack, a new one where it is the first time; site 0 for none, and when there
    /// is no room.
    static func find(_ frames: UnsafeMutablePointer<UInt64>, depth: Int) -> UInt32 {
        guard depth > 0 else { return 0 }
        let hash = hash(frames, depth: depth)
        let list = SampleTables.siteLists[Int(hash &>> 50)]
        var number = list.pointee
        while number != 0 {
            let site = SampleTables.site(number)
            if site.pointee.hash == hash, isSame(site, frames, depth) { return number }
            number = site.pointee.next
        }
        number = SampleTables.makeSite(depth: depth)
        guard number != 0 else {
            sampled.lost_sites &+= 1
            return 0
        }
        let site = SampleTables.site(number)
        let own = SampleTables.frame(site.pointee.first_frame)
        for position in 0..<depth { own[position] = frames[position] }
        site.pointee.depth = UInt32(depth)
        site.pointee.hash = hash
        site.pointee.next = list.pointee
        list.pointee = number
        sampled.frame_count &+= UInt64(depth)
        // Only now readers may look at the site.
        changing(sequence(number))
        changing(sequence(number))
        sampled.site_count = UInt64(number) &+ 1
        return number
    }

    /// 64 bits, of which the highest 14 choose the list.
    private static func hash(_ frames: UnsafeMutablePointer<UInt64>, depth: Int) -> UInt64 {
        var hash = UInt64(depth)
        for position in 0..<depth {
            hash = (hash ^ frames[position]) &* 0x9e37_79b9_7f4a_7c15
            hash ^= hash &>> 29
        }
        return hash &* 0xbf58_476d_1ce4_e5b9
    }

    private static func isSame(
        _ site: UnsafeMutablePointer<percolate_sample_site>, _ frames: UnsafeMutablePointer<UInt64>, _ depth: Int
    ) -> Bool {
        guard site.pointee.depth == UInt32(depth) else { return false }
        let own = SampleTables.frame(site.pointee.first_frame)
        for position in 0..<depth where own[position] != frames[position] { return false }
        return true
    }

    private static func sequence(_ number: UInt32) -> UnsafeMutablePointer<UInt32> {
        pointer(UInt(bitPattern: SampleTables.site(number)))
    }

    static func add(_ number: UInt32, blocks: Double, size: UInt64) {
        let site = SampleTables.site(number)
        changing(sequence(number))
        site.pointee.live_blocks += blocks
        site.pointee.live_bytes += blocks * Double(size)
        site.pointee.total_blocks += blocks
        site.pointee.total_bytes += blocks * Double(size)
        site.pointee.live_samples &+= 1
        site.pointee.total_samples &+= 1
        changing(sequence(number))
    }

    static func remove(_ number: UInt32, blocks: Double, size: UInt64) {
        let site = SampleTables.site(number)
        changing(sequence(number))
        site.pointee.live_samples &-= 1
        let isLast = site.pointee.live_samples == 0
        // Sums of rounded numbers: the last one leaves exactly nothing.
        site.pointee.live_blocks = isLast ? 0 : site.pointee.live_blocks - blocks
        site.pointee.live_bytes = isLast ? 0 : site.pointee.live_bytes - blocks * Double(size)
        changing(sequence(number))
    }

    /// Makes the lists whole after a thread was lost in them. The lock of the samples is held.
    static func rebuild() {
        for list in 0..<SampleTables.siteBuckets where SampleTables.siteLists[list].pointee != 0 {
            SampleTables.siteLists[list].pointee = 0
        }
        for number in 1..<UInt32(truncatingIfNeeded: sampled.site_count) {
            let site = SampleTables.site(number)
            if site.pointee.sequence & 1 != 0 { changing(sequence(number)) }
            let list = SampleTables.siteLists[Int(site.pointee.hash &>> 50)]
            site.pointee.next = list.pointee
            list.pointee = number
            sampled.frame_count = max(
                sampled.frame_count, site.pointee.first_frame &+ UInt64(site.pointee.depth))
        }
    }
}
