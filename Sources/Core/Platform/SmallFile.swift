import CPercolate

/// Reads the small files in which the kernel says how a machine is set up. No more than at start
/// and now and then.
enum SmallFile {
    /// Reads the beginning of a file. The number of bytes; 0 where the file cannot be read.
    static func read<let size: Int>(_ path: StaticString, into bytes: inout InlineArray<size, UInt8>) -> Int {
        let name = UnsafeRawPointer(path.utf8Start).assumingMemoryBound(to: CChar.self)
        let descriptor = percolate_open(name, O_RDONLY, 0)
        guard descriptor >= 0 else { return 0 }
        let count = withUnsafeMutableBytes(of: &bytes) {
            percolate_read(Int32(descriptor), $0.baseAddress, size)
        }
        _ = percolate_close(Int32(descriptor))
        return max(count, 0)
    }
}
