internal import Faults
public import JSONText

extension DiagnosisReport {
    /// The report for programs.
    ///
    /// Members are added, never renamed or removed, as long as `version` stays 1.
    ///
    ///     {"version": 1, "host": "web", "verdict": "healthy|broken|unknown",
    ///      "causes": ["network.security-group"],
    ///      "checks": [{"id": "network.security-group", "layer": "network", "title": "…",
    ///                  "status": "ok|note|broken|unknown|skipped", "says": "…", "seen": ["…"],
    ///                  "run": "a command", "advice": "a sentence", "because": "another id"}]}
    ///
    /// `host`, `run`, `advice` and `because` are there only if there is something to
    /// say; `seen` has the facts that `says` rests on, and `says` alone is the fact where it is empty.
    public var json: JSON {
        var members: [(name: String, value: JSON)] = [("version", JSON(.number(1)))]
        if let host { members.append(("host", JSON(.string(host)))) }
        members.append(("verdict", JSON(.string(verdict.rawValue))))
        members.append(("causes", list(causes.map(\.check.id))))
        members.append(("checks", JSON(.array(rows.map(\.json)))))
        return JSON(.object(members))
    }
}

extension DiagnosisReport.Row {
    fileprivate var json: JSON {
        var members: [(name: String, value: JSON)] = [
            ("id", JSON(.string(check.id))), ("layer", JSON(.string(check.layer.rawValue))),
            ("title", JSON(.string(check.title))),
            ("status", JSON(.string(finding.status.rawValue))),
            ("says", JSON(.string(finding.says))), ("seen", list(finding.seen)),
        ]
        switch finding.remedy {
        case .run(let command): members.append(("run", JSON(.string(command))))
        case .advice(let sentence): members.append(("advice", JSON(.string(sentence))))
        case nil: break
        }
        if let cause = finding.cause { members.append(("because", JSON(.string(cause)))) }
        return JSON(.object(members))
    }
}

private func list(_ texts: [String]) -> JSON {
    JSON(.array(texts.map { JSON(.string($0)) }))
}
