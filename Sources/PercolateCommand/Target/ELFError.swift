import SystemPackage

enum ELFError: Error {
    case unreadable(Errno)
    case notELF
    case malformed

    var sentence: String {
        switch self {
        case .unreadable(let error): "\(error)"
        case .notELF: "it is no ELF file"
        case .malformed: "it is a damaged ELF file"
        }
    }
}
