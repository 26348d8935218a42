import Foundation
import Percolate

/// Runs an example and prints one line of it: the seconds of `load`, and the process's resident bytes at the end of the load, some time
/// later, and at their peak. The last word says whether Percolate served it.
///
/// - Parameters:
///   - idle: how much later.
///   - load: what is measured. What it returns stays alive until the end.
///   - rest: ends what the load has left, before the idle time.
@discardableResult
public func report<State: Sendable>(
    _ name: String, idle: Duration = .seconds(1), _ load: @Sendable () async throws -> State,
    rest: @Sendable (State) async throws -> Void = { _ in }
) async throws -> State {
    let clock = ContinuousClock()
    let start = clock.now
    let state = try await load()
    let time = clock.now - start
    let loaded = try bytes("VmRSS")
    try await rest(state)
    try await Task.sleep(for: idle)
    print(
        name, "seconds", time / .seconds(1), "loaded", loaded, "idle", try bytes("VmRSS"), "peak", try bytes("VmHWM"),
        "percolate", ProcessHeap.servesMalloc)
    return state
}

/// A figure of proc(5), status.
private func bytes(_ name: String) throws -> Int {
    let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
    let line = status.split(separator: "\n").first { $0.hasPrefix(name + ":") }
    guard let kilobytes = line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap({ Int($0) }) else {
        throw CocoaError(.fileReadCorruptFile)
    }
    return kilobytes * 1024
}
