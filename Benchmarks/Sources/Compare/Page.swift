/// The report as one page.
public struct Page {
    let report: Report
    public init(_ report: Report) { self.report = report }
    public var html: String { "" }
}
