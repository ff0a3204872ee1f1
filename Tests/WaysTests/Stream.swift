import Foundation
import Posix

@testable import Ways

/// Bytes that say by themselves where they belong: one block of random bytes, again and again, of a
/// length that has no factor in common with anything that is lost or doubled as a whole.
struct Pattern {
    private static let block: [UInt8] = {
        var state: UInt64 = 42
        return (0..<1_000_003).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return UInt8(truncatingIfNeeded: state >> 56)
        }
    }()

    private(set) var offset = 0

    /// The next bytes, at most so many, without moving on.
    func next(_ count: Int) -> ArraySlice<UInt8> {
        let start = offset % Pattern.block.count
        return Pattern.block[start..<min(start + count, Pattern.block.count)]
    }

    mutating func skip(_ count: Int) { offset += count }

    /// Takes bytes that should be the next ones.
    /// - Returns: whether they are.
    mutating func take(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var rest = bytes
        while let start = rest.baseAddress, !rest.isEmpty {
            let wanted = next(rest.count)
            let isEqual = wanted.withUnsafeBytes {
                memcmp($0.baseAddress ?? start, start, wanted.count) == 0
            }
            if !isEqual { return false }
            skip(wanted.count)
            rest = UnsafeRawBufferPointer(rebasing: rest[wanted.count...])
        }
        return true
    }
}

/// What has passed through a way.
struct Passed {
    var sent = 0
    var received = 0
    /// Where what came was not what should have.
    var wrongAt: Int?
    /// Whether the other side has ended.
    var hasEnded = false
    var time = Duration.zero
}

/// Sends and takes so many bytes of the pattern at once, and waits for the end if that is asked.
func pass(
    _ number: Int32,
    _ way: TunnelWay,
    up: Int,
    down: Int,
    isEndAwaited: Bool = false,
    within limit: Duration = .seconds(60)
) throws -> Passed {
    var passed = Passed()
    var sending = Pattern()
    var taking = Pattern()
    var buffer = [UInt8](repeating: 0, count: 256 << 10)
    let start = readClock()
    while readClock() < start + limit, passed.wrongAt == nil, !passed.hasEnded {
        let isSending = passed.sent < up
        if !isSending, passed.received >= down, !isEndAwaited { break }
        let happened = try waitFor(
            number,
            isSending ? [.read, .write] : .read,
            until: readClock() + .milliseconds(100)
        )
        _ = try? way.progress()
        if isSending, happened.contains(.write) {
            let piece = sending.next(min(256 << 10, up - passed.sent))
            do {
                if case .done(let count) = try piece.withUnsafeBytes({ try write(number, $0) }) {
                    sending.skip(count)
                    passed.sent += count
                }
            } catch let error as SystemError where error.kind == .disconnected {
                // A tunnel that has ended takes nothing.
                passed.hasEnded = true
            }
        }
        guard !happened.subtracting(.write).isEmpty else { continue }
        let count: Int
        do {
            let result = try buffer.withUnsafeMutableBytes { try read(number, into: $0) }
            guard case .done(let taken) = result else { continue }
            count = taken
        } catch let error as SystemError where error.kind == .disconnected {
            passed.hasEnded = true
            continue
        }
        if count == 0 { passed.hasEnded = true }
        let isRight = buffer.withUnsafeBytes { taking.take(.init(rebasing: $0[..<count])) }
        if !isRight { passed.wrongAt = passed.received }
        passed.received += count
    }
    passed.time = readClock() - start
    return passed
}

/// Waits for what broke a way.
func reason(_ way: TunnelWay) throws -> WayError? {
    let deadline = readClock() + .seconds(10)
    while way.broken == nil, readClock() < deadline {
        _ = try? way.progress()
        if let number = way.notices {
            try waitFor(number, .read, until: readClock() + .milliseconds(100))
        }
    }
    return way.broken
}

/// Reads up to so many bytes, or to the end.
func readText(_ number: Int32, _ count: Int) throws -> String {
    var text: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: count)
    let deadline = readClock() + .seconds(10)
    while text.count < count, readClock() < deadline {
        try waitFor(number, .read, until: deadline)
        let attempt = try buffer.withUnsafeMutableBytes { bytes in
            try read(number, into: .init(rebasing: bytes[..<(count - text.count)]))
        }
        if case .done(let read) = attempt {
            if read == 0 { break }
            text += buffer[..<read]
        }
    }
    return String(decoding: text, as: UTF8.self)
}

/// Bytes of memory in use by this process.
func memory() throws -> Int {
    let text = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8)
    return (Int(text.split(separator: " ")[1]) ?? 0) * 4096
}
