import CPercolate

/// A record of named figures.
protocol NamedFigures {
    static func figure(_ number: Int) -> UnsafePointer<percolate_figure>?
}

extension percolate_process_figures: NamedFigures {
    static func figure(_ number: Int) -> UnsafePointer<percolate_figure>? {
        percolate_process_figure(number)
    }
}

/// A record of which statistics have many: how it is read, and what it is called.
protocol StatisticsRecord: NamedFigures {
    static func count(in source: some StatisticsSource) -> Int
    static func read(_ position: Int, from source: inout some StatisticsSource) -> Self
    var isShown: Bool { get }
    /// How a row of XML begins.
    static var element: StaticString { get }
    /// In front of the name of each figure, and the label that holds the value of the first one, in
    /// the format of Prometheus.
    static var metric: StaticString { get }
    static var label: StaticString { get }
}

extension percolate_class_figures: StatisticsRecord {
    static func figure(_ number: Int) -> UnsafePointer<percolate_figure>? {
        percolate_class_figure(number)
    }
    static func count(in source: some StatisticsSource) -> Int { source.classCount }
    static func read(_ position: Int, from source: inout some StatisticsSource) -> Self {
        source.sizeClass(position)
    }
    var isShown: Bool { spans > 0 }
    static var element: StaticString { "<size_class" }
    static var metric: StaticString { "percolate_size_class_" }
    static var label: StaticString { "size" }
}

extension percolate_cpu_figures: StatisticsRecord {
    static func figure(_ number: Int) -> UnsafePointer<percolate_figure>? {
        percolate_cpu_figure(number)
    }
    static func count(in source: some StatisticsSource) -> Int { source.cpuCount }
    static func read(_ position: Int, from source: inout some StatisticsSource) -> Self {
        source.cpu(position)
    }
    var isShown: Bool { has_slab != 0 || direct_allocations != 0 || vectors_local != 0 }
    static var element: StaticString { "<cpu" }
    static var metric: StaticString { "percolate_cpu_" }
    static var label: StaticString { "cpu" }
}
