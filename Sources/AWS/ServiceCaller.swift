public import JSONText

/// Asks AWS: what every API call is written against.
///
/// ``AWSClient`` is the real one; tests give one with answers written down.
public protocol ServiceCaller: Sendable {
    /// The region that is asked, such as `eu-central-1`.
    var region: String { get }
    /// How AWS is reached besides API calls: trust, proxies, endpoints of the user's own.
    var access: Access { get }
    /// Now, as AWS's clock has it; for what is signed outside of API calls.
    var now: Timestamp { get }

    /// Calls an action of a service that takes forms and answers in XML (EC2, STS).
    /// - Parameters:
    ///   - service: whom to ask.
    ///   - action: such as `DescribeInstances`.
    ///   - version: the API's, such as `2016-11-15`.
    ///   - parameters: in AWS's flat form, such as `InstanceId.1`.
    /// - Returns: the answer's outermost element.
    /// - Throws: ``ServiceError`` when every attempt has failed.
    func query(
        _ service: Service,
        action: String,
        version: String,
        _ parameters: [APIRequest.Field]
    ) async throws(ServiceError) -> XMLElement

    /// Calls an action of a service that takes and gives JSON (SSM, Instance Connect, KMS).
    /// - Parameters:
    ///   - service: whom to ask.
    ///   - target: such as `AmazonSSM.StartSession`.
    ///   - body: an object.
    /// - Returns: the answer.
    /// - Throws: ``ServiceError`` when every attempt has failed.
    func json(
        _ service: Service,
        target: String,
        _ body: JSON
    ) async throws(ServiceError) -> JSON

    /// Who we are, for signing what is no API call; renewed when near their end.
    /// - Returns: credentials that are good for some minutes at least.
    /// - Throws: ``ServiceError`` when there are none.
    func credentials() async throws(ServiceError) -> Credentials
}
