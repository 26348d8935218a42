import Foundation

/// Where the things under test are: the shared object, the command, and the C programs that tests
/// compile.
public enum Checkout {
    /// The root of the checkout.
    public static let root: URL = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// The folder of the built products: `PERCOLATE_BUILD` when set, else the release build.
    public static let products: URL =
        if let folder = ProcessInfo.processInfo.environment["PERCOLATE_BUILD"] {
            URL(filePath: folder)
        } else {
            root.appending(path: ".build/release")
        }

    /// The shared object that is preloaded.
    public static let library: String = products.appending(path: "libpercolate_malloc.so").path

    /// The `percolate` command.
    public static let command: String = products.appending(path: "percolate").path

    /// The folder of the C and C++ programs that tests compile and run under the shared object.
    public static let programs: URL = root.appending(path: "Tests/Programs")
}
