// AWS is what of Amazon's APIs ec2sh speaks: who we are, where to ask, and how a request is signed.
//
//     SharedFiles ─▶ Profile ─▶ Credentials ─┐
//     environment, profile ─▶ Endpoint ──────┴─▶ APIRequest ── Signature ─▶ the wire
//
// Everything here takes time, environment and files as arguments, and does nothing by itself.
