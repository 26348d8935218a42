import CPercolate

/// Stacks as text, a line for each frame: `    #2 0x7f12a04d1234 name+0x14
/// (/usr/lib/libexample.so+0x1234)`. Nothing is allocated or opened.
enum StackText {
    /// Appends one frame to `line`. `address` is the address that the frame goes on at.
    static func append(frame address: UInt64, number: Int, to line: inout TextLine) {
        line.append("    #")
        line.append(number)
        line.append(" ")
        line.append(hexadecimal: UInt(address))
        append(place: UInt(address) &- 1, to: &line)
        line.append("\n")
    }

    /// Appends the symbol, where one is exported, and the file of an address of code with its
    /// offset there, as tools for symbols want it.
    private static func append(place: UInt, to line: inout TextLine) {
        var object = percolate_object()
        guard percolate_find_object(place, &object), let name = object.name else { return }
        var symbol = percolate_symbol()
        if percolate_find_symbol(place, &symbol), let text = symbol.name {
            line.append(" ")
            line.append(cString: text, limit: 200)
            line.append("+")
            line.append(hexadecimal: place &- symbol.address)
        }
        line.append(" (")
        if name[0] == 0 {
            line.append(cString: percolate_program_name())
        } else {
            line.append(cString: name, limit: 150)
        }
        line.append("+")
        line.append(hexadecimal: place &- object.bias)
        line.append(")")
    }

    /// Writes the frames of a site to `descriptor`.
    static func write(site number: UInt32, to descriptor: Int32) {
        let site = SampleTables.site(number)
        for position in 0..<Int(site.pointee.depth) {
            var line = TextLine()
            append(frame: SampleTables.frame(site.pointee.first_frame)[position], number: position, to: &line)
            _ = line.write(to: descriptor)
        }
    }

    static func write(_ frames: UnsafeMutablePointer<UInt64>, depth: Int, to descriptor: Int32) {
        for position in 0..<depth {
            var line = TextLine()
            append(frame: frames[position], number: position, to: &line)
            _ = line.write(to: descriptor)
        }
    }
}
