/// The sites of `top`, while the process samples: because it did before, or because `top` asked for
/// it.
struct TopSites {
    private let process: ObservedProcess
    private let request: SamplingRequest?
    private var first: SampleTable?
    /// Whether this command switched sampling on, and so has to switch it off.
    private var isOurs = false
    private var names: [Int: String] = [:]
    private(set) var rate: UInt64 = 0

    init(_ process: ObservedProcess) {
        self.process = process
        // A build without sampled blocks says so when they are asked for.
        request = try? SamplingRequest(process)
    }

    /// Switches sampling on or off. Returns what to tell.
    mutating func toggle(_ wanted: UInt64) throws(ObservationFailure) -> String {
        guard let request else { return ObservationFailure.noSampling(process.process).sentence }
        let now = try request.rate
        if now != 0, !isOurs { return "the process samples by its own option" }
        let isDone = try request.ask(rate: now == 0 ? wanted : 0, within: 1)
        isOurs = now == 0
        first = nil
        return isDone
            ? (isOurs ? "sampling" : "sampling is off") : "asked; the process has not answered yet"
    }

    mutating func stop() {
        guard isOurs, let request else { return }
        // The process may be gone.
        _ = try? request.ask(rate: 0, within: 0.2)
    }

    /// The sites that hold most, by what they grew.
    mutating func lines() throws(ObservationFailure) -> [TopScreen.SiteLine] {
        guard let request else { return [] }
        rate = try request.rate
        guard rate != 0 else { return [] }
        let now = try request.reading()
        if first == nil { first = now }
        let live = now.sites.filter { $0.value.liveBytes > 0 }
        func growth(_ number: Int) -> Double {
            (live[number]?.liveBytes ?? 0) - (first?.sites[number]?.liveBytes ?? 0)
        }
        let shown = live.keys.sorted {
            (growth($0), live[$0]?.liveBytes ?? 0, $1) > (growth($1), live[$1]?.liveBytes ?? 0, $0)
        }.prefix(20)
        name(shown.filter { names[$0] == nil }, in: now)
        return shown.map {
            TopScreen.SiteLine(
                name: names[$0] ?? "", liveBytes: live[$0]?.liveBytes ?? 0, growth: growth($0))
        }
    }

    private mutating func name(_ numbers: [Int], in table: SampleTable) {
        guard !numbers.isEmpty, let maps = try? process.files.text("maps") else { return }
        let symbolizer = Symbolizer(process: process.files.process, map: MemoryMap(maps))
        for number in numbers {
            var single = SampleTable.none
            single.sites = table.sites.filter { $0.key == number }
            let profile = symbolizer.profile(of: single)
            guard let stack = profile.stacks.first else { continue }
            names[number] = profile.names(stack).reversed().prefix(6).joined(separator: " < ")
        }
    }
}
