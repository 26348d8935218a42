import TestSupport
import Testing

/// What the allocator calls a programmer's error.
enum CrimeName: String, Sendable {
    case doubleFree = "double free"
    case foreignPointer = "foreign pointer"
    case interiorPointer = "interior pointer"
    case wrongSize = "wrong size"
    case useAfterFree = "use after free"
}

/// One of the programs in `Tests/Programs/Crimes`.
struct CrimeProgram {
    let source: String

    /// When the allocator has to notice.
    enum Deadline: Sendable {
        /// In the very call.
        case atOnce
        /// In the call, or when the batch of the pointer reaches its span.
        case withItsBatch
    }

    /// Expects the program to die of its crime: by SIGABRT, after one line on standard error that
    /// names the crime, the address and the thread.
    ///
    /// - Parameters:
    ///   - options: in place of those of `mode`.
    ///   - sameAddress: false when a program frees many blocks wrongly and any of them may be
    ///     noticed first.
    ///   - sameThread: false when another thread may have the block in its batch.
    func isReported(
        _ crime: String, as names: [CrimeName], _ deadline: Deadline = .atOnce, in mode: InterfaceMode,
        options: String? = nil, sameAddress: Bool = true, sameThread: Bool = true,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let program = try await Compiler.shared.executable("Crimes/\(source)")
        let outcome = try await run(
            program, [crime], under: .percolate(options: options ?? mode.options), timeout: .seconds(30))
        let announced = try #require(
            try /address (0x[0-9a-f]+) thread ([0-9]+)/.firstMatch(in: outcome.output), "\(outcome.report)",
            sourceLocation: sourceLocation)
        #expect(outcome.signal == 6, "\(outcome.report)", sourceLocation: sourceLocation)
        let line = outcome.errors
        #expect(line.hasSuffix(Self.advice), "\(outcome.report)", sourceLocation: sourceLocation)
        let reported = try #require(
            try Self.finding.wholeMatch(in: line.dropLast(Self.advice.count)), "\(outcome.report)",
            sourceLocation: sourceLocation)
        #expect(names.map(\.rawValue).contains(String(reported.1)), sourceLocation: sourceLocation)
        if sameAddress { #expect(reported.2 == announced.1, sourceLocation: sourceLocation) }
        #expect(
            reported.3.hasPrefix("not ours") == (reported.1 == CrimeName.foreignPointer.rawValue),
            "\(line)", sourceLocation: sourceLocation)
        if sameThread { #expect(reported.4 == announced.2, sourceLocation: sourceLocation) }
        if deadline == .atOnce {
            #expect(!outcome.output.contains("returned"), "\(outcome.report)", sourceLocation: sourceLocation)
        }
    }

    /// What, address, size class or "not ours", thread. With the advice it is the whole of standard
    /// error.
    private static var finding: Regex<(Substring, Substring, Substring, Substring, Substring)> {
        /percolate: ([a-z ]+): (0x[0-9a-f]+) \(([^()\n]+)\), thread ([0-9]+)/
    }

    private static let advice = ": to find the caller, break on percolate_error in a debugger\n"
}
