import Faults
import Testing

@testable import AWS

@Suite struct ServiceErrorTests {
    @Test(
        "AWS's names for errors lead to kinds",
        arguments: [
            ("UnauthorizedOperation", 403, ServiceError.Kind.denied(action: "ec2:X")),
            ("AccessDeniedException", 400, .denied(action: "ec2:X")),
            ("AccessDenied", 403, .denied(action: "ec2:X")), ("", 403, .denied(action: "ec2:X")),
            ("AuthFailure", 401, .noCredentials), ("ExpiredTokenException", 400, .noCredentials),
            ("RequestLimitExceeded", 503, .throttled), ("", 429, .throttled),
            ("InvalidInstanceID.NotFound", 400, .notFound),
            ("DoesNotExistException", 400, .notFound), ("TargetNotConnected", 400, .service),
            ("", 500, .service),
        ]
    )
    func kinds(code: String, status: Int, kind: ServiceError.Kind) {
        let error = ServiceError(action: "ec2:X", code: code, message: "m", status: status)
        #expect(error.kind == kind)
        #expect(error.layer == (kind == .noCredentials ? .credentials : .aws))
    }

    @Test("What a service says cannot move the cursor")
    func isVisible() {
        let error = ServiceError(
            action: "ssm:StartSession",
            code: "Bad\u{1b}[2J",
            message: "no\u{1b}c",
            status: 400,
            requestID: "r\u{7f}"
        )
        #expect(error.summary == "ssm:StartSession: Bad\\033[2J (no\\033c)")
        #expect(error.requestID == "r\\177")
    }
}
