package suites

// Reason says why a spec is in the catalogue.
type Reason struct {
	Why    string // what a fleet in the field pays for it
	Source string // G the guide, A Azure, M MQTT 3.1.1, T TLS practice, DA AWS Device Advisor, field
}

// Reasons are the catalogue's, by spec id.
func Reasons() map[string]Reason {
	return map[string]Reason{
		"identity/key-pair":                 {"an identity that the hub or the device cannot use makes every later red meaningless", "G"},
		"identity/thumbprint":               {"a wrong thumbprint locks the device out, and looks like a device fault", "G A"},
		"identity/pem":                      {"a stray `*` or line end cuts a file short on the wire", "G"},
		"identity/root":                     {"a root that does not sign the hub locks the device out", "A"},
		"identity/registered":               {"the hub answers 5 to a device that it does not know", "G"},
		"provisioning/root":                 {"OK means success: a device that does not say it cannot be onboarded", "G"},
		"provisioning/certificate":          {"OK means success: a device that does not say it cannot be onboarded", "G"},
		"provisioning/key":                  {"OK means success: a device that does not say it cannot be onboarded", "G"},
		"provisioning/presented":            {"another certificate than the one loaded belongs to another device, or to nobody", "G"},
		"provisioning/line-rate":            {"minutes at the bench, times the fleet", "G"},
		"provisioning/no-key-on-console":    {"whoever plugs in a cable has the identity", "field"},
		"provisioning/replace":              {"a revoked identity that stays in use", "G"},
		"provisioning/rejects-garbage":      {"a typo at the bench becomes a device that never connects, or trusts everybody", "G"},
		"provisioning/rejects-truncated":    {"a slipped cable becomes a device that never connects", "G"},
		"provisioning/rejects-wrong-kind":   {"swapped files are the commonest mistake of all", "G"},
		"provisioning/rejects-unknown-slot": {"an OK for nothing hides a typo in the command", "G"},
		"provisioning/aborted-transfer":     {"a pulled cable must not brick a device", "field"},
		"tls/version":                       {"IoT Hub speaks 1.2", "G"},
		"tls/cipher-suites":                 {"since August 2025 IoT Hub takes four suites only", "A DA"},
		"tls/server-name":                   {"without SNI the cloud shows another certificate, or none", "A"},
		"tls/client-certificate":            {"without one the hub answers 5", "G"},
		"tls/unknown-root":                  {"the device talks to anybody who answers", "DA T"},
		"tls/self-signed":                   {"the device talks to anybody who answers", "DA T"},
		"tls/wrong-name":                    {"any certificate of the same authority will do for an attacker", "DA T"},
		"tls/expired":                       {"a stolen key stays good for ever", "DA T"},
		"tls/not-yet-valid":                 {"a clock that was never set", "T"},
		"tls/no-server-auth":                {"a device's own certificate can play the hub", "T"},
		"tls/not-a-ca":                      {"every leaf can sign a hub", "T"},
		"session/protocol":                  {"IoT Hub answers 1, or nothing, to anything but 3.1.1", "A"},
		"session/client-id":                 {"two devices with one id throw each other out in a loop", "G A"},
		"session/user-name":                 {"a user name without its api-version: unexpected behaviour, says Microsoft", "G A"},
		"session/no-password":               {"a password makes the hub look for a token and forget the certificate", "A"},
		"session/keep-alive":                {"a dead connection that nobody notices", "A"},
		"session/no-self-takeover":          {"connects and throws itself out, for ever, on a paid line", "field"},
		"session/pings":                     {"silence for longer than a keep-alive and a half: the hub drops the connection", "M 3.1.2.10"},
		"session/ping-unanswered":           {"a hub that is gone is never noticed, and data goes nowhere for hours", "DA"},
		"session/late-pingresp":             {"a slow link becomes a loop of reconnects", "field"},
		"session/will":                      {"a will that the hub does not take: the connection is refused, or the will is lost", "A"},
		"session/refused":                   {"a hub that is busy for a minute silences a fleet for good", "A"},
		"session/no-connack":                {"data sent into a session that is none is lost", "DA"},
		"session/conformance":               {"what one broker forgives, the next closes the connection for", "M"},
		"delivery/first-message":            {"the whole point", "G"},
		"delivery/topic":                    {"any other topic: the hub closes the connection, in a loop", "G A"},
		"delivery/qos":                      {"QoS 2: the hub closes the connection", "A"},
		"delivery/retain":                   {"not kept, marked in every message", "A"},
		"delivery/size":                     {"over 256 kB: the hub closes the connection", "A"},
		"delivery/payload":                  {"bytes that nobody can read are lost data", "field"},
		"delivery/interval":                 {"too often costs quota, too seldom costs data", "field"},
		"delivery/no-loss":                  {"lost data", "field"},
		"delivery/order":                    {"values that jump back in time", "M"},
		"delivery/no-duplicates":            {"values counted twice", "M"},
		"delivery/auth-method":              {"a device that came in by another door than its certificate", "A"},
		"recovery/server-disconnect":        {"a fleet that does not come back, or comes back all at once", "DA"},
	}
}
