package runner

import (
	"os"
	"runtime"
	"slices"
	"strings"
)

const goThreads = "GOMAXPROCS="

// environ is what a child is started with. Where more devices are emulated at
// once than the host has processors, each child and its emulator use one at a
// time: Go else wakes a second thread for whatever is to be done, and none is
// free for it. A quarter of all switches between threads were for that. Who has
// set it already has it as set.
func (r *run) environ() []string {
	emulated := 0
	for _, d := range r.plan.Devices {
		if d.Serial.Emulated != nil {
			emulated++
		}
	}
	return oneThread(r.Env, min(emulated, r.plan.Jobs) > runtime.NumCPU())
}

// oneThread is the environment with one thread for each process, if they are
// crowded; nil is this process's own.
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
