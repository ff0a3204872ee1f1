internal import Glibc

/// Finds bytes in bytes, as fast as the C library finds one.
///
/// C: `memchr`, `memcmp`.
/// - Parameters:
///   - needle: what is looked for.
///   - bytes: where.
///   - start: the first place that counts.
/// - Returns: where the first of them begins; nil when there is none, and for an empty needle.
public func position(of needle: [UInt8], in bytes: [UInt8], from start: Int = 0) -> Int? {
    guard !needle.isEmpty, start >= 0, start <= bytes.count - needle.count else { return nil }
    // Texts begin with a quote more often than they have any one byte in their middle.
    let anchor = needle.count / 2
    return unsafe bytes.withUnsafeBytes { area -> Int? in
        guard let base = area.baseAddress else { return nil }
        let end = area.count - needle.count + anchor
        var place = start + anchor
        while place <= end {
            guard
                let hit = unsafe memchr(base + place, Int32(needle[anchor]), end - place + 1)
            else { return nil }
            let first = unsafe UnsafeRawPointer(hit) - base - anchor
            if unsafe memcmp(base + first, needle, needle.count) == 0 { return first }
            place = first + anchor + 1
        }
        return nil
    }
}
