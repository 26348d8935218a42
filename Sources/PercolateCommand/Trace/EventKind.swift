import ArgumentParser

/// What can be asked for by `--events`: one probe, or the two that belong together.
enum EventKind: String, CaseIterable, Sendable {
    case vector, operation, move, gate, fallback, abort, refill, drain, steal, span, release
}

/// The probes of provider `percolate`, by the names that they have in the shared object and for other tracers.
enum ProbeName: String, CaseIterable {
    case vec_begin, op, vec_end
    case move
    case gate_close, gate_open
    case percpu_fallback, section_abort
    case refill, drain, steal
    case span_allocate, span_free, release

    var kind: EventKind {
        switch self {
        case .vec_begin, .vec_end: .vector
        case .op: .operation
        case .move: .move
        case .gate_close, .gate_open: .gate
        case .percpu_fallback: .fallback
        case .section_abort: .abort
        case .refill: .refill
        case .drain: .drain
        case .steal: .steal
        case .span_allocate, .span_free: .span
        case .release: .release
        }
    }

    var argumentCount: Int {
        switch self {
        case .op: 8
        case .vec_begin, .gate_close: 4
        case .vec_end, .move, .percpu_fallback, .refill, .drain, .steal, .span_allocate, .span_free: 3
        case .gate_open, .section_abort, .release: 2
        }
    }
}

/// The kinds of events to show: names of `EventKind` between commas.
struct EventSelection: ExpressibleByArgument, Sendable {
    let kinds: Set<EventKind>

    static let all = EventSelection(kinds: Set(EventKind.allCases))

    private init(kinds: Set<EventKind>) { self.kinds = kinds }

    init?(argument: String) {
        var kinds: Set<EventKind> = []
        for name in argument.split(separator: ",", omittingEmptySubsequences: false) {
            guard let kind = EventKind(rawValue: String(name)) else { return nil }
            kinds.insert(kind)
        }
        self.kinds = kinds
    }

    /// The names to choose from, for people.
    static let choices = EventKind.allCases.map(\.rawValue).joined(separator: ", ")
}
