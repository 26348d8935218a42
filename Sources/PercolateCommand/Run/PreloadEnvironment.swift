/// The two variables that put a program and its children on Percolate.
struct PreloadEnvironment {
    let library: PreloadLibrary
    /// `key=value` each; later ones win, over those in the environment too.
    let options: [String]

    /// Changes the environment of this process for what it executes next.
    func apply() {
        EnvironmentVariable.preload.set(PreloadList(library, existing: EnvironmentVariable.preload.value).bytes)
        guard !options.isEmpty else { return }
        let existing = EnvironmentVariable.options.value ?? []
        let added = Array(options.joined(separator: ",").utf8)
        EnvironmentVariable.options.set(existing.isEmpty ? added : existing + [UInt8(ascii: ",")] + added)
    }
}
