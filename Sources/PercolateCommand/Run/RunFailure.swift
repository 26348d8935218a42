import SystemPackage

/// Why a program was not started. The exit statuses are those of `env` and `nohup`.
enum RunFailure: Error {
    case noLibrary(searched: [FilePath])
    case unusableLibrary(FilePath, String)
    case statistics(FilePath, Errno)
    case commaInStatisticsPath(FilePath)
    case program(String, Errno, missingInterpreter: String?)

    var exitCode: Int32 {
        switch self {
        case .program(_, .noSuchFileOrDirectory, _): 127
        case .program: 126
        default: 125
        }
    }

    var sentence: String {
        switch self {
        case .noLibrary(let searched):
            "cannot find \(PreloadLibrary.fileName) (not at \(searched.map(\.string).joined(separator: " nor at "))); "
                + "name it with --library"
        case .unusableLibrary(let path, let reason): "cannot preload \(path): \(reason)"
        case .statistics(let path, let error): "cannot write statistics to \(path): \(error)"
        case .commaInStatisticsPath(let path):
            "cannot write statistics to \(path): a comma in its name would end the option"
        case .program(let name, _, let interpreter?):
            "cannot run \(name): its interpreter \(interpreter) does not exist"
        case .program(let name, let error, nil): "cannot run \(name): \(error)"
        }
    }
}
