import SystemPackage

/// Where a command's result goes.
enum Output {
    /// Writes everything to `file`, which is replaced, or to standard output.
    static func write(_ bytes: some Sequence<UInt8>, to file: FilePath?) throws(ObservationFailure) {
        do {
            try throwingErrno {
                guard let file else {
                    try FileDescriptor.standardOutput.writeAll(bytes)
                    return
                }
                let permissions: FilePermissions = [
                    .ownerReadWrite, .groupReadWrite, .otherReadWrite,
                ]
                let descriptor = try FileDescriptor.open(
                    file, .writeOnly, options: [.create, .truncate, .closeOnExec],
                    permissions: permissions)
                _ = try descriptor.closeAfter { try descriptor.writeAll(bytes) }
            }
        } catch {
            throw .output(file ?? "standard output", error)
        }
    }
}
