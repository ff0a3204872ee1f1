internal import Glibc

/// Asks the name servers of this machine for records of one type; waits for them.
///
/// The function is looked up and not linked, as the module of C's library does not declare it.
/// What it answers as validated (the header's AD bit) is so only where resolv.conf says `trust-ad`;
/// the library takes the bit away elsewhere.
///
/// C: `res_query` of glibc 2.34 and newer.
/// - Parameters:
///   - name: a name without blanks.
///   - type: the type's number, such as 44 for SSHFP.
/// - Returns: the answer as it came (RFC 1035 §4.1); nil when there is none.
public func queryRecords(of name: String, type: Int32) -> [UInt8]? {
    typealias Query =
        @convention(c) (
            UnsafePointer<CChar>?, Int32, Int32, UnsafeMutablePointer<UInt8>?, Int32
        ) -> Int32
    // A handle of nil is the program with all its libraries (RTLD_DEFAULT).
    guard let found = unsafe dlsym(nil, "res_query") else { return nil }
    let query = unsafe unsafeBitCast(found, to: Query.self)
    let internet: Int32 = 1
    var answer = [UInt8](repeating: 0, count: 65_536)
    let length = unsafe query(name, internet, type, &answer, Int32(answer.count))
    guard length > 0 else { return nil }
    return Array(answer.prefix(Int(length)))
}
