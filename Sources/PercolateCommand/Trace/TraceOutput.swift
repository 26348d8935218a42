import Glibc
import SystemPackage

/// Where the trace is written: standard error, which it shares with the program, or a file. Whole
/// lines only.
struct TraceOutput {
    private let descriptor: FileDescriptor
    private let path: FilePath?
    private var pending: [UInt8] = []
    /// Why the trace is not complete, once writing has failed.
    private(set) var failure: Errno?

    /// Bytes that are written at once, at least, but at the end of a round.
    private static let batch = 1 << 16

    init(_ argument: ArgumentPath?) throws(TraceFailure) {
        path = argument?.path
        guard let path else {
            descriptor = .standardError
            return
        }
        do {
            descriptor = try throwingErrno {
                let permissions: FilePermissions = [.ownerReadWrite, .groupReadWrite, .otherReadWrite]
                return try FileDescriptor.open(
                    path, .writeOnly, options: [.create, .truncate, .closeOnExec], permissions: permissions)
            }
        } catch {
            throw .output(path, error)
        }
    }

    mutating func write(_ line: String) {
        pending += Array(line.utf8)
        if pending.count >= Self.batch { flush() }
    }

    mutating func flush() {
        guard !pending.isEmpty else { return }
        let bytes = pending
        pending.removeAll(keepingCapacity: true)
        guard failure == nil else { return }
        let descriptor = descriptor
        do {
            try throwingErrno { _ = try descriptor.writeAll(bytes) }
        } catch {
            failure = error
        }
    }

    /// Says something about the trace in it, and on standard error too where that is elsewhere.
    mutating func remark(_ sentence: String) {
        write("percolate: \(sentence)\n")
        flush()
        if path != nil { StandardError.say(sentence) }
    }

    /// Ends the trace, and says so on standard error when it is not complete because it could not
    /// be written.
    mutating func close() {
        flush()
        if let path {
            do { try descriptor.close() } catch { failure = failure ?? (error as? Errno) }
            if let failure { StandardError.say("the trace in \(path) is not complete: \(failure)") }
        }
    }
}
