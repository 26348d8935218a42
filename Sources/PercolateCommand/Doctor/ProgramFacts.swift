/// Whether Percolate serves a program, as its file says before it is started.
struct ProgramFacts: Codable {
    let name: String
    let exists: Bool
    /// What keeps Percolate from serving it, wholly or in part.
    let remarks: [String]

    init(_ name: String) {
        self.name = name
        exists = ProgramSearch.path(of: name) != nil
        remarks = TargetInspection(of: name).remarks(on: name)
    }

    var sentences: [String] {
        guard exists else { return ["\(name) is not found."] }
        return remarks.isEmpty ? ["\(name) is served by Percolate."] : remarks.map { $0 + "." }
    }
}
