package doctor

import (
	"context"
	"time"
)

// leastYear is when this was written: no sane clock is before it.
const leastYear = 2026

func checkClock(_ context.Context, h *Host) []Result {
	now := h.Now()
	if y := now.Year(); y < leastYear || y > leastYear+20 {
		return []Result{bad("sudo timedatectl set-ntp true, or date -s", "the clock says %s: certificates made now would be refused", now.Format(time.RFC3339))}
	}
	switch synced, known := h.ClockSynced(); {
	case !known:
		return []Result{fine("%s; whether it is synchronised cannot be told", now.UTC().Format(time.RFC3339))}
	case !synced:
		return []Result{warn("sudo timedatectl set-ntp true; in a closed lab, a time server of its own", "%s, not synchronised by NTP", now.UTC().Format(time.RFC3339))}
	}
	return []Result{fine("%s, synchronised", now.UTC().Format(time.RFC3339))}
}
