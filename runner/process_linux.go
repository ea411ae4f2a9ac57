package runner

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// ownGroup starts a child in a process group of its own. The lifeline tells a
// child that its supervisor is gone; the signal does so too should a
// grandchild hold the lifeline open.
func ownGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
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

// descendants are the processes below one, by /proc/PID/stat (proc(5)).
func descendants(of int) (all []int) {
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return nil
	}
	children := map[int][]int{}
	for _, name := range stats {
		data, err := os.ReadFile(name)
		if err != nil {
			continue // it has ended
		}
		_, after, _ := strings.Cut(string(data[strings.LastIndexByte(string(data), ')')+1:]), " ") // a name may hold anything
		fields := strings.Fields(after)
		if len(fields) < 2 {
			continue
		}
		pid, err1 := strconv.Atoi(filepath.Base(filepath.Dir(name)))
		parent, err2 := strconv.Atoi(fields[1])
		if err1 == nil && err2 == nil {
			children[parent] = append(children[parent], pid)
		}
	}
	for todo := children[of]; len(todo) > 0; todo = todo[1:] {
		all = append(all, todo[0])
		todo = append(todo, children[todo[0]]...)
	}
	return all
}
