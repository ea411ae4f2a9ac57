package runner

import (
	"os"
	"runtime"
	"slices"
	"strings"
	"time"
)

const goThreads = "GOMAXPROCS="

// crowded says that more devices are emulated at once than the host has
// processors.
func (r *run) crowded() bool {
	emulated := 0
	for _, d := range r.plan.Devices {
		if d.Serial.Emulated != nil {
			emulated++
		}
	}
	return min(emulated, r.plan.Jobs) > runtime.NumCPU()
}

// oneThread is the environment, nil being this process's own, with one thread
// for a child and one for its emulator where they are crowded: Go else wakes a
// second one for whatever is to be done, and no processor is free for it. A
// quarter of all switches between threads were for that. Who has set it already
// has it as set.
func oneThread(env []string, crowded bool) []string {
	if env == nil {
		env = os.Environ()
	}
	set := slices.ContainsFunc(env, func(v string) bool { return strings.HasPrefix(v, goThreads) })
	if !crowded || set {
		return env
	}
	return append(slices.Clip(env), goThreads+"1")
}

// slack is how late the timers of an emulated device's child may be. Linux's own
// is 50 µs; what a crowd waits for the processor is more than the five
// milliseconds that it has here. Each process of Go looks after itself by such a
// timer while it has work, which with two milliseconds was a tenth of all that
// was worked.
func slack(crowded bool) time.Duration {
	if crowded {
		return 5 * time.Millisecond
	}
	return 500 * time.Microsecond
}
