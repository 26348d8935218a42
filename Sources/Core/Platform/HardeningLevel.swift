/// How much the heap checks (`Hardening`).
enum HardeningLevel: Int {
    /// What costs the fast path nothing.
    case off
    /// Every free is looked up: double, interior and foreign ones are found in the call (`Marks`).
    case basic
    /// Everything that memory can show: records, canaries, quarantine, guard pages.
    case full
}
