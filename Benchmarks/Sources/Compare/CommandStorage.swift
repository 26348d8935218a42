import CMeasure

/// A command as C wants it. The strings live as long as this.
final class CommandStorage {
    private var command = measure_command()
    private var allocations: [UnsafeMutableRawPointer] = []

    /// Output and errors go to files, not to pipes: a server that a command leaves running would keep a pipe open for ever.
    init(_ command: Command, output: String, errors: String) {
        self.command.path = UnsafePointer(copy(command.path))
        self.command.arguments = copy([command.path] + command.arguments)
        self.command.environment = copy(command.environment.map { "\($0)=\($1)" }.sorted())
        self.command.directory = command.folder.map { UnsafePointer(copy($0)) }
        self.command.input = command.input.map { UnsafePointer(copy($0)) }
        self.command.output = UnsafePointer(copy(output))
        self.command.errors = UnsafePointer(copy(errors))
        self.command.user = command.user?.id ?? 0
        self.command.group = command.user?.group ?? 0
    }

    /// What a status as from wait(2) says, when it is not success: the low seven bits are a signal, the next byte the code.
    static func failure(_ status: Int32) -> String? {
        if status == 0 { return nil }
        return status & 0x7f == 0 ? "exited with \(status >> 8 & 0xff)" : "was ended by signal \(status & 0x7f)"
    }

    deinit { for allocation in allocations { allocation.deallocate() } }

    func withCommand<R>(_ body: (measure_command) -> R) -> R {
        withExtendedLifetime(self) { body(command) }
    }

    private func copy(_ text: String) -> UnsafeMutablePointer<CChar> {
        let bytes = text.utf8CString
        let copy = UnsafeMutablePointer<CChar>.allocate(capacity: bytes.count)
        for (index, byte) in bytes.enumerated() { (copy + index).initialize(to: byte) }
        allocations.append(UnsafeMutableRawPointer(copy))
        return copy
    }

    private func copy(_ texts: [String]) -> UnsafePointer<UnsafeMutablePointer<CChar>?> {
        let list = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>.allocate(capacity: texts.count + 1)
        for (index, text) in texts.enumerated() { (list + index).initialize(to: copy(text)) }
        (list + texts.count).initialize(to: nil)
        allocations.append(UnsafeMutableRawPointer(list))
        return UnsafePointer(list)
    }
}
