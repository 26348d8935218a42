import SystemPackage

/// What executing a program comes to: from scripts through their interpreters to the executable
/// that the kernel starts, and what there keeps the preloaded library from serving it.
///
/// An inspection that cannot see clearly finds no obstacle: the program is executed in any case,
/// and what is wrong with it is then said by `exec`.
struct TargetInspection {
    /// Nil when nothing is known to be in the way.
    private(set) var obstacle: Obstacle?
    /// Functions of another allocator that the executable calls or has, beside malloc.
    private(set) var foreign: ForeignInterface?
    /// The interpreter that a script or an executable names and that does not exist.
    private(set) var missing: String?

    /// The kernel follows no longer chain of interpreters.
    private static let deepestScript = 5

    init(of program: String) {
        guard let path = ProgramSearch.path(of: program) else { return }
        inspect(path, depth: 0)
    }

    private mutating func inspect(_ path: FilePath, depth: Int) {
        guard depth <= Self.deepestScript else { return }
        // Where the library is in the way of an interpreter, the sentence names it; the program
        // itself is just "it".
        let name = depth == 0 ? "it" : "its interpreter \(path)"
        do {
            if let script = try ScriptLine(at: path) {
                inspect(script, depth: depth)
            } else {
                judge(try ELFFile(at: path), at: path, called: name)
            }
        } catch {
            // Neither ELF nor script: execvp hands the file to the shell.
            if case .notELF = error, depth == 0 { inspect("/bin/sh", depth: depth + 1) }
        }
    }

    private mutating func inspect(_ script: ScriptLine, depth: Int) {
        guard script.interpreter.exists else {
            missing = script.interpreter.string
            return
        }
        guard script.interpreter.lastComponent?.string == "env", let argument = script.argument else {
            return inspect(script.interpreter, depth: depth + 1)
        }
        let invocation = EnvInvocation(argument)
        if invocation.clearsPreload {
            obstacle = .clearedEnvironment
        } else if let program = invocation.program, let path = ProgramSearch.path(of: program) {
            inspect(path, depth: depth + 1)
        }
    }

    private mutating func judge(_ file: ELFFile, at path: FilePath, called name: String) {
        guard file.machine == .native else {
            obstacle = .otherMachine(name, file.machine)
            return
        }
        guard let interpreter = file.interpreter else {
            // The dynamic loader itself needs no loader, and honours LD_PRELOAD for the program
            // that it is given.
            if file.dynamic?.soname?.hasPrefix("ld-linux") != true { obstacle = .staticExecutable(name) }
            return
        }
        let dynamic = file.dynamic
        if FilePath(interpreter).lastComponent?.string.hasPrefix("ld-linux") != true {
            obstacle = .otherLoader(name, interpreter: interpreter)
        } else if let gain = PrivilegeGain(executing: path) {
            obstacle = .privileges(name, gain)
        } else if let dynamic, let sanitizer = Sanitizer.allCases.first(where: { $0.isUsed(by: dynamic) }) {
            obstacle = .sanitizer(name, sanitizer)
        } else if dynamic?.defined.contains("malloc") == true {
            obstacle = .ownMalloc(name)
        }
        if obstacle == nil { foreign = ForeignInterface(of: path) }
        if !FilePath(interpreter).exists { missing = interpreter }
    }
}
