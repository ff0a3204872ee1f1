import Testing

@testable import AWS

@Suite struct ProxiesTests {
    @Test(
        "The environment says which proxy leads where",
        arguments: [
            ([:], "ec2.aws", true, nil),
            (["HTTPS_PROXY": "http://p:3128"], "ec2.aws", true, "p:3128"),
            (["https_proxy": "p", "HTTPS_PROXY": "q"], "ec2.aws", true, "p:80"),
            (["https_proxy": "", "HTTPS_PROXY": "q"], "ec2.aws", true, nil),
            (["HTTP_PROXY": "p:1"], "ec2.aws", true, nil),
            (["HTTP_PROXY": "p:1"], "h", false, "p:1"),
            (["HTTP_PROXY": "p:1", "REQUEST_METHOD": "GET"], "h", false, nil),
            (["ALL_PROXY": "p:1"], "h", true, "p:1"),
            (["https_proxy": "p", "NO_PROXY": "h"], "h", true, nil),
            (["https_proxy": "p", "NO_PROXY": "x, .aws"], "ec2.AWS", true, nil),
            (["https_proxy": "p", "NO_PROXY": "aws"], "ec2.aws", true, nil),
            (["https_proxy": "p", "NO_PROXY": "ws"], "ec2.aws", true, "p:80"),
            (["https_proxy": "p", "NO_PROXY": "*"], "h", true, nil),
            (["https_proxy": "p", "NO_PROXY": "h:443"], "h", true, nil),
            (["https_proxy": "p", "NO_PROXY": "h:8443"], "h", true, "p:80"),
            (["https_proxy": "http://[::1]:8"], "h", true, "::1:8"),
        ] as [([String: String], String, Bool, String?)]
    )
    func choice(environment: [String: String], host: String, isSecure: Bool, proxy: String?) {
        let found = Proxies(environment).proxy(for: host, port: 443, isSecure: isSecure)
        #expect(found.map { "\($0.host):\($0.port)" } == proxy)
    }

    @Test("A proxy's password is decoded and never shown")
    func login() throws {
        let proxies = Proxies(["https_proxy": "http://me:p%40ss@proxy:3128/"])
        let proxy = try #require(proxies.proxy(for: "h", port: 443, isSecure: true))
        #expect(proxy.login?.user == "me" && proxy.login?.password == "p@ss")
        #expect(!"\(proxies)".contains("p@ss") && !"\(proxy)".contains("p@ss"))
    }

    @Test(
        "URLs are taken apart",
        arguments: [
            ("https://a.b/c?d=e#f", "a.b", 443, "/c?d=e", "a.b"),
            ("wss://a:1", "a", 1, "/", "a:1"), ("http://[::1]:80?x", "::1", 80, "/?x", "[::1]"),
            ("http://u:p@h:8/", "h", 8, "/", "h:8"),
        ]
    )
    func urls(text: String, host: String, port: Int, target: String, authority: String) throws {
        let url = try #require(WebURL(text))
        #expect(url.host == host && url.port == port && url.target == target)
        #expect(url.authority == authority)
    }

    @Test(
        "What is no URL is none",
        arguments: [
            "", "a", "ftp://a", "http://", "http://:80", "http://a:0", "http://a:99999",
            "http://a:x", "http://[::1", "http://[::1]x", "http://a b", "http://a\r\nHost: b",
        ]
    )
    func refusals(text: String) { #expect(WebURL(text) == nil) }
}
