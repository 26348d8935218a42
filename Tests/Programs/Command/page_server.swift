// A server that keeps what it renders: reads the number of a page from each line of standard input,
// and answers with the page's length. It says ready first.
import Glibc

final class Page {
    let number: Int
    let paragraphs: [String]

    init(number: Int) {
        self.number = number
        paragraphs = (0..<20).map { "Paragraph \(number).\($0): " + String(repeating: "text ", count: 30) }
    }
}

struct PageCache {
    private var pages: [Int: Page] = [:]

    mutating func page(_ number: Int) -> Page {
        if let page = pages[number] { return page }
        let page = Page(number: number)
        pages[number] = page
        return page
    }
}

@main enum PageServer {
    static func answer(_ line: String, from cache: inout PageCache) -> Int {
        cache.page(Int(line) ?? 0).paragraphs.reduce(0) { $0 + $1.utf8.count }
    }

    static func main() {
        var cache = PageCache()
        print("ready")
        fflush(nil)
        while let line = readLine() {
            print(answer(line, from: &cache))
            fflush(nil)
        }
    }
}
