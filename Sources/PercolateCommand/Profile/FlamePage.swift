/// A profile as one page of HTML that needs nothing else: a flame graph that can be zoomed,
/// searched and compared, and a table of functions.
enum FlamePage {
    static func text(
        _ profile: StackProfile, _ kind: StackProfile.Kind,
        comparedWith earlier: [[String]: Double]?
    ) -> String {
        let title = "Heap profile: \(profile.title)"
        return
            head.replacing("TITLE", with: escaped(title))
            + "<script type=\"application/json\" id=\"profile\">"
            + json(profile, kind, earlier, title) + "</script>\n<script>\n" + FlamePageScript.text
            + "</script>\n</body></html>\n"
    }

    private static func json(
        _ profile: StackProfile, _ kind: StackProfile.Kind, _ earlier: [[String]: Double]?,
        _ title: String
    ) -> String {
        var numbers: [String: Int] = [:]
        var names: [String] = []
        func number(_ name: String) -> String {
            if let known = numbers[name] { return String(known) }
            numbers[name] = names.count
            names.append(name)
            return String(names.count - 1)
        }
        var places: [String: String] = [:]
        for location in profile.locations {
            for function in location.functions where !function.file.isEmpty {
                places[function.name] = "\(function.file):\(function.line)"
            }
        }
        var stacks: [String] = []
        let now = profile.byNames()
        let all = Set(now.keys).union(earlier.map { Set($0.keys) } ?? [])
        for stack in all.sorted(by: { $0.lexicographicallyPrecedes($1) }) {
            let bytes = Int((now[stack]?.value(kind) ?? 0).rounded())
            let blocks = Int((now[stack]?.blocks(kind) ?? 0).rounded())
            let before = Int((earlier?[stack] ?? 0).rounded())
            guard bytes > 0 || before > 0 else { continue }
            stacks.append(
                "[[\(stack.map(number).joined(separator: ","))],\(bytes),\(blocks),\(before)]")
        }
        let files = names.map { quoted(places[$0] ?? "") }
        let what = kind == .live ? "live" : "allocated"
        return """
            {"title":\(quoted(title)),"kind":"\(what)","rate":\(profile.rate),"seconds":\(profile.duration / 1_000_000_000),\
            "compared":\(earlier != nil),
            "names":[\(names.map(quoted).joined(separator: ","))],
            "places":[\(files.joined(separator: ","))],
            "stacks":[\(stacks.joined(separator: ",\n"))]}
            """
    }

    private static func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;")
    }

    /// A string of JSON that may stand inside an element of HTML.
    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": result += "\\\(scalar)"
            case "<", ">", "&", "\u{0}"..<"\u{20}", "\u{2028}", "\u{2029}":
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }

    private static let head = """
        <!DOCTYPE html>
        <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
        <title>TITLE</title>
        <style>
        :root { --back: #fff; --text: #1b1f24; --soft: #5b6470; --line: #d5dae0; --panel: #f4f6f8; color-scheme: light dark; }
        @media (prefers-color-scheme: dark) {
        :root { --back: #15181c; --text: #e3e7ec; --soft: #98a2ae; --line: #343a42; --panel: #1e2329; }
        }
        body { margin: 0; font: 14px/1.45 system-ui, sans-serif; color: var(--text); background: var(--back); }
        header, main { max-width: 1400px; margin: 0 auto; padding: 12px 20px; }
        h1 { font-size: 18px; margin: 0 0 2px; } h2 { font-size: 15px; margin: 20px 0 6px; }
        p { margin: 0; color: var(--soft); }
        #tools { display: flex; flex-wrap: wrap; gap: 10px; align-items: center; margin-top: 10px; }
        input[type=search] { font: inherit; padding: 4px 8px; width: 260px; }
        button, label.button { font: inherit; padding: 4px 10px; border: 1px solid var(--line); border-radius: 5px;
          background: var(--panel); color: inherit; cursor: pointer; }
        #found { color: var(--soft); }
        #graph { position: relative; border: 1px solid var(--line); overflow: hidden; }
        .frame { position: absolute; height: 18px; box-sizing: border-box; border: 0; border-right: 1px solid var(--back);
          border-bottom: 1px solid var(--back); padding: 0 4px; font: 12px/17px ui-monospace, monospace; color: #1b1f24;
          white-space: nowrap; overflow: hidden; text-overflow: ellipsis; cursor: pointer; text-align: left; border-radius: 2px; }
        .frame.faint { opacity: .35; } .frame.match { background: #c55cf0 !important; color: #fff; }
        #detail { min-height: 3em; margin: 6px 0 0; color: var(--text); overflow-wrap: anywhere; }
        table { border-collapse: collapse; width: 100%; }
        th { text-align: left; cursor: pointer; user-select: none; border-bottom: 1px solid var(--line); font-weight: 600; }
        td, th { padding: 3px 8px; vertical-align: top; } td.number, th.number { text-align: right; white-space: nowrap; }
        tbody tr:hover { background: var(--panel); } td.name { font-family: ui-monospace, monospace; overflow-wrap: anywhere; width: 100%; }
        td.name small { display: block; color: var(--soft); }
        .grown { color: #c22f2f; } .shrunk { color: #2473b8; }
        </style></head><body>
        <header><h1 id="title"></h1><p id="summary"></p>
        <div id="tools">
        <input type="search" id="search" placeholder="Search functions (regular expression)" aria-label="Search functions">
        <button id="reset">Whole graph</button>
        <label class="button">Compare with folded stacks…<input type="file" id="compare" hidden></label>
        <span id="found" role="status"></span></div></header>
        <main><div id="graph" role="tree" aria-label="Flame graph"></div><p id="detail">Point at a frame to see it whole; click to zoom.</p>
        <h2>Functions</h2><table id="table"><thead></thead><tbody></tbody></table></main>

        """
}
