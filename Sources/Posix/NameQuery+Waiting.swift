extension NameQuery {
    /// Asks the system and waits for the answer; only before there is a loop to hold up.
    ///
    /// C: `getaddrinfo`.
    /// - Returns: the addresses, or why there are none.
    public func answerNow() -> Result<NameAnswer, NameError> { answer(numeric: false) }
}
