import Foundation
import Testing

@testable import PercolateCoreHosted

/// `PERCOLATE_OPTIONS`: every key, every value, and what is not understood.
@Suite struct OptionsTests {
    /// Calls `body` with the options that `text` gives. Options point into the text.
    private func parse(_ text: String, _ body: (Options) throws -> Void) rethrows {
        try text.withCString { bytes in
            var options = Options()
            options.parse(bytes)
            try body(options)
        }
    }

    private func statistics(_ options: Options) -> String? {
        options.statistics.map { bytes in
            String(decoding: UnsafeRawBufferPointer(start: bytes, count: options.statisticsLength), as: UTF8.self)
        }
    }

    @Test func nothingMeansTheDefaults() {
        parse("") { options in
            #expect(options.statistics == nil && options.mainProcess == 0)
            #expect(options.hardening == .off && options.sequences && options.membarrier)
            #expect(options.index == .automatic && options.release == .prompt)
            #expect(options.cacheBudget == 1 << 20 && options.cacheMayGrow && options.reserve == 0)
        }
    }

    @Test func everyKeyIsUnderstood() {
        let text =
            "stats=/tmp/a.stats,main=4711,hardened=1,rseq=off,membarrier=off,index=mm_cid,cache=64K,release=lazy,reserve=3G"
        parse(text) { options in
            #expect(statistics(options) == "/tmp/a.stats")
            #expect(options.mainProcess == 4711)
            #expect(options.hardening == .full && !options.sequences && !options.membarrier)
            #expect(options.index == .mmCID && options.release == .lazy)
            #expect(options.cacheBudget == 65536 && !options.cacheMayGrow)
            #expect(options.reserve == 3 << 30)
        }
    }

    @Test func statisticsGoToStandardErrorOnRequest() {
        parse("stats=stderr,cache=1") { #expect(statistics($0) == "" && $0.cacheBudget == 1) }
    }

    @Test func automaticTakesTheSizeOfCachesBack() {
        parse("cache=64K,cache=auto") { #expect($0.cacheBudget == 1 << 20 && $0.cacheMayGrow) }
    }

    @Test func aPathEndsAtTheComma() {
        parse("stats=/x,stats=relative=path,") { #expect(statistics($0) == "relative=path") }
    }

    @Test func theDefaultsCanBeNamed() {
        parse("hardened=1,hardened=0") { #expect($0.hardening == .off) }
        parse("rseq=off,rseq=auto,membarrier=off,membarrier=auto") { #expect($0.sequences && $0.membarrier) }
        parse("index=mm_cid,index=auto") { #expect($0.index == .automatic) }
        parse("index=cpu_id") { #expect($0.index == .cpuID) }
        parse("release=never") { #expect($0.release == .never) }
        parse("release=lazy,release=prompt") { #expect($0.release == .prompt) }
    }

    @Test(
        arguments: [("0", 0), ("1", 1), ("4096", 4096), ("2k", 2048), ("2K", 2048), ("5m", 5 << 20), ("7G", 7 << 30)]
            as [(String, UInt)])
    func sizesHaveSuffixes(text: String, value: UInt) {
        parse("cache=\(text)") { #expect($0.cacheBudget == value) }
    }

    @Test(
        arguments: [
            ("4MB", 4 << 20), ("4MiB", 4 << 20), ("4 M", 4 << 20), ("4 mib", 4 << 20), ("64kb", 65536), ("4096B", 4096),
            ("100 b", 100), ("2GB", 2 << 30), ("1T", 1 << 40), (" 8K ", 8192),
        ] as [(String, UInt)])
    func sizesAreWrittenAsPeopleDo(text: String, value: UInt) {
        parse("cache=\(text)") { #expect($0.cacheBudget == value) }
    }

    @Test(
        arguments: ["1", "on", "true", "yes", "On", "TRUE", "Yes", " on "], ["0", "off", "false", "no", "OFF", "No"])
    func truthHasManyNames(yes: String, no: String) {
        parse("hardened=\(yes),huge=\(yes),rseq=\(no),membarrier=\(no),background=\(no)") {
            #expect($0.hardening == .full && $0.hugePages == .on && !$0.sequences && !$0.membarrier && !$0.background)
        }
        parse("hardened=1,hardened=\(no),rseq=off,rseq=\(yes),stats=\(yes)") {
            #expect($0.hardening == .off && $0.sequences && statistics($0) == "")
        }
        parse("stats=stderr,stats=\(no)") { #expect(statistics($0) == nil) }
    }

    @Test func spacesAreNothing() {
        parse(" hardened = on , cache= 4M,\trseq =off, release = Lazy ,, stats= /tmp/a b ") {
            #expect($0.hardening == .full && $0.cacheBudget == 4 << 20 && !$0.sequences && $0.release == .lazy)
            // A path keeps what it ends in.
            #expect(statistics($0) == "/tmp/a b ")
        }
        parse(" , ,, ") { #expect($0.cacheBudget == 1 << 20) }
    }

    private static let keys = [
        "stats", "stats-format", "main", "hardened", "quarantine", "cache", "release", "background", "huge", "limit",
        "soft",
        "reserve", "sample", "guard", "profile", "leaks", "rseq", "membarrier", "slice", "index",
    ]

    private static let notUnderstood = [
        "unknown=1", "hardened", "hardened=", "hardened=2", "hardened=maybe", "hardened=auto", "rseq=of", "rseq=",
        "membarrier=2", "index=cpu", "index=", "cache=", "cache=K", "cache=1KX", "cache=-1", "cache=1.5M", "cache=1iB",
        "cache=9999999999999999999", "cache=999999999999T", "cache=1 2", "cache=M4", "reserve=lots", "release=soon",
        "release=", "main=", "main=one", "main=99999999999", "stats", "stats=", "=", "=1", "hardenedx=1", "hardene=1",
    ]

    /// Each in a process of its own, whose standard error is seen.
    @Test func whatIsNotUnderstoodIsSaidAndLeavesTheDefault() async {
        let result = await #expect(processExitsWith: .success, observing: [\.standardErrorContent]) {
            for text in OptionsTests.notUnderstood {
                let parsed = text.withCString { bytes in
                    var options = Options()
                    options.parse(bytes)
                    return options
                }
                let isDefault =
                    parsed.statistics == nil && parsed.mainProcess == 0 && parsed.hardening == .off && parsed.sequences
                    && parsed.membarrier && parsed.index == .automatic && parsed.release == .prompt
                    && parsed.cacheBudget == 1 << 20 && parsed.reserve == 0
                if !isDefault { fatalError("\(text) changed something") }
            }
            exit(0)
        }
        let lines = report(result).split(separator: "\n").filter { $0.hasPrefix("percolate: PERCOLATE_OPTIONS: ") }
        #expect(lines.count == Self.notUnderstood.count, "\(report(result))")
        for (line, text) in zip(lines, Self.notUnderstood) { #expect(line.contains(": \(text); ")) }
        #expect(lines[0].hasSuffix("unknown=1; the keys are \(Self.keys.joined(separator: ", "))"))
        #expect(lines[1].hasSuffix(": hardened; hardened is off|basic|on"))
    }

    @Test func aBadItemDoesNotHideTheOthers() async {
        await #expect(processExitsWith: .success) {
            let understood = "hardened=1,nonsense,,cache=2M".withCString { bytes in
                var options = Options()
                options.parse(bytes)
                return options.hardening == .full && options.cacheBudget == 2 << 20
            }
            exit(understood ? 0 : 1)
        }
    }
}
