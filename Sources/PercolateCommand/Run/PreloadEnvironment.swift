/// The two variables that put a program and its children on Percolate.
struct PreloadEnvironment {
    let library: PreloadLibrary
    /// What `library` is a copy of, if it is one.
    var original: PreloadLibrary?
    /// `key=value` each; later ones win, over those in the environment too.
    let options: [String]

    /// Changes the environment of this process for what it executes next.
    func apply() {
        let list = PreloadList(library, copyOf: original, existing: EnvironmentVariable.preload.value)
        EnvironmentVariable.preload.set(list.bytes)
        guard !options.isEmpty else { return }
        let existing = EnvironmentVariable.options.value ?? []
        let added = Array(options.joined(separator: ",").utf8)
        EnvironmentVariable.options.set(existing.isEmpty ? added : existing + [UInt8(ascii: ",")] + added)
    }
}
