import CPercolate

/// Pages of the arena, and pages of the kernel.
extension Arena {
    static var pageSize: UInt { 1 << UInt(PERCOLATE_PAGE_SHIFT) }
    /// Pages of the arena in one page of the kernel. What the kernel is asked to do is done for
    /// whole ones: what grows, large blocks, and what is released, are multiples of it. Small spans
    /// are not.
    static var systemPages: Int { Int(percolate_system_page() &>> UInt(PERCOLATE_PAGE_SHIFT)) }
    /// `pages` up to the next multiple of it.
    static func wholeSystemPages(_ pages: Int) -> Int { (pages &+ systemPages &- 1) & ~(systemPages &- 1) }
}
