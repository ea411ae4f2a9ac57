package runner

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// ownGroup starts a child in a session, and so in a process group, of its own:
// what it starts is known by that also when the child is dead. The lifeline
// tells a child that its supervisor is gone; the signal does so too should a
// grandchild hold the lifeline open.
func ownGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGTERM}
}

// killTree kills a child that has not been waited for, with all it started, also
// what has a group of its own: a power command that hangs must not switch the
// power hours later.
func killTree(p *os.Process) {
	below := descendants(p.Pid)
	killGroup(p)
	for _, pid := range below {
		_ = syscall.Kill(pid, syscall.SIGKILL) // it may be gone already
	}
}

// killLeft kills what a child has left that is dead and has been waited for: all
// that is in its session, but for what went into one of its own, as a daemon
// does. It returns when nothing of it can do anything any more, or after a second.
func killLeft(child int) {
	for end := time.Now().Add(time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		var left []int
		for _, p := range processes() {
			switch {
			case p.pid == child:
				return // a stranger's, which has the number now
			case p.session == child && p.state != "Z":
				left = append(left, p.pid)
			}
		}
		if len(left) == 0 {
			return
		}
		for _, pid := range left {
			_ = syscall.Kill(pid, syscall.SIGKILL) // it may be gone already
		}
	}
}

// descendants are the processes below one.
func descendants(of int) (all []int) {
	children := map[int][]int{}
	for _, p := range processes() {
		children[p.parent] = append(children[p.parent], p.pid)
	}
	for todo := children[of]; len(todo) > 0; todo = todo[1:] {
		all = append(all, todo[0])
		todo = append(todo, children[todo[0]]...)
	}
	return all
}

// process is one of this machine, as /proc/PID/stat tells of it (proc(5)).
type process struct {
	pid, parent, session int
	state                string
}

func processes() (all []process) {
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return nil
	}
	for _, name := range stats {
		data, err := os.ReadFile(name)
		if err != nil {
			continue // it has ended
		}
		fields := strings.Fields(string(data[strings.LastIndexByte(string(data), ')')+1:])) // a name may hold anything
		if len(fields) < 4 {
			continue
		}
		pid, err1 := strconv.Atoi(filepath.Base(filepath.Dir(name)))
		parent, err2 := strconv.Atoi(fields[1])
		session, err3 := strconv.Atoi(fields[3])
		if errors.Join(err1, err2, err3) == nil {
			all = append(all, process{pid, parent, session, fields[0]})
		}
	}
	return all
}
