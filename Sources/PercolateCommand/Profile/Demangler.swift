import Glibc

/// Names of functions as their source has them. The C++ runtime and Swift's, which this command
/// runs on, know how.
enum Demangler {
    private typealias Swift =
        @convention(c) (
            UnsafePointer<CChar>, Int, UnsafeMutablePointer<CChar>?, UnsafeMutablePointer<Int>?,
            UInt32
        ) -> UnsafeMutablePointer<CChar>?
    private typealias CXX =
        @convention(c) (
            UnsafePointer<CChar>, UnsafeMutablePointer<CChar>?, UnsafeMutablePointer<Int>?,
            UnsafeMutablePointer<Int32>?
        ) -> UnsafeMutablePointer<CChar>?

    private static let swift: Swift? = function("swift_demangle", "libswiftCore.so")
    private static let cxx: CXX? = function("__cxa_demangle", "libstdc++.so.6")

    private static func function<Type>(_ name: String, _ library: String) -> Type? {
        if let symbol = dlsym(nil, name) { return unsafeBitCast(symbol, to: Type.self) }
        guard let library = dlopen(library, RTLD_NOW), let symbol = dlsym(library, name) else {
            return nil
        }
        return unsafeBitCast(symbol, to: Type.self)
    }

    /// The name itself where it is not mangled, or in a way that neither runtime knows.
    static func name(_ symbol: String) -> String {
        // Behind an at sign stands the version of a library's symbol.
        let mangled = symbol.hasPrefix("@") ? symbol : String(symbol.prefix { $0 != "@" })
        // What a compiler adds to the name of a part or copy of a function says nothing to readers.
        var stem = mangled[...]
        if let dot = stem.dropFirst().firstIndex(of: "."), stem.hasPrefix("_Z") {
            stem = stem[..<dot]
        }
        let text = String(stem)
        if text.hasPrefix("$s") || text.hasPrefix("$S") || text.hasPrefix("_$s")
            || text.hasPrefix("_T")
        {
            return demangled {
                swift?(text, text.utf8.count, nil, nil, 0)
            } ?? mangled
        }
        if text.hasPrefix("_Z") { return demangled { cxx?(text, nil, nil, nil) } ?? mangled }
        return mangled
    }

    private static func demangled(_ call: () -> UnsafeMutablePointer<CChar>?) -> String? {
        guard let result = call() else { return nil }
        defer { free(result) }
        return String(cString: result)
    }
}
