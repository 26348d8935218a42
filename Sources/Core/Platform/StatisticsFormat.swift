/// How statistics are written. Every format has the same names.
public enum StatisticsFormat: Sendable {
    /// Lines `name value` for the process, then a table of size classes and one of CPUs. For
    /// people.
    case text
    /// One JSON object.
    case json
    /// The text format that Prometheus reads.
    case prometheus
    /// The attributes of XML elements, for malloc_info(3).
    case xml
}
