internal import Glibc

/// Argon2 (RFC 9106), by the system's library where there is one.
///
/// The library is not linked: it is only needed for keys of PuTTY's with a passphrase.
public enum Argon2 {
    /// The variants, by the names in PuTTY's files.
    public enum Variant: String, Sendable, CaseIterable {
        /// Resists both kinds of attack; the usual one.
        case id = "Argon2id"
        /// Resists who watches memory.
        case i = "Argon2i"
        /// Resists who has many processors.
        case d = "Argon2d"
    }

    /// What makes the computation dear.
    public struct Cost: Sendable, Equatable {
        /// KiB of memory.
        public var memory: UInt32
        /// Passes over it.
        public var passes: UInt32
        /// Lanes.
        public var parallelism: UInt32

        /// Names the costs.
        /// - Parameters:
        ///   - memory: KiB.
        ///   - passes: at least 1.
        ///   - parallelism: at least 1.
        public init(memory: UInt32, passes: UInt32, parallelism: UInt32) {
            self.memory = memory
            self.passes = passes
            self.parallelism = parallelism
        }
    }

    /// Computes a key from a passphrase, with version 1.3.
    ///
    /// C: `argon2id_hash_raw` and its like of libargon2.
    /// - Parameters:
    ///   - variant: which of the three.
    ///   - cost: as in the file.
    ///   - passphrase: the secret.
    ///   - salt: at least 8 bytes.
    ///   - count: bytes wanted.
    /// - Returns: nil when there is no library, or it refuses the values.
    public static func derive(
        _ variant: Variant,
        _ cost: Cost,
        passphrase: [UInt8],
        salt: [UInt8],
        count: Int
    ) -> [UInt8]? {
        guard let function = unsafe find(variant) else { return nil }
        var key = [UInt8](repeating: 0, count: count)
        let code = unsafe key.withUnsafeMutableBytes { key in
            unsafe passphrase.withUnsafeBytes { passphrase in
                unsafe salt.withUnsafeBytes { salt in
                    unsafe function(
                        cost.passes,
                        cost.memory,
                        cost.parallelism,
                        passphrase.baseAddress,
                        passphrase.count,
                        salt.baseAddress,
                        salt.count,
                        key.baseAddress,
                        key.count
                    )
                }
            }
        }
        return code == 0 ? key : nil
    }

    /// Whether the library is there.
    public static var isAvailable: Bool { unsafe find(.id) != nil }

    private typealias Function =
        @convention(c) (
            UInt32, UInt32, UInt32, UnsafeRawPointer?, Int, UnsafeRawPointer?, Int,
            UnsafeMutableRawPointer?, Int
        ) -> Int32

    /// The library stays loaded once it was needed.
    private static func find(_ variant: Variant) -> Function? {
        guard let library = unsafe dlopen("libargon2.so.1", RTLD_NOW | RTLD_LOCAL),
            let symbol = unsafe dlsym(library, "argon2\(variant)_hash_raw")
        else { return nil }
        return unsafe unsafeBitCast(symbol, to: Function.self)
    }
}
