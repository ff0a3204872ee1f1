internal import AWS
internal import Client
internal import EC2
internal import Faults
internal import Posix

/// What AWS tells of one host, each question asked once and all at once.
struct CloudFacts: Sendable {
    /// An answer, or why there is none.
    typealias Answer<Value: Sendable> = Result<Value, ServiceError>

    /// Who we are.
    let identity: Fact<Answer<CallerIdentity>>
    /// Until when; nil for keys that do not end, or are not known.
    let expiry: Fact<Timestamp?>
    /// How many seconds AWS's clock is ahead; nil when nobody has noticed anything.
    let skew: Fact<Int64?>
    /// The instance the host stands for.
    let instance: Fact<Result<KnownInstance, InstanceLookupError>>
    /// The names that its image lets in; nil when nobody knows.
    let users: Fact<[String]?>
    let status: Fact<Answer<InstanceStatus?>>
    let groups: Fact<Answer<[SecurityGroup]>>
    /// The ranges of the prefix lists in the groups' rules, as far as they could be read.
    let prefixLists: Fact<[String: [String]]>
    let acl: Fact<Answer<NetworkACL?>>
    let routeTables: Fact<Answer<[RouteTable]>>
    let vpcEndpoints: Fact<Answer<[VPCEndpoint]>>
    let connectEndpoints: Fact<Answer<[InstanceConnectEndpoint]>>
    let agent: Fact<Answer<AgentInformation?>>
    /// This machine's IPv4 address as it is seen from outside.
    let address: Fact<Answer<String>>

    /// Begins to ask.
    /// - Parameters:
    ///   - cloud: AWS as the host sees it.
    ///   - target: the word that stands for the instance; nil asks about this machine alone.
    init(_ cloud: Cloud, _ target: InstanceTarget?) {
        let inventory = cloud.inventory()
        let (settings, table) = (cloud.settings, cloud.table)
        let first = Fact<Answer<any ServiceCaller>> {
            switch await inventory.value {
            case .failure(let error): return .failure(error)
            case .success(let inventory):
                guard let caller = inventory.caller else {
                    return .failure(ServiceError(.configuration, "no region is asked"))
                }
                return .success(caller)
            }
        }
        let identity = Fact {
            await first.asked { caller throws(ServiceError) in try await caller.callerIdentity() }
        }
        self.identity = identity
        expiry = Fact {
            await first.asked { caller throws(ServiceError) in try await caller.credentials() }
                .value?.expiration
        }
        let instance = Fact<Result<KnownInstance, InstanceLookupError>> {
            switch await inventory.value {
            case .failure(let error): return .failure(.service(error))
            case .success(let inventory):
                guard let target else { return .failure(.notFound(word: "", regions: [])) }
                do throws(InstanceLookupError) {
                    return .success(try await CloudFacts.find(target, in: inventory))
                } catch {
                    return .failure(error)
                }
            }
        }
        self.instance = instance
        skew = Fact {
            _ = await (identity.value, instance.value)
            guard let now = await first.value.value?.now else { return nil }
            return now.seconds - readWallClock()
        }
        users = Fact {
            guard case .success(let inventory) = await inventory.value,
                case .success(let known) = await instance.value
            else { return nil }
            return table.users(of: (try? await inventory.withImages(known)) ?? known)
        }
        let question = InstanceQuestion(inventory: inventory, instance: instance)
        status = question { caller, instance throws(ServiceError) in
            try await caller.instanceStatus(of: instance.id)
        }
        let groups = question { caller, instance throws(ServiceError) in
            instance.securityGroups.isEmpty
                ? [] : try await caller.securityGroups(instance.securityGroups)
        }
        self.groups = groups
        prefixLists = Fact {
            guard let groups = await groups.value.value,
                case .success(let caller) = await first.value
            else { return [:] }
            var found: [String: [String]] = [:]
            for id in Set(groups.flatMap { $0.inbound.flatMap(\.prefixLists) }).prefix(10) {
                found[id] = try? await caller.prefixListRanges(id)
            }
            return found
        }
        acl = question { caller, instance throws(ServiceError) in
            guard let subnet = instance.subnet else { return nil }
            return try await caller.networkACL(of: subnet)
        }
        routeTables = question { caller, instance throws(ServiceError) in
            guard let vpc = instance.vpc else { return [] }
            return try await caller.routeTables(of: vpc)
        }
        vpcEndpoints = question { caller, instance throws(ServiceError) in
            guard let vpc = instance.vpc else { return [] }
            return try await caller.vpcEndpoints(of: vpc)
        }
        connectEndpoints = question { caller, instance throws(ServiceError) in
            guard let vpc = instance.vpc else { return [] }
            return try await caller.instanceConnectEndpoints(in: vpc)
        }
        agent = question { caller, instance throws(ServiceError) in
            try await caller.agentInformation(of: instance.id)
        }
        address = Fact {
            do throws(ServiceError) {
                return .success(try await settings.addressFromOutside())
            } catch {
                return .failure(error)
            }
        }
    }

    private static func find(
        _ target: InstanceTarget,
        in inventory: Inventory
    ) async throws(InstanceLookupError) -> KnownInstance {
        do throws(InstanceLookupError) {
            let now = Timestamp(seconds: readWallClock())
            return try await inventory.find(target, newerThan: now)
        } catch {
            guard error.isGone else { throw error }
            // What many processes share is some seconds old: it may have been launched since then.
            return try await inventory.find(target)
        }
    }

    /// The IAM actions that were refused, of those that were asked for.
    func deniedActions() async -> [String] {
        var errors = [await identity.value.error]
        if case .failure(.service(let error)) = await instance.value { errors.append(error) }
        errors += await [
            status.value.error, groups.value.error, acl.value.error, routeTables.value.error,
            vpcEndpoints.value.error, connectEndpoints.value.error, agent.value.error,
        ]
        return errors.compactMap { error in
            if case .denied(let action)? = error?.kind { action } else { nil }
        }
    }
}

/// Asks something about the instance, once it is known which one it is.
private struct InstanceQuestion: Sendable {
    let inventory: Task<Result<Inventory, ServiceError>, Never>
    let instance: Fact<Result<KnownInstance, InstanceLookupError>>

    func callAsFunction<Value: Sendable>(
        _ ask: @escaping @Sendable (any ServiceCaller, Instance) async throws(ServiceError) -> Value
    ) -> Fact<CloudFacts.Answer<Value>> {
        Fact {
            guard case .success(let known) = await instance.value,
                case .success(let inventory) = await inventory.value,
                let caller = inventory.caller(for: known)
            else { return .failure(ServiceError(.notFound, "the instance is not known")) }
            do throws(ServiceError) {
                return .success(try await ask(caller, known.instance))
            } catch {
                return .failure(error)
            }
        }
    }
}

extension Fact where Value == CloudFacts.Answer<any ServiceCaller> {
    /// Asks who answers for the first region.
    fileprivate func asked<Answer: Sendable>(
        _ ask: @Sendable (any ServiceCaller) async throws(ServiceError) -> Answer
    ) async -> CloudFacts.Answer<Answer> {
        switch await value {
        case .failure(let error): return .failure(error)
        case .success(let caller):
            do throws(ServiceError) {
                return .success(try await ask(caller))
            } catch {
                return .failure(error)
            }
        }
    }
}

extension Result {
    /// The value, if there is one.
    var value: Success? { if case .success(let value) = self { value } else { nil } }
    /// The error, if there is one.
    var error: Failure? { if case .failure(let error) = self { error } else { nil } }
}
