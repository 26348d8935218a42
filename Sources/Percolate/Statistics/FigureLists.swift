import CPercolate

extension HeapStatistics.Process: FigureRecord {
    static let figures = list()
    static var emptySource: percolate_process_figures { percolate_process_figures() }
    static func named(_ number: Int) -> UnsafePointer<percolate_figure>? { unsafe percolate_process_figure(number) }
    static var paths: [Figure<Self>.Path] {
        [
            \.residentBytes, \.mappedBytes, \.applicationBytes, \.cachedBytes, \.freeBytes, \.freeResidentBytes,
            \.metadataBytes, \.largeBytes, \.inUseBytes, \.committedBytes, \.releasedBytes, \.spansInUse, \.slabs,
            \.servedBlocks, \.largeAllocations, \.largeFrees, \.emergencyAllocations, \.extendsSlices,
            \.slicesExtended, \.slicesYielded, \.refills, \.refilledBlocks,
            \.drains, \.drainedBlocks, \.steals, \.stolenBlocks, \.capacityChanges, \.vectorsLocal, \.vectorsRemote,
            \.sectionsAborted, \.gatesClosedLocal, \.gatesClosedRemote, \.directAllocations, \.directFrees,
        ]
    }

    /// Reads the figures by their names.
    ///
    /// - Parameter decoder: a keyed container.
    public init(from decoder: any Decoder) throws { try self.init(decoding: decoder) }
    /// Writes the figures under their names.
    ///
    /// - Parameter encoder: gets a keyed container.
    public func encode(to encoder: any Encoder) throws { try encodeFigures(to: encoder) }
}

extension HeapStatistics.SizeClass: FigureRecord {
    static let figures = list()
    static var emptySource: percolate_class_figures { percolate_class_figures() }
    static func named(_ number: Int) -> UnsafePointer<percolate_figure>? { unsafe percolate_class_figure(number) }
    static var paths: [Figure<Self>.Path] {
        [\.blockBytes, \.spanBytes, \.spans, \.blocks, \.freeBlocks, \.cachedBlocks]
    }

    /// Reads the figures by their names.
    ///
    /// - Parameter decoder: a keyed container.
    public init(from decoder: any Decoder) throws { try self.init(decoding: decoder) }
    /// Writes the figures under their names.
    ///
    /// - Parameter encoder: gets a keyed container.
    public func encode(to encoder: any Encoder) throws { try encodeFigures(to: encoder) }
}

extension HeapStatistics.CPU: FigureRecord {
    static let figures = list()
    static var emptySource: percolate_cpu_figures { percolate_cpu_figures() }
    static func named(_ number: Int) -> UnsafePointer<percolate_figure>? { unsafe percolate_cpu_figure(number) }
    static var paths: [Figure<Self>.Path] {
        [
            \.index, \.cachedBytes, \.cachedBlocks, \.capacityBytes, \.budgetBytes, \.refills, \.refilledBlocks,
            \.drains, \.drainedBlocks, \.steals, \.stolenBlocks, \.capacityChanges, \.vectorsLocal, \.vectorsRemote,
            \.sectionsAborted, \.gatesClosedLocal, \.gatesClosedRemote, \.directAllocations, \.directFrees,
        ]
    }

    /// Reads the figures by their names.
    ///
    /// - Parameter decoder: a keyed container.
    public init(from decoder: any Decoder) throws { try self.init(decoding: decoder) }
    /// Writes the figures under their names.
    ///
    /// - Parameter encoder: gets a keyed container.
    public func encode(to encoder: any Encoder) throws { try encodeFigures(to: encoder) }
}
