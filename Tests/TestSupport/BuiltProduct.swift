import Foundation

/// The path of an executable of this package, as built together with the tests.
/// - Parameter name: the product or target, such as `ec2sh`.
/// - Returns: the path, whether it is there or not.
public func builtProduct(_ name: String) -> String {
    // The test runner lies in the same directory as the products.
    let runner =
        (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
    return URL(fileURLWithPath: runner).deletingLastPathComponent().appendingPathComponent(name)
        .path
}
