package port

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// processAlive reports whether there is such a process, also another user's.
func processAlive(pid int) bool {
	if pid <= 0 {
		return false
	}
	err := syscall.Kill(pid, 0)
	return err == nil || errors.Is(err, syscall.EPERM)
}

// whoHas finds a process that has the line open without our lock: a terminal
// program. It sees this user's processes, root's eyes see all. Whoever made a
// pseudo-terminal has both its ends, and is in nobody's way.
func whoHas(path string) Holder {
	real := realName(path)
	number, pty := strings.CutPrefix(real, "/dev/pts/")
	fds, err := filepath.Glob("/proc/[0-9]*/fd/*")
	if err != nil {
		return Holder{}
	}
	var has []int
	makers := map[int]bool{os.Getpid(): true}
	for _, fd := range fds {
		target, err := os.Readlink(fd)
		if err != nil || target != real && !(pty && strings.HasSuffix(target, "/ptmx")) {
			continue
		}
		dir := filepath.Dir(filepath.Dir(fd))
		pid, err := strconv.Atoi(filepath.Base(dir))
		switch {
		case err != nil:
		case target == real:
			has = append(has, pid)
		case terminalOf(filepath.Join(dir, "fdinfo", filepath.Base(fd))) == number:
			makers[pid] = true
		}
	}
	for _, pid := range has {
		name, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "comm"))
		if makers[pid] || err != nil { // it has just ended
			continue
		}
		return Holder{PID: pid, Program: strings.TrimSpace(string(name))}
	}
	return Holder{}
}

// terminalOf is the number of the pseudo-terminal whose other end a descriptor
// is (proc_pid_fdinfo(5), tty-index).
func terminalOf(fdinfo string) string {
	text, err := os.ReadFile(fdinfo)
	if err != nil {
		return ""
	}
	_, number, _ := strings.Cut(string(text), "tty-index:")
	number, _, _ = strings.Cut(number, "\n")
	return strings.TrimSpace(number)
}
