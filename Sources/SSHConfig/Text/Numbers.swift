/// Numbers as OpenSSH reads them, with what its C functions let pass.
enum Numbers {
    /// Why a whole number was refused, in the words of C: `strtonum`.
    enum Problem: String {
        case missing, invalid
        case tooSmall = "too small"
        case tooLarge = "too large"
    }

    enum Outcome {
        case number(Int)
        case problem(Problem)
    }

    /// Reads a whole number in a range.
    ///
    /// C: `strtonum`.
    static func whole(_ text: ArraySlice<UInt8>, _ range: ClosedRange<Int>) -> Outcome {
        guard let (value, rest) = leadingNumber(text), rest.isEmpty else {
            return .problem(.invalid)
        }
        if value < range.lowerBound { return .problem(.tooSmall) }
        return value > range.upperBound ? .problem(.tooLarge) : .number(value)
    }

    /// Reads blanks, a sign and digits; too large a number becomes the largest.
    ///
    /// C: `strtol`.
    /// - Returns: the number and what follows, nil when there is no digit.
    static func leadingNumber(
        _ text: ArraySlice<UInt8>,
        base: Int = 10
    ) -> (value: Int, rest: ArraySlice<UInt8>)? {
        var rest = text.drop(while: \.isSpace)
        let isNegative = rest.first == UInt8(ascii: "-")
        if isNegative || rest.first == UInt8(ascii: "+") { rest = rest.dropFirst() }
        let digits = rest.prefix { digit($0) < base }
        guard !digits.isEmpty else { return nil }
        var value = 0
        for byte in digits {
            let (product, overflow) = value.multipliedReportingOverflow(by: base)
            let (sum, overflowToo) = product.addingReportingOverflow(digit(byte))
            value = overflow || overflowToo ? Int.max : sum
            if value == Int.max { break }
        }
        return (isNegative ? -value : value, rest[digits.endIndex...])
    }

    /// Reads a number whose base its beginning tells: `0x`, `0` or decimal.
    ///
    /// C: `strtol` with 0.
    static func anyBase(_ text: ArraySlice<UInt8>) -> (value: Int, rest: ArraySlice<UInt8>)? {
        let unsigned = text.drop(while: \.isSpace).drop { $0 == 0x2B || $0 == 0x2D }
        guard unsigned.first == UInt8(ascii: "0") else { return leadingNumber(text) }
        let afterZero = unsigned.dropFirst()
        guard afterZero.first?.lowercased == UInt8(ascii: "x"),
            let first = afterZero.dropFirst().first, digit(first) < 16
        else { return leadingNumber(text, base: 8) }
        let sign = text.drop(while: \.isSpace).prefix { $0 == 0x2B || $0 == 0x2D }
        return leadingNumber(ArraySlice(Bytes(sign) + afterZero.dropFirst()), base: 16)
    }

    /// Reads a time such as `90`, `1h30m` or `2d`.
    ///
    /// C: `convtime` in `misc.c`.
    /// - Returns: seconds, nil when it is no time.
    static func seconds(_ text: Bytes) -> Int? {
        var rest = text[...]
        var total = 0
        repeat {
            guard let (value, afterDigits) = leadingNumber(rest), value >= 0 else { return nil }
            let unit: Int
            switch afterDigits.first?.lowercased {
            case nil, UInt8(ascii: "s"): unit = 1
            case UInt8(ascii: "m"): unit = 60
            case UInt8(ascii: "h"): unit = 3_600
            case UInt8(ascii: "d"): unit = 86_400
            case UInt8(ascii: "w"): unit = 604_800
            default: return nil
            }
            guard value <= largest / unit else { return nil }
            total += value * unit
            guard total <= largest else { return nil }
            rest = afterDigits.dropFirst()
        } while !rest.isEmpty
        return total
    }

    /// C: `INT_MAX`.
    static let largest = Int(Int32.max)

    private static func digit(_ byte: UInt8) -> Int {
        if byte.isDigit { return Int(byte) - 0x30 }
        return byte.isLetter ? Int(byte.lowercased) - 0x61 + 10 : 99
    }
}

// MARK: Sizes

extension Numbers {
    /// Why a size was refused, in the words of C: `strerror`.
    enum SizeProblem: String, Error {
        case invalid = "Invalid argument"
        case range = "Numerical result out of range"
    }

    /// Reads a size such as `16`, `1.5G` or `64k`.
    ///
    /// C: `scan_scaled` in `fmt_scaled.c`.
    static func size(_ text: Bytes) throws(SizeProblem) -> Int64 {
        var rest = text.drop(while: \.isSpace)
        let sign = rest.first
        let isNegative = sign == UInt8(ascii: "-")
        if isNegative || sign == UInt8(ascii: "+") { rest = rest.dropFirst() }
        if rest.first == UInt8(ascii: "-") || rest.first == UInt8(ascii: "+") { throw .invalid }

        let digits = rest.prefix { $0.isDigit || $0 == UInt8(ascii: ".") }
        let parts = digits.parts(".")
        guard parts.count <= 2 else { throw .invalid }
        var whole = try decimal(parts[0])
        if isNegative { whole.negate() }
        let fractionDigits = (parts.count > 1 ? parts[1] : []).prefix(mostDigits - 2)
        let fraction = try decimal(fractionDigits)
        rest = rest[digits.endIndex...]
        guard let scale = rest.first else { return whole }

        guard
            let power = "bkmgtpe".utf8.enumerated().first(where: { $1 == scale.lowercased })?.offset
        else { throw .invalid }
        if let next = rest.dropFirst().first, next.isLetter || next.isDigit { throw .invalid }
        let factor = Int64(1) << (10 * Int64(power))
        let (scaled, overflow) = whole.multipliedReportingOverflow(by: factor)
        if overflow { throw .range }
        let part = scaledFraction(fraction, fractionDigits.count, factor)
        let (sum, overflowToo) = scaled.addingReportingOverflow(isNegative ? -part : part)
        if overflowToo { throw .range }
        return sum
    }

    /// More digits than this are out of range; C: `MAX_DIGITS`.
    private static let mostDigits = 21

    private static func decimal(_ digits: ArraySlice<UInt8>) throws(SizeProblem) -> Int64 {
        guard digits.count < mostDigits else { throw .range }
        var value: Int64 = 0
        for byte in digits {
            guard value <= Int64.max / 10 else { throw .range }
            let (sum, overflow) = (value * 10).addingReportingOverflow(Int64(byte) - 0x30)
            if overflow { throw .range }
            value = sum
        }
        return value
    }

    /// Scales the part behind the point; digits that would overflow are given up one by one.
    private static func scaledFraction(_ value: Int64, _ places: Int, _ factor: Int64) -> Int64 {
        var value = value
        var places = places
        while value >= Int64.max / factor {
            value /= 10
            places -= 1
        }
        value *= factor
        for _ in 0..<max(places, 0) { value /= 10 }
        return value
    }
}
