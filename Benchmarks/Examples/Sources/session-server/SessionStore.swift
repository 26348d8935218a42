import Synchronization

/// The sessions of all users, in parts with a lock each. A session that was not used for a while ends.
final class SessionStore: Sendable {
    private final class Part: Sendable {
        let sessions = Mutex<[Int: Session]>([:])
    }

    /// Requests so far: the store's clock, so that what it holds does not depend on the machine's speed.
    private let clock = Atomic<Int>(0)
    /// Visits of the sessions that have ended.
    private let endedVisits = Atomic<Int>(0)
    private let parts = (0..<64).map { _ in Part() }
    private let lifetime: Int

    /// - Parameter lifetime: requests after which an unused session ends.
    init(lifetime: Int) { self.lifetime = lifetime }

    func visit(_ request: Request) -> Reply {
        let time = clock.wrappingAdd(1, ordering: .relaxed).newValue
        let reply = parts[request.session % parts.count].sessions.withLock { sessions in
            if let session = sessions[request.session] { return session.visit(request, at: time) }
            let session = Session(number: request.session)
            sessions[request.session] = session
            return session.visit(request, at: time)
        }
        // Each part is looked through four times in a lifetime.
        let interval = lifetime / parts.count / 4 + 1
        if time % interval == 0 { endSessions(of: time / interval % parts.count, unusedSince: time - lifetime) }
        return reply
    }

    /// Ends every session: the night.
    func endAll() {
        for part in parts.indices { endSessions(of: part, unusedSince: .max) }
    }

    /// Visits of all sessions, ended or not.
    var visits: Int {
        parts.reduce(endedVisits.load(ordering: .relaxed)) { sum, part in
            sum + part.sessions.withLock { $0.values.reduce(0) { $0 + $1.visits } }
        }
    }

    var count: Int { parts.reduce(0) { $0 + $1.sessions.withLock(\.count) } }

    private func endSessions(of part: Int, unusedSince time: Int) {
        parts[part].sessions.withLock { sessions in
            for (number, session) in sessions where session.lastVisit < time {
                endedVisits.wrappingAdd(session.visits, ordering: .relaxed)
                sessions[number] = nil
            }
        }
    }
}
