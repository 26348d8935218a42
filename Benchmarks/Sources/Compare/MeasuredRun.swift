import CMeasure
import Foundation

/// Starts a run under a peer and waits for its measurement.
struct MeasuredRun {
    struct Problem: Error, CustomStringConvertible {
        let description: String
    }

    let workplace: Workplace
    /// A run that takes longer is a failure.
    var limitSeconds = 300.0
    /// Distance of the timeline's samples.
    static let sampleSeconds = 0.05

    func measure(_ run: Run, under peer: Peer, round: Int, timeline: Bool) throws(Problem) -> Measurement {
        let output = workplace.path("output")
        let errors = workplace.path("errors")
        let command = CommandStorage(run.command, workplace, preloading: peer.path, output: output, errors: errors)
        let client = run.server.map {
            CommandStorage($0.client, workplace, preloading: nil, output: workplace.path("client"), errors: errors + ".client")
        }
        var result = measure_result()
        defer { measure_result_free(&result) }
        let complete = command.withCommand { command in
            withOptional(client) { client in
                (run.server?.socket ?? "").withCString { socket in
                    peer.path.withCString { library in
                        var request = measure_request()
                        request.command = command
                        request.client = client
                        request.ready_socket = socket
                        request.stop_signal = run.server?.stopSignal ?? SIGTERM
                        request.limit_seconds = limitSeconds
                        request.sample_seconds = timeline ? Self.sampleSeconds : 0
                        request.library = library
                        return measure_run(&request, &result)
                    }
                }
            }
        }
        if !complete { throw Problem(description: text(of: result)) }
        if result.timed_out { throw Problem(description: "took longer than \(Int(limitSeconds)) s") }
        try check(result.status, "the program", log: errors)
        if run.server != nil { try check(result.client_status, "the client", log: errors + ".client") }
        guard result.library_mapped else {
            throw Problem(description: "\(peer.path) was not loaded by \(run.command.path)")
        }
        let reported = WorkloadOutput(path: output)
        return Measurement(
            round: round, seconds: reported.activeSeconds ?? result.wall_seconds, userSeconds: result.user_seconds,
            systemSeconds: result.system_seconds, peakResidentBytes: result.peak_resident_bytes,
            minorFaults: result.minor_faults, majorFaults: result.major_faults, marks: reported.marks,
            timeline: UnsafeBufferPointer(start: result.samples, count: result.sample_count)
                .map { Point(seconds: $0.seconds, resident: $0.resident_bytes) })
    }

    /// A status as from wait(2): the low seven bits are a signal, the next byte the exit code.
    private func check(_ status: Int32, _ who: String, log: String) throws(Problem) {
        if status == 0 { return }
        let end = status & 0x7f == 0 ? "exited with \(status >> 8 & 0xff)" : "was ended by signal \(status & 0x7f)"
        let lines = (try? String(contentsOfFile: log, encoding: .utf8)) ?? ""
        let last = lines.split(separator: "\n").suffix(3).joined(separator: " / ")
        throw Problem(description: "\(who) \(end)\(last.isEmpty ? "" : ": \(last)")")
    }

    private func text(of result: measure_result) -> String {
        withUnsafeBytes(of: result.failure) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }

    private func withOptional<R>(
        _ storage: CommandStorage?, _ body: (UnsafePointer<measure_command>?) -> R
    ) -> R {
        guard let storage else { return body(nil) }
        return storage.withCommand { command in withUnsafePointer(to: command) { body($0) } }
    }
}

/// A command as C wants it. The strings live as long as this.
final class CommandStorage {
    private var command = measure_command()
    private var allocations: [UnsafeMutableRawPointer] = []

    init(_ command: Command, _ workplace: Workplace, preloading library: String?, output: String, errors: String) {
        let environment = workplace.environment(preloading: library, adding: command.environment)
        self.command.path = UnsafePointer(copy(command.path))
        self.command.arguments = copy([command.path] + command.arguments)
        self.command.environment = copy(environment.map { "\($0)=\($1)" }.sorted())
        self.command.directory = UnsafePointer(copy(workplace.folder.path))
        self.command.output = UnsafePointer(copy(output))
        self.command.errors = UnsafePointer(copy(errors))
        self.command.user = command.user?.id ?? 0
        self.command.group = command.user?.group ?? 0
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
