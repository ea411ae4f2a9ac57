// Package arm asks Azure Resource Manager about an IoT Hub: what it is (tier,
// quota, TLS, routes, who may come in), and which certificates it trusts (the
// guide, section 4). It speaks api-version 2026-11-01, by Microsoft's client for
// an earlier one.
//
// It promises that a hub is only ever read, and that a certificate is changed in
// the version that was read: nothing of anybody else's is replaced. Failures are
// a [record.Failure] with a cure, and wrap a cause that [errors.Is] tells. No
// token is in any of them.
package arm
