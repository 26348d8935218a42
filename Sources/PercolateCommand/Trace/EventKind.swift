import ArgumentParser

/// What can be asked for by `--events`: one probe, or the two that belong together.
enum EventKind: String, CaseIterable, Sendable {
    case vector, operation, move, gate, fallback, abort, refill, drain, steal, span, release
}

/// The probes of provider `percolate`, by the names that they have in the shared object and for
/// other tracers.
enum ProbeName: String, CaseIterable {
    case vectorBegin = "vec_begin"
    case operation = "op"
    case vectorEnd = "vec_end"
    case move
    case gateClose = "gate_close"
    case gateOpen = "gate_open"
    case fallback = "percpu_fallback"
    case abort = "section_abort"
    case refill, drain, steal
    case spanAllocate = "span_allocate"
    case spanFree = "span_free"
    case release

    var kind: EventKind {
        switch self {
        case .vectorBegin, .vectorEnd: .vector
        case .operation: .operation
        case .move: .move
        case .gateClose, .gateOpen: .gate
        case .fallback: .fallback
        case .abort: .abort
        case .refill: .refill
        case .drain: .drain
        case .steal: .steal
        case .spanAllocate, .spanFree: .span
        case .release: .release
        }
    }

    var argumentCount: Int {
        switch self {
        case .operation: 8
        case .vectorBegin, .gateClose: 4
        case .vectorEnd, .move, .fallback, .refill, .drain, .steal, .spanAllocate, .spanFree: 3
        case .gateOpen, .abort, .release: 2
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
