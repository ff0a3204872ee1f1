// AWS is what of Amazon's APIs ec2sh speaks: who we are, where to ask, and how a request is signed.
//
//     files, environment ─▶ Profile ─▶ CredentialChain ─▶ Credentials ─┐
//                              └─▶ region, Access ─▶ Endpoint ─────────┴─▶ APIRequest ── Signature
//                                                                                │
//     ServiceCaller (what calls are written against) ◀─ AWSClient ◀─ retries ◀─ the wire
//
// Nothing here runs by itself: who needs AWS makes an ``AWSClient``, and it asks nobody before it
// is asked. Calls/ has a file for each action.
