/// A colour per peer, the same in every plot. Percolate's is the strongest, the baseline's is grey: it is the line at 1.
struct Palette {
    private let classes: [String: String]
    /// Later peers are drawn over earlier ones.
    let drawingOrder: [String]
    let rules: String

    private static let subject = "percolate"
    private static let strongest = (light: "#d6336c", dark: "#ff5c93")
    private static let neutral = (light: "#868e96", dark: "#98a1aa")
    private static let others = [
        (light: "#1971c2", dark: "#63b3f4"), (light: "#2f9e44", dark: "#61cf7b"), (light: "#e8890c", dark: "#fbb24c"),
        (light: "#7048e8", dark: "#a68cff"), (light: "#0c8599", dark: "#41c5da"), (light: "#846358", dark: "#c79f90"),
    ]

    init(peers: [String], baseline: String) {
        var classes: [String: String] = [:]
        var light = ""
        var dark = ""
        var next = 0
        for (index, peer) in peers.enumerated() {
            let name = "peer-\(index)"
            classes[peer] = name
            let colour: (light: String, dark: String)
            switch peer {
            case Self.subject: colour = Self.strongest
            case baseline: colour = Self.neutral
            default:
                colour = Self.others[next % Self.others.count]
                next += 1
            }
            light += ".\(name) { --peer: \(colour.light) }\n"
            dark += ".\(name) { --peer: \(colour.dark) }\n"
        }
        self.classes = classes
        drawingOrder =
            peers.filter { $0 == baseline } + peers.filter { $0 != baseline && $0 != Self.subject }
            + peers.filter { $0 == Self.subject }
        rules = "\(light)@media (prefers-color-scheme: dark) {\n\(dark)}"
    }

    func className(_ peer: String) -> String { classes[peer] ?? "" }

    func isSubject(_ peer: String) -> Bool { peer == Self.subject }
}
