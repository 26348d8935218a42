import SystemPackage

/// Gives calls of SystemPackage the error type that they have but do not declare: they throw
/// nothing but `Errno`.
func throwingErrno<Value>(_ calls: () throws -> Value) throws(Errno) -> Value {
    do {
        return try calls()
    } catch let error as Errno {
        throw error
    } catch {
        fatalError("a system call failed without an error number: \(error)")
    }
}
