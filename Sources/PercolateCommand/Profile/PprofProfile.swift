/// The profile format of pprof (github.com/google/pprof, proto/profile.proto): `go tool pprof` and
/// others open it.
enum PprofProfile {
    // Numbers of fields.
    private enum Profile {
        static let sampleType = 1, sample = 2, mapping = 3, location = 4, function = 5, strings = 6,
            time = 9
        static let duration = 10, periodType = 11, period = 12, comment = 13, defaultType = 14
    }

    private static let types = [
        ("alloc_objects", "count"), ("alloc_space", "bytes"), ("inuse_objects", "count"),
        ("inuse_space", "bytes"),
    ]

    private struct Strings {
        private(set) var list = [""]
        private var numbers = ["": UInt64(0)]

        mutating func number(_ text: String) -> UInt64 {
            if let number = numbers[text] { return number }
            let number = UInt64(list.count)
            list.append(text)
            numbers[text] = number
            return number
        }
    }

    static func encode(_ profile: StackProfile, _ kind: StackProfile.Kind) -> [UInt8] {
        var strings = Strings()
        var message = ProtocolBufferWriter()
        for (type, unit) in types {
            let type = strings.number(type)
            let unit = strings.number(unit)
            message.message(Profile.sampleType) { $0.valueType(type, unit) }
        }
        for stack in profile.stacks {
            let values = [
                stack.values.totalBlocks, stack.values.totalBytes, stack.values.liveBlocks,
                stack.values.liveBytes,
            ]
            let numbers = values.map { UInt64(bitPattern: Int64($0.rounded())) }
            guard numbers.contains(where: { $0 != 0 }) else { continue }
            message.message(Profile.sample) {
                $0.numbers(1, stack.locations.map { UInt64($0 + 1) })
                $0.numbers(2, numbers)
            }
        }
        encodeMappings(profile, into: &message, &strings)
        encodeLocations(profile, into: &message, &strings)
        let space = (strings.number("space"), strings.number("bytes"))
        message.number(Profile.time, profile.time)
        message.number(Profile.duration, profile.duration)
        message.message(Profile.periodType) { $0.valueType(space.0, space.1) }
        message.number(Profile.period, profile.rate)
        let comment = strings.number(profile.title)
        message.numbers(Profile.comment, [comment])
        message.number(
            Profile.defaultType, strings.number(kind == .live ? "inuse_space" : "alloc_space"))
        for text in strings.list { message.content(Profile.strings, Array(text.utf8)) }
        return message.bytes
    }

    private static func encodeMappings(
        _ profile: StackProfile, into message: inout ProtocolBufferWriter, _ strings: inout Strings
    ) {
        for (number, mapping) in profile.mappings.enumerated() {
            let path = strings.number(mapping.path)
            let buildID = strings.number(mapping.buildID)
            let hasNames = profile.locations.contains {
                $0.mapping == number && !$0.functions.isEmpty
            }
            message.message(Profile.mapping) {
                $0.number(1, UInt64(number + 1))
                $0.number(2, mapping.start)
                $0.number(3, mapping.end)
                $0.number(4, mapping.offset)
                $0.number(5, path)
                $0.number(6, buildID)
                // The names are in the profile: nobody needs to look for them.
                $0.number(7, UInt64(hasNames ? 1 : 0))
                $0.number(8, UInt64(hasNames ? 1 : 0))
                $0.number(9, UInt64(hasNames ? 1 : 0))
                $0.number(10, UInt64(hasNames ? 1 : 0))
            }
        }
    }

    private static func encodeLocations(
        _ profile: StackProfile, into message: inout ProtocolBufferWriter, _ strings: inout Strings
    ) {
        var functions: [[String]: UInt64] = [:]
        var list: [(id: UInt64, name: UInt64, file: UInt64)] = []
        for (number, location) in profile.locations.enumerated() {
            var lines: [(UInt64, Int)] = []
            for function in location.functions {
                let key = [function.name, function.file]
                let id = functions[key] ?? UInt64(functions.count + 1)
                if functions[key] == nil {
                    functions[key] = id
                    list.append((id, strings.number(function.name), strings.number(function.file)))
                }
                lines.append((id, function.line))
            }
            message.message(Profile.location) {
                $0.number(1, UInt64(number + 1))
                $0.number(2, UInt64(location.mapping + 1))
                $0.number(3, location.address)
                for (function, line) in lines {
                    $0.message(4) {
                        $0.number(1, function)
                        $0.number(2, UInt64(line))
                    }
                }
            }
        }
        for function in list {
            message.message(Profile.function) {
                $0.number(1, function.id)
                $0.number(2, function.name)
                $0.number(3, function.name)
                $0.number(4, function.file)
            }
        }
    }

    /// The bytes of each stack of names in a profile that this command wrote, or another one with
    /// the same types. Nil where it is none.
    static func read(_ bytes: [UInt8], _ kind: StackProfile.Kind) -> [[String]: Double]? {
        var strings: [String] = []
        var typeNames: [UInt64] = []
        var samples: [(locations: [UInt64], values: [UInt64])] = []
        var locationFunctions: [UInt64: [UInt64]] = [:]
        var functionNames: [UInt64: UInt64] = [:]
        var reader = ProtocolBufferReader(bytes[...])
        while let (field, value) = reader.next() {
            switch field {
            case Profile.sampleType: typeNames.append(fields(value.content)[1]?.first?.number ?? 0)
            case Profile.sample:
                let sample = fields(value.content)
                samples.append(
                    (
                        sample[1, default: []].flatMap(\.numbers),
                        sample[2, default: []].flatMap(\.numbers)
                    ))
            case Profile.location:
                let location = fields(value.content)
                locationFunctions[location[1]?.first?.number ?? 0] = location[4, default: []].map {
                    fields($0.content)[1]?.first?.number ?? 0
                }
            case Profile.function:
                let function = fields(value.content)
                functionNames[function[1]?.first?.number ?? 0] = function[2]?.first?.number ?? 0
            case Profile.strings: strings.append(String(decoding: value.content, as: UTF8.self))
            default: break
            }
        }
        let type = kind == .live ? "inuse_space" : "alloc_space"
        func text(_ number: UInt64) -> String { number < strings.count ? strings[Int(number)] : "" }
        guard !reader.isDamaged, let column = typeNames.firstIndex(where: { text($0) == type })
        else { return nil }
        var result: [[String]: Double] = [:]
        for sample in samples where column < sample.values.count {
            var names = sample.locations.reversed().flatMap { location in
                locationFunctions[location, default: []].reversed().map {
                    text(functionNames[$0] ?? 0)
                }
            }
            if names.isEmpty { names = ["(stack unknown)"] }
            result[names, default: 0] += Double(Int64(bitPattern: sample.values[column]))
        }
        return result
    }

    private static func fields(_ message: ArraySlice<UInt8>) -> [Int: [ProtocolBufferReader.Value]] {
        var reader = ProtocolBufferReader(message)
        var result: [Int: [ProtocolBufferReader.Value]] = [:]
        while let (field, value) = reader.next() { result[field, default: []].append(value) }
        return result
    }
}

extension ProtocolBufferWriter {
    fileprivate mutating func valueType(_ type: UInt64, _ unit: UInt64) {
        number(1, type)
        number(2, unit)
    }
}
