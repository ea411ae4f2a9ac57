package certs

import "time"

// How long things are valid, and how long before their end they are renewed.
//
// The dates are chosen for devices without the right time. The good server
// certificate begins where the expired one ended, years back, so a device
// whose clock stands at its firmware's build date judges both as one with the
// right time does. And nothing of the rig's passes January 2038 before it must:
// as the real root of IoT Hub, DigiCert Global Root G2, it ends four days
// before a signed 32-bit clock does, and so no date is a device's excuse.
const (
	caYears     = 20
	serverYears = 10
	renewBefore = 30 * 24 * time.Hour
)

func day(year int, month time.Month, d int) time.Time {
	return time.Date(year, month, d, 0, 0, 0, 0, time.UTC)
}

var (
	caFrom       = day(2014, time.January, 1)
	expiredFrom  = day(2014, time.June, 1)
	expiredUntil = day(2016, time.June, 1)
	serverFrom   = expiredUntil
	lastDay      = day(2038, time.January, 15)
)

// validUntil is lastDay while that is some years off, later that many years on.
func validUntil(now time.Time, years int) time.Time {
	if now.AddDate(2, 0, 0).Before(lastDay) {
		return lastDay
	}
	return now.UTC().Truncate(time.Second).AddDate(years, 0, 0)
}

// notYet is the validity of a certificate that begins years ahead, within the
// time of its issuer and of a 32-bit clock while there is any.
func notYet(now time.Time) (from, until time.Time) {
	from = lastDay.AddDate(-1, 0, 0)
	if !now.AddDate(2, 0, 0).Before(from) {
		from = now.UTC().Truncate(time.Second).AddDate(5, 0, 0)
	}
	return from, from.AddDate(0, 11, 0)
}
