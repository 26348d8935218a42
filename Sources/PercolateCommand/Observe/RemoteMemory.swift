import CLinux
import Glibc
import PercolateCoreHosted
import SystemPackage

/// The memory of another process, read a page at a time. A page is read once and then kept until
/// `forget`, so that what is collected in one go is as old as its oldest page and no word is read
/// twice with two values.
struct RemoteMemory: ObservedMemory {
    let process: pid_t
    /// Why a read failed, the first time.
    private(set) var failure: Errno?
    private var pages: [UInt64: [UInt8]] = [:]

    private static let pageSize: UInt64 = 4096

    init(of process: pid_t) { self.process = process }

    /// The next reads ask the process again.
    mutating func forget() {
        pages.removeAll(keepingCapacity: true)
        failure = nil
    }

    mutating func copy(_ count: Int, from address: UInt64, to target: UnsafeMutableRawPointer) {
        var done = 0
        while done < count {
            let position = address &+ UInt64(done)
            let start = position & ~(Self.pageSize - 1)
            guard let page = page(start) else { return }
            let offset = Int(position - start)
            let part = min(count - done, page.count - offset)
            let place = UnsafeMutableRawBufferPointer(start: target + done, count: part)
            page.withUnsafeBytes {
                place.copyMemory(from: .init(rebasing: $0[offset..<(offset + part)]))
            }
            done += part
        }
    }

    private mutating func page(_ start: UInt64) -> [UInt8]? {
        if let page = pages[start] { return page }
        guard failure == nil else { return nil }
        var bytes = [UInt8](repeating: 0, count: Int(Self.pageSize))
        guard linux_read_memory(process, start, &bytes, bytes.count) == bytes.count else {
            failure = Errno(rawValue: errno)
            return nil
        }
        pages[start] = bytes
        return bytes
    }

    /// The value of a C type at `address`.
    func value<Value: BitwiseCopyable>(_ type: Value.Type, at address: UInt64) throws(Errno)
        -> Value
    {
        try bytes(MemoryLayout<Value>.size, at: address).withUnsafeBytes {
            $0.loadUnaligned(as: type)
        }
    }

    /// `count` bytes from `address`, around the pages that are kept.
    func bytes(_ count: Int, at address: UInt64) throws(Errno) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var done = 0
        while done < count {
            let read = linux_read_memory(
                process, address &+ UInt64(done), &bytes[done], count - done)
            guard read > 0 else { throw read < 0 ? Errno(rawValue: errno) : .badAddress }
            done += read
        }
        return bytes
    }

    /// The text from `address` up to its zero, at most `limit` bytes of it.
    mutating func string(at address: UInt64, limit: Int = 256) throws(Errno) -> String {
        var text: [UInt8] = []
        while text.count < limit {
            let byte = try kept(UInt8.self, at: address &+ UInt64(text.count))
            if byte == 0 { break }
            text.append(byte)
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// As `value`, by way of the pages that are kept.
    mutating func kept<Value: BitwiseCopyable>(_ type: Value.Type, at address: UInt64) throws(Errno)
        -> Value
    {
        let size = MemoryLayout<Value>.size
        var bytes = [UInt8](repeating: 0, count: size)
        copy(size, from: address, to: &bytes)
        if let failure { throw failure }
        return bytes.withUnsafeBytes { $0.loadUnaligned(as: type) }
    }

    /// Stores one word, as a whole.
    func write(_ value: UInt64, at address: UInt64) throws(Errno) {
        guard linux_write_word(process, address, value) == 0 else { throw Errno(rawValue: errno) }
    }
}
