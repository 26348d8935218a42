import Glibc
import SystemPackage

/// gzip by the zlib of the system, which is loaded when it is needed: building this command needs
/// no headers of it.
enum GzipFile {
    private typealias Open = @convention(c) (Int32, UnsafePointer<CChar>) -> OpaquePointer?
    private typealias Transfer =
        @convention(c) (OpaquePointer, UnsafeMutableRawPointer?, UInt32) -> Int32
    private typealias Close = @convention(c) (OpaquePointer) -> Int32

    private static func function<Type>(_ name: String, as type: Type.Type) throws(Errno) -> Type {
        guard let library = dlopen("libz.so.1", RTLD_NOW), let symbol = dlsym(library, name) else {
            throw .noSuchFileOrDirectory
        }
        return unsafeBitCast(symbol, to: type)
    }

    /// Writes `bytes` compressed to `file`, which is replaced, or to standard output.
    static func write(_ bytes: [UInt8], to file: FilePath?) throws(ObservationFailure) {
        do {
            let descriptor =
                if let file {
                    file.withPlatformString {
                        open($0, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
                    }
                } else { dup(1) }
            guard descriptor >= 0 else { throw Errno(rawValue: errno) }
            let opened = try function("gzdopen", as: Open.self)(descriptor, "wb")
            guard let stream = opened else {
                close(descriptor)
                throw Errno.noMemory
            }
            var bytes = bytes
            let write = try function("gzwrite", as: Transfer.self)
            var done = 0
            var isWritten = true
            while done < bytes.count, isWritten {
                let part = min(bytes.count - done, 1 << 20)
                isWritten =
                    bytes.withUnsafeMutableBytes {
                        write(stream, $0.baseAddress.map { $0 + done }, UInt32(part))
                    }
                    == part
                done += part
            }
            errno = 0
            let isClosed = try function("gzclose", as: Close.self)(stream) == 0
            guard isWritten, isClosed else {
                throw errno == 0 ? Errno.ioError : Errno(rawValue: errno)
            }
        } catch let error as Errno {
            throw .output(file ?? "standard output", error)
        } catch {
            fatalError("zlib failed without an error number: \(error)")
        }
    }

    /// The bytes of a file, decompressed where it is compressed.
    static func read(_ file: FilePath) throws(Errno) -> [UInt8] {
        let descriptor = file.withPlatformString { open($0, O_RDONLY | O_CLOEXEC) }
        guard descriptor >= 0 else { throw Errno(rawValue: errno) }
        guard let stream = try function("gzdopen", as: Open.self)(descriptor, "rb") else {
            close(descriptor)
            throw .noMemory
        }
        let read = try function("gzread", as: Transfer.self)
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        var count: Int32
        repeat {
            errno = 0
            count = read(stream, &buffer, UInt32(buffer.count))
            if count > 0 { bytes += buffer[..<Int(count)] }
        } while count > 0
        let error = errno
        _ = try function("gzclose", as: Close.self)(stream)
        guard count == 0 else { throw Errno(rawValue: error == 0 ? EIO : error) }
        return bytes
    }
}
