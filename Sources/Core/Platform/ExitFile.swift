import CPercolate
import Synchronization

/// A file that the process writes at its end, and whose path an option says. The process that the
/// option `main` names writes to exactly the path, every other one adds its id.
struct ExitFile {
    /// Programs write their title over their environment, so it is kept: in a page of its own, by
    /// its address, since a small stack has no room for a copy.
    let path: UnsafeMutablePointer<TextPage>
    let file: WholeFile

    /// At start. `text` has `count` bytes.
    func keep(path text: UnsafePointer<CChar>, count: Int) {
        path.pointee.truncate(to: 0)
        path.pointee.append(cString: text, limit: min(count, 3800))
    }

    /// Has `body` write to a descriptor; it returns 0 or an error number. What goes wrong is said
    /// on the descriptor `errors`: that `what` cannot be written.
    func write(_ what: StaticString, mainProcess: Int, errors: Int32, _ body: (Int32) -> Int) {
        let length = path.pointee.count
        if percolate_getpid() != mainProcess {
            path.pointee.append(".")
            path.pointee.append(percolate_getpid())
        }
        path.pointee.append(byte: 0)
        let error = file.write(to: TextPage.bytes(of: path), body)
        if error != 0 { complain(what, error, to: errors) }
        path.pointee.truncate(to: length)
    }

    private func complain(_ what: StaticString, _ error: Int, to errors: Int32) {
        var line = TextLine()
        line.append("percolate: cannot write ")
        line.append(what)
        line.append(" to ")
        line.append(cString: TextPage.bytes(of: path), limit: 400)
        line.truncate(to: 400)
        line.append(": ")
        if let text = percolate_error_text(Int32(truncatingIfNeeded: error)) {
            line.append(cString: text, limit: 80)
        } else {
            line.append("error ")
            line.append(error)
        }
        line.append("\n")
        _ = line.write(to: errors)
    }
}

/// Writes a file that appears whole or not at all: under another name beside it, which then takes
/// the place of the path. What is no ordinary file, and what lies in a folder where nothing can be
/// made, is written as it is.
///
/// While one thread writes such a file, another one writes to the path itself.
struct WholeFile {
    /// The name of the file beside the path. Not on the stack, which may have no room for it.
    struct TemporaryPath: ~Copyable {
        let isTaken: Atomic<Bool>
        var text: TextPage
    }

    let temporaryPath: UnsafeMutablePointer<TemporaryPath>

    /// Has `body` write to a descriptor; it returns 0 or an error number, as this does.
    func write(to path: UnsafePointer<CChar>, _ body: (Int32) -> Int) -> Int {
        let kind = percolate_file_kind(path)
        var error = Int(EACCES)
        if kind == -Int(ENOENT) || kind == Int(S_IFREG),
            !temporaryPath.pointee.isTaken.exchange(true, ordering: .acquiring)
        {
            error = write(beside: path, body)
            temporaryPath.pointee.isTaken.store(false, ordering: .releasing)
        }
        if error == Int(EACCES) || error == Int(EROFS) || error == Int(EPERM) {
            error = write(open: path, O_TRUNC, body)
        }
        return error
    }

    private func write(beside path: UnsafePointer<CChar>, _ body: (Int32) -> Int) -> Int {
        let text = pinned(&temporaryPath.pointee.text)
        text.pointee.truncate(to: 0)
        text.pointee.append(cString: path, limit: 4000)
        text.pointee.append(".partial")
        text.pointee.append(byte: 0)
        let name = TextPage.bytes(of: text)
        var error = write(open: name, O_TRUNC | O_NOFOLLOW, body)
        if error == 0 { error = 0 &- Int(percolate_rename(name, path)) }
        if error != 0 { _ = percolate_unlink(name) }
        return error
    }

    private func write(
        open path: UnsafePointer<CChar>, _ flags: Int32, _ body: (Int32) -> Int
    ) -> Int {
        let descriptor = percolate_open(path, O_WRONLY | O_CREAT | flags, 0o644)
        guard descriptor >= 0 else { return 0 &- Int(descriptor) }
        defer { _ = percolate_close(Int32(descriptor)) }
        return body(Int32(descriptor))
    }
}
