/// Why a program will not be served although the library is preloaded.
enum Obstacle {
    case staticExecutable(String)
    case otherMachine(String, ELFMachine)
    case otherLoader(String, interpreter: String)
    case sanitizer(String, Sanitizer)
    case ownMalloc(String)
    case privileges(String, PrivilegeGain)
    case clearedEnvironment

    /// The end of a sentence that begins with "because". Files are named as the program, "it", or
    /// by their path.
    var reason: String {
        switch self {
        case .staticExecutable(let file): "\(file) is a static executable: no loader reads LD_PRELOAD for it"
        case .otherMachine(let file, let machine):
            "\(file) is built for \(machine), and the library for \(ELFMachine.native)"
        case .otherLoader(let file, let interpreter):
            "\(file) is started by \(interpreter), which is not the loader of the GNU C library"
        case .sanitizer(let file, let sanitizer): "\(file) is built with \(sanitizer.name), which brings its own malloc"
        case .ownMalloc(let file): "\(file) defines a malloc of its own, which comes before any that is preloaded"
        case .privileges(let file, let gain): "\(file) \(gain.reason): the loader then ignores LD_PRELOAD"
        case .clearedEnvironment: "env is told to clear the environment, and LD_PRELOAD with it"
        }
    }

    /// Whether the program would complain or end if the library were preloaded all the same, rather
    /// than ignore it. Such a program gets the environment of the caller; with the others, their
    /// children can still be served.
    var failsWithPreload: Bool {
        switch self {
        case .sanitizer, .otherMachine, .otherLoader: true
        case .staticExecutable, .ownMalloc, .privileges, .clearedEnvironment: false
        }
    }
}
