import CPercolate

/// What `PERCOLATE_OPTIONS` can say. Each field's initial value is the default.
///
/// The variable is a list `key=value,key=value`. An unknown key or a bad value gives one line on standard error and the
/// default. Nothing is read in a process that runs with raised privileges (getauxval(3), AT_SECURE).
struct Options {
    enum Index { case automatic, cpuID, mmCID }
    enum Release { case prompt, lazy, never }
    enum HugePages { case automatic, on, off }

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
    var index = Index.automatic
    /// Bytes of free blocks that the caches of one CPU may hold.
    var cacheBudget: UInt = 1 << 20
    /// Whether they may hold more while the heap is large.
    var cacheMayGrow = true
    var release = Release.prompt
    /// Whether a process with threads has one more, which returns memory that stays unused.
    var background = true
    /// Whether dense parts of a large heap may have huge pages.
    var hugePages = HugePages.automatic
    /// Bytes of pages in use that no allocation may exceed, and bytes of resident pages above which free ones go back
    /// at once; 0 for no limit.
    var limit: UInt = 0
    var softLimit: UInt = 0
    /// Bytes of addresses for the arena; 0 lets start-up choose.
    var reserve: UInt = 0
    /// Mean bytes between sampled blocks, and between guarded ones: 0 for none, 1 for every block.
    var sampleRate: UInt = 0
    var guardRate: UInt = 0
    /// Whether what was not freed is listed at the end.
    var leaks = false

    /// Reads the list. `text` must live as long as the process, as the environment does.
    mutating func parse(_ text: UnsafePointer<CChar>) {
        var start = 0
        while text[start] != 0 {
            var end = start
            while text[end] != 0, text[end] != CChar(UInt8(ascii: ",")) { end &+= 1 }
            if end > start, !apply(OptionItem(text: text + start, count: end &- start)) {
                Self.complain(text + start, end &- start)
            }
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

    private mutating func applyHugePages(_ item: OptionItem) -> Bool {
        if item.valueIs("auto") {
            hugePages = .automatic
            return true
        }
        var isOn = false
        guard item.flag(into: &isOn) else { return false }
        hugePages = isOn ? .on : .off
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

    private mutating func apply(_ item: OptionItem) -> Bool {
        if item.hasKey("stats") {
            guard item.valueCount > 0 else { return false }
            statistics = item.value
            statisticsLength = item.valueIs("stderr") || item.valueIs("1") ? 0 : item.valueCount
            guard !isFormatGiven else { return true }
            statisticsFormat = item.valueEnds(in: ".json") ? .json : item.valueEnds(in: ".prom") ? .prometheus : .text
            return true
        }
        if item.hasKey("stats-format") { return applyFormat(item) }
        if item.hasKey("main") { return item.number(into: &mainProcess) }
        if item.hasKey("hardened") { return applyHardening(item) }
        if item.hasKey("quarantine") { return item.size(into: &quarantine) }
        if item.hasKey("background") { return item.automatic(into: &background) }
        if item.hasKey("huge") { return applyHugePages(item) }
        if item.hasKey("limit") { return item.size(into: &limit) }
        if item.hasKey("soft") { return item.size(into: &softLimit) }
        if item.hasKey("rseq") { return item.automatic(into: &sequences) }
        if item.hasKey("membarrier") { return item.automatic(into: &membarrier) }
        if item.hasKey("cache") { return applyCache(item) }
        if item.hasKey("reserve") { return item.size(into: &reserve) }
        if item.hasKey("sample") { return item.size(into: &sampleRate) }
        if item.hasKey("guard") { return item.size(into: &guardRate) }
        if item.hasKey("leaks") { return item.flag(into: &leaks) }
        if item.hasKey("index") {
            if item.valueIs("auto") {
                index = .automatic
                return true
            }
            if item.valueIs("cpu_id") {
                index = .cpuID
                return true
            }
            if item.valueIs("mm_cid") {
                index = .mmCID
                return true
            }
        }
        if item.hasKey("release") {
            if item.valueIs("prompt") {
                release = .prompt
                return true
            }
            if item.valueIs("lazy") {
                release = .lazy
                return true
            }
            if item.valueIs("never") {
                release = .never
                return true
            }
        }
        return false
    }

    private static func complain(_ text: UnsafePointer<CChar>, _ count: Int) {
        var line = TextLine()
        line.append("percolate: PERCOLATE_OPTIONS: not understood, using the default: ")
        line.append(cString: text, limit: min(count, 200))
        line.append("\n")
        _ = line.write(to: 2)
    }
}

/// One `key=value` of the list.
private struct OptionItem {
    let text: UnsafePointer<CChar>
    let count: Int
    /// Position of the `=`, or the end.
    private let split: Int

    init(text: UnsafePointer<CChar>, count: Int) {
        self.text = text
        self.count = count
        var split = 0
        while split < count, text[split] != CChar(UInt8(ascii: "=")) { split &+= 1 }
        self.split = split
    }

    var value: UnsafePointer<CChar> { text + min(count, split &+ 1) }
    var valueCount: Int { max(0, count &- split &- 1) }

    func hasKey(_ key: StaticString) -> Bool { Self.equal(text, split, key) }
    func valueIs(_ word: StaticString) -> Bool { Self.equal(value, valueCount, word) }

    func valueEnds(in suffix: StaticString) -> Bool {
        let length = suffix.utf8CodeUnitCount
        return valueCount > length && Self.equal(value + (valueCount &- length), length, suffix)
    }

    func flag(into target: inout Bool) -> Bool {
        if valueIs("1") {
            target = true
            return true
        }
        if valueIs("0") {
            target = false
            return true
        }
        return false
    }

    func automatic(into target: inout Bool) -> Bool {
        if valueIs("auto") {
            target = true
            return true
        }
        if valueIs("off") {
            target = false
            return true
        }
        return false
    }

    func number(into target: inout Int) -> Bool {
        var size: UInt = 0
        guard self.size(into: &size), size <= UInt(Int32.max) else { return false }
        target = Int(size)
        return true
    }

    /// Digits, and at the end K, M or G for powers of 1024.
    func size(into target: inout UInt) -> Bool {
        var result: UInt = 0
        var digits = 0
        for index in 0..<valueCount {
            let byte = UInt8(bitPattern: value[index])
            if byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9"), digits < 15 {
                result = result &* 10 &+ UInt(byte &- UInt8(ascii: "0"))
                digits &+= 1
                continue
            }
            guard index == valueCount &- 1, digits > 0 else { return false }
            let power: UInt
            switch byte | 32 {
            case UInt8(ascii: "k"): power = 10
            case UInt8(ascii: "m"): power = 20
            case UInt8(ascii: "g"): power = 30
            default: return false
            }
            guard result <= UInt.max &>> power else { return false }
            result &<<= power
        }
        guard digits > 0 else { return false }
        target = result
        return true
    }

    private static func equal(_ text: UnsafePointer<CChar>, _ count: Int, _ word: StaticString) -> Bool {
        guard count == word.utf8CodeUnitCount else { return false }
        for index in 0..<count where UInt8(bitPattern: text[index]) != word.utf8Start[index] { return false }
        return true
    }
}
