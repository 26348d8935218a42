import SystemPackage

/// A file read at offsets. Nothing is mapped: a file that shrinks while it is read gives an error,
/// not a signal.
struct FileReader: ~Copyable {
    private let descriptor: FileDescriptor

    init(_ path: FilePath) throws(ELFError) {
        do {
            descriptor = try throwingErrno {
                // Should the path name a pipe, opening it must not wait for a writer.
                try FileDescriptor.open(path, .readOnly, options: [.closeOnExec, .nonBlocking])
            }
        } catch {
            throw .unreadable(error)
        }
    }

    deinit {
        // A descriptor that was only read from has nothing to lose in closing.
        try? descriptor.close()
    }

    /// At most `count` bytes from `offset`: fewer where the file ends before.
    func prefix(_ count: Int, at offset: UInt64) throws(ELFError) -> [UInt8] {
        guard let offset = Int64(exactly: offset) else { throw .malformed }
        guard offset <= Int64.max - Int64(count) else { throw .malformed }
        let descriptor = descriptor
        do {
            return try throwingErrno {
                try [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
                    while filled < count {
                        let rest = UnsafeMutableRawBufferPointer(buffer)[filled...]
                        let read = try descriptor.read(
                            fromAbsoluteOffset: offset + Int64(filled), into: .init(rebasing: rest))
                        if read == 0 { break }
                        filled += read
                    }
                }
            }
        } catch {
            throw .unreadable(error)
        }
    }

    /// The value of a C type at `offset`. Throws `malformed` when the file ends before.
    func value<Value: BitwiseCopyable>(_ type: Value.Type, at offset: UInt64) throws(ELFError) -> Value {
        let bytes = try prefix(MemoryLayout<Value>.size, at: offset)
        guard bytes.count == MemoryLayout<Value>.size else { throw .malformed }
        return bytes.withUnsafeBytes { $0.loadUnaligned(as: type) }
    }

    /// The text from `offset` up to its zero. Throws `malformed` when there is none within `limit`
    /// bytes.
    func string(at offset: UInt64, limit: Int = 4096) throws(ELFError) -> String {
        let bytes = try prefix(limit, at: offset)
        guard let end = bytes.firstIndex(of: 0) else { throw .malformed }
        return String(decoding: bytes[..<end], as: UTF8.self)
    }
}
