import ArgumentParser
import Glibc

/// The process that a command looks at.
struct ObservedArgument: ExpressibleByArgument, Sendable {
    let process: pid_t

    init?(argument: String) {
        guard let number = pid_t(argument), number > 0 else { return nil }
        process = number
    }
}

extension ParsableCommand {
    /// Runs a command that looks at a process; what keeps it from that is one sentence.
    func observing(_ body: () throws(ObservationFailure) -> Void) throws {
        do {
            try body()
        } catch {
            StandardError.say(error.sentence)
            throw ExitCode(1)
        }
    }
}
