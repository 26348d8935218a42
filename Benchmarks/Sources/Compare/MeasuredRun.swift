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
        let command = CommandStorage(
            workplace.surrounded(run.command, preloading: peer.path), output: output, errors: errors)
        let client = run.server.map {
            CommandStorage(
                workplace.surrounded($0.client, preloading: nil), output: workplace.path("client"),
                errors: errors + ".client")
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
                .map { Point(seconds: $0.seconds, resident: $0.resident_bytes) },
            latencies: reported.latencies.isEmpty ? nil : reported.latencies)
    }

    private func check(_ status: Int32, _ who: String, log: String) throws(Problem) {
        guard let end = CommandStorage.failure(status) else { return }
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
