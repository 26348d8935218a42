import Foundation

/// Runs every workload under every peer, interleaved: a round is one run of each, and the order of the peers rotates, so that
/// a slow minute of the machine falls on all of them.
public struct Comparison {
    public var workloads: [Workload]
    public var peers: Peers
    public var baseline: String
    public var rounds: Int
    public var quick: Bool

    /// Workloads that mostly sleep vary little and take long.
    private static let mostIdleRounds = 2

    public init(workloads: [Workload], peers: Peers, baseline: String, rounds: Int, quick: Bool) {
        self.workloads = workloads
        self.peers = peers
        self.baseline = baseline
        self.rounds = rounds
        self.quick = quick
    }

    /// What a comparison is doing.
    public enum Event: Sendable {
        case prepares(workload: String)
        case starts(Step)
        case ended(Step, Result<Measurement, InvalidInput>)
    }

    /// One run.
    public struct Step: Sendable {
        /// Runs that ended before this one.
        public var number: Int
        public var total: Int
        public var round: Int
        public var workload: String
        public var peer: String
    }

    private struct Ready {
        var workload: Workload
        var run: Run
        var row: Row
    }

    public func report(progress: (Event) -> Void) throws -> Report {
        let started = Date()
        let loadAtStart = Machine.load()
        let workplace = try Workplace(quick: quick)
        defer { workplace.remove() }
        var skipped = peers.missing
        var ready: [Ready] = []
        for workload in workloads {
            progress(.prepares(workload: workload.name))
            do {
                ready.append(
                    Ready(workload: workload, run: try prepare(workload, in: workplace), row: workload.row()))
            } catch {
                skipped.append(Skipped(name: workload.name, reason: "\(error)"))
            }
        }
        let total = ready.reduce(0) { $0 + roundsOf($1.workload) } * peers.found.count
        let runner = MeasuredRun(workplace: workplace)
        var number = 0
        for round in 0..<rounds {
            for index in ready.indices where round < roundsOf(ready[index].workload) {
                for peer in rotated(peers.found, by: round + index) {
                    let step = Step(
                        number: number, total: total, round: round, workload: ready[index].workload.name,
                        peer: peer.name)
                    progress(.starts(step))
                    progress(.ended(step, run(&ready[index], under: peer, round: round, with: runner)))
                    number += 1
                }
            }
        }
        return Report(
            machine: Machine.current(), started: started, finished: Date(), loadAtStart: loadAtStart,
            loadAtEnd: Machine.load(), rounds: rounds, quick: quick, baseline: baseline, peers: peers.found,
            skipped: skipped, rows: ready.map(\.row))
    }

    private func run(
        _ ready: inout Ready, under peer: Peer, round: Int, with runner: MeasuredRun
    ) -> Result<Measurement, InvalidInput> {
        do {
            let measurement = try runner.measure(ready.run, under: peer, round: round, timeline: ready.workload.idles)
            ready.row.measurements[peer.name, default: []].append(measurement)
            return .success(measurement)
        } catch {
            ready.row.failures.append(Failure(peer: peer.name, round: round, message: error.description))
            return .failure(InvalidInput(error.description))
        }
    }

    private func prepare(_ workload: Workload, in workplace: Workplace) throws -> Run {
        switch workload.body {
        case .compiled(let source, let arguments):
            let own = quick ? ["scale=25"] + (workload.idles ? ["idle=2"] : []) : []
            return Run(command: Command(try workplace.compile(source), arguments + own))
        case .program(let program):
            for tool in program.tools { _ = try workplace.tool(tool) }
            try program.prepare(workplace)
            return try program.run(workplace)
        }
    }

    private func roundsOf(_ workload: Workload) -> Int {
        workload.idles ? min(rounds, Self.mostIdleRounds) : rounds
    }

    private func rotated(_ peers: [Peer], by distance: Int) -> [Peer] {
        guard !peers.isEmpty else { return [] }
        let first = distance % peers.count
        return Array(peers[first...] + peers[..<first])
    }
}
