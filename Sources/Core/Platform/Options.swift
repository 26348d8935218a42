import CPercolate

/// What `PERCOLATE_OPTIONS` can say. Each field's initial value is the default.
///
/// The variable is a list `key=value,key=value`, with spaces where people type them. An unknown key
/// or a bad value gives one line on standard error, which says what would be right, and the
/// default. Nothing is read in a process that runs with raised privileges (getauxval(3),
/// AT_SECURE).
struct Options {
    enum Index { case automatic, cpuID, mmCID }
    enum Release { case prompt, lazy, never }
    enum Choice { case automatic, on, off }

    /// Where statistics go at the end: nil nowhere, an empty string standard error, else a path.
    var statistics: UnsafePointer<CChar>?
    var statisticsLength = 0
    /// As the option says, or the end of the path's name.
    var statisticsFormat = StatisticsFormat.text
    private var isFormatGiven = false
    /// The process whose statistics go to exactly the path; every other process adds its id.
    var mainProcess = 0
    var hardening = HardeningLevel.off
    /// Bytes of freed blocks that wait in quarantine in a fully hardened process.
    var quarantine: UInt = 4 << 20
    var sequences = true
    var membarrier = true
    /// Whether holders of locks ask for longer time slices.
    var slices = Choice.automatic
    var index = Index.automatic
    /// Bytes of free blocks that the caches of one CPU may hold.
    var cacheBudget: UInt = 1 << 20
    /// Whether they may hold more while the heap is large.
    var cacheMayGrow = true
    var release = Release.prompt
    /// Whether a process with threads has one more, which returns memory that stays unused.
    var background = true
    /// Whether dense parts of a large heap may have huge pages.
    var hugePages = Choice.automatic
    /// Bytes of pages in use that no allocation may exceed, and bytes of resident pages above which
    /// free ones go back at once; 0 for no limit.
    var limit: UInt = 0
    var softLimit: UInt = 0
    /// Bytes of addresses for the arena; 0 lets start-up choose.
    var reserve: UInt = 0
    /// Mean bytes between sampled blocks, and between guarded ones: 0 for none, 1 for every block.
    var sampleRate: UInt = 0
    var guardRate: UInt = 0
    /// Whether what was not freed is listed at the end.
    var leaks = false
    /// Where the heap profile goes at the end; nil for nowhere.
    var profile: UnsafePointer<CChar>?
    var profileLength = 0

    /// Reads the list. `text` must live as long as the process, as the environment does.
    mutating func parse(_ text: UnsafePointer<CChar>) {
        var start = 0
        while text[start] != 0 {
            var end = start
            while text[end] != 0, text[end] != CChar(UInt8(ascii: ",")) { end &+= 1 }
            let item = OptionItem(text: text + start, count: end &- start)
            if item.count > 0, !apply(item) { Self.complain(item) }
            start = text[end] == 0 ? end : end &+ 1
        }
    }

    private mutating func applyFormat(_ item: OptionItem) -> Bool {
        if item.valueIs("text") {
            statisticsFormat = .text
        } else if item.valueIs("json") {
            statisticsFormat = .json
        } else if item.valueIs("prometheus") {
            statisticsFormat = .prometheus
        } else {
            return false
        }
        isFormatGiven = true
        return true
    }

    private mutating func applyCache(_ item: OptionItem) -> Bool {
        if item.valueIs("auto") {
            cacheBudget = Options().cacheBudget
            cacheMayGrow = true
            return true
        }
        guard item.size(into: &cacheBudget) else { return false }
        cacheMayGrow = false
        return true
    }

    private mutating func applyHardening(_ item: OptionItem) -> Bool {
        if item.valueIs("basic") {
            hardening = .basic
            return true
        }
        var isFull = false
        guard item.flag(into: &isFull) else { return false }
        hardening = isFull ? .full : .off
        return true
    }

    private mutating func applyStatistics(_ item: OptionItem) -> Bool {
        guard item.valueCount > 0 else { return false }
        if let isWanted = item.truth {
            statistics = isWanted ? item.value : nil
            statisticsLength = 0
            return true
        }
        statistics = item.value
        statisticsLength = item.valueIs("stderr") ? 0 : item.exactValueCount
        guard !isFormatGiven else { return true }
        statisticsFormat = item.valueEnds(in: ".json") ? .json : item.valueEnds(in: ".prom") ? .prometheus : .text
        return true
    }

    private mutating func applyProfile(_ item: OptionItem) -> Bool {
        guard item.valueCount > 0, item.truth != true else { return false }
        profile = item.truth == false ? nil : item.value
        profileLength = item.exactValueCount
        return true
    }

    private mutating func applyIndex(_ item: OptionItem) -> Bool {
        if item.valueIs("auto") {
            index = .automatic
        } else if item.valueIs("cpu_id") {
            index = .cpuID
        } else if item.valueIs("mm_cid") {
            index = .mmCID
        } else {
            return false
        }
        return true
    }

    private mutating func applyRelease(_ item: OptionItem) -> Bool {
        if item.valueIs("prompt") {
            release = .prompt
        } else if item.valueIs("lazy") {
            release = .lazy
        } else if item.valueIs("never") {
            release = .never
        } else {
            return false
        }
        return true
    }

    private mutating func apply(_ item: OptionItem) -> Bool {
        if item.hasKey("stats") { return applyStatistics(item) }
        if item.hasKey("stats-format") { return applyFormat(item) }
        if item.hasKey("main") { return item.number(into: &mainProcess) }
        if item.hasKey("hardened") { return applyHardening(item) }
        if item.hasKey("quarantine") { return item.size(into: &quarantine) }
        if item.hasKey("background") { return item.automatic(into: &background) }
        if item.hasKey("huge") { return item.choice(into: &hugePages) }
        if item.hasKey("limit") { return item.size(into: &limit) }
        if item.hasKey("soft") { return item.size(into: &softLimit) }
        if item.hasKey("rseq") { return item.automatic(into: &sequences) }
        if item.hasKey("membarrier") { return item.automatic(into: &membarrier) }
        if item.hasKey("slice") { return item.choice(into: &slices) }
        if item.hasKey("cache") { return applyCache(item) }
        if item.hasKey("reserve") { return item.size(into: &reserve) }
        if item.hasKey("sample") { return item.size(into: &sampleRate) }
        if item.hasKey("guard") { return item.size(into: &guardRate) }
        if item.hasKey("profile") { return applyProfile(item) }
        if item.hasKey("leaks") { return item.flag(into: &leaks) }
        if item.hasKey("index") { return applyIndex(item) }
        if item.hasKey("release") { return applyRelease(item) }
        return false
    }

    /// Says which values the key takes, or which keys there are.
    private static func complain(_ item: OptionItem) {
        var line = TextLine()
        line.append("percolate: PERCOLATE_OPTIONS: not understood, using the default: ")
        line.append(cString: item.text, limit: min(item.count, 200))
        var number = 0
        while let option = percolate_option(number) {
            if item.hasKey(cString: percolate_option_key(option)) {
                line.append("; ")
                line.append(cString: percolate_option_key(option))
                line.append(" is ")
                line.append(cString: percolate_option_values(option))
                break
            }
            number &+= 1
        }
        if percolate_option(number) == nil { appendKeys(to: &line) }
        line.append("\n")
        _ = line.write(to: 2)
    }

    private static func appendKeys(to line: inout TextLine) {
        line.append("; the keys are ")
        var number = 0
        while let option = percolate_option(number) {
            if number > 0 { line.append(", ") }
            line.append(cString: percolate_option_key(option))
            number &+= 1
        }
    }
}
