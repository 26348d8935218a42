import ArgumentParser

/// What `doctor` runs under the library. It does nothing of its own: starting and ending, the
/// loader and the Swift runtime allocate and free some thousand blocks, and the library then
/// reports how it served them.
struct DoctorProbeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "doctor-probe", shouldDisplay: false)

    func run() {}
}
