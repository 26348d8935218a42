import ArgumentParser

/// One `key=value` for the allocator. Which keys and values there are is the allocator's to know: it says so on
/// standard error when it meets one that it does not understand.
struct OptionAssignment: ExpressibleByArgument, Sendable {
    let text: String

    init?(argument: String) {
        guard let sign = argument.firstIndex(of: "="), sign != argument.startIndex, !argument.contains(",") else {
            return nil
        }
        text = argument
    }
}
