import SystemPackage

/// A small file of `/proc` or `/sys`, whose size is not known before it is read.
enum KernelFile {
    /// The text without the newline at its end, nil when this machine has no such file or does not
    /// let us read it.
    static func text(_ path: FilePath) -> String? {
        do {
            let file = try FileDescriptor.open(path, .readOnly, options: [.closeOnExec])
            return try file.closeAfter {
                var bytes: [UInt8] = []
                while true {
                    let part = try [UInt8](unsafeUninitializedCapacity: 4096) { buffer, count in
                        count = try file.read(into: UnsafeMutableRawBufferPointer(buffer))
                    }
                    if part.isEmpty { break }
                    bytes += part
                }
                while bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
                return String(decoding: bytes, as: UTF8.self)
            }
        } catch {
            return nil
        }
    }
}
