import CLinux
import Glibc
import SystemPackage

/// The memory through which the kernel hands over the records of one CPU's events, oldest first.
final class PerfRing {
    private let page: UnsafeMutableRawPointer
    private let size: Int
    private let mapped: Int
    private var scratch: [UInt8] = []

    /// Bytes of a ring, unless the kernel grants less.
    private static let largest = 2 << 20
    private static let smallest = 64 << 10

    /// Maps the ring of `event`, as large as this process may have it.
    init(of event: Int32) throws(TraceFailure) {
        let pageSize = sysconf(Int32(_SC_PAGESIZE))
        var size = Self.largest
        while true {
            // One page of pointers, then a power of two of pages of records.
            let mapped = pageSize + size
            let page = mmap(nil, mapped, PROT_READ | PROT_WRITE, MAP_SHARED, event, 0)
            if let page, page != MAP_FAILED {
                (self.page, self.size, self.mapped) = (page, size, mapped)
                return
            }
            // Locked memory is limited: without CAP_IPC_LOCK to
            // /proc/sys/kernel/perf_event_mlock_kb and RLIMIT_MEMLOCK.
            guard errno == EPERM || errno == ENOMEM, size > Self.smallest else { throw .ring(Errno(rawValue: errno)) }
            size /= 2
        }
    }

    deinit { munmap(page, mapped) }

    /// Calls `body` with each record that has arrived, and gives its room back to the kernel.
    func read(_ body: (PerfRecord) -> Void) {
        let head = linux_ring_head(page)
        let header = page.assumingMemoryBound(to: perf_event_mmap_page.self)
        let data = page + (mapped - size)
        var tail = header.pointee.data_tail
        while tail < head {
            let position = Int(tail % UInt64(size))
            // Records are multiples of 8 bytes, so the header never wraps.
            let length = Int((data + position).load(as: perf_event_header.self).size)
            if position + length <= size {
                body(PerfRecord(bytes: UnsafeRawBufferPointer(start: data + position, count: length)))
            } else {
                scratch.removeAll(keepingCapacity: true)
                scratch += UnsafeRawBufferPointer(start: data + position, count: size - position)
                scratch += UnsafeRawBufferPointer(start: data, count: length - (size - position))
                scratch.withUnsafeBytes { body(PerfRecord(bytes: $0)) }
            }
            tail += UInt64(length)
            linux_set_ring_tail(page, tail)
        }
    }
}
