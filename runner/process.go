package runner

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"hilrig/fixtures"
	"hilrig/record"
	"hilrig/record/wording"
)

// GracePeriods bound how long a child may take to end.
type GracePeriods struct {
	Stop  time.Duration // after "stop", before "now": the step that runs must be able to finish
	Now   time.Duration // after "now", before it is killed: longer than the teardown's own deadline
	Twice time.Duration // the same after a second interrupt, for all that is left; 0: Now
	Exit  time.Duration // after its last word
	Drain time.Duration // of silence after its death: a grandchild may hold its output open
}

// killedDrain is Drain for a child that was killed with all that it started.
const killedDrain = 200 * time.Millisecond

// DefaultGracePeriods fit a Bench, whose teardown takes ten seconds at most, and a
// process that is gone three seconds after a second interrupt.
func DefaultGracePeriods() GracePeriods {
	return GracePeriods{Stop: 30 * time.Second, Now: 15 * time.Second, Twice: 2 * time.Second, Exit: 5 * time.Second, Drain: time.Second}
}

// child is one process that runs the specs of one device.
type child struct {
	device   string
	cmd      *exec.Cmd
	lifeline *os.File // its standard input
	stdout   *os.File
	stderr   *os.File
	log      *os.File
	tail     *lastLines

	ended chan ChildResult // its last word
	given chan struct{}    // the job has been handed over
	gone  chan struct{}    // the process has ended
	read  chan struct{}    // both its outputs are read to the end
}

// startChild starts a process for a job, in a process group of its own so that
// Ctrl-C reaches the supervisor alone, and hands it the job. It takes over way,
// the child's end of a shared port, and fed, its end of what is read for it; nil:
// it has a port of its own, and reads by itself.
func (s *Supervisor) startChild(job fixtures.Job, way, fed *os.File, crowded bool, take func(record.Event), noise func(string)) (_ *child, err error) {
	c := &child{device: job.Device.Name, ended: make(chan ChildResult, 1), given: make(chan struct{}), gone: make(chan struct{}), read: make(chan struct{})}
	var files []*os.File
	defer func() {
		if err != nil {
			for _, f := range files {
				_ = f.Close() // the start's error is the one that counts
			}
		}
	}()
	defer closeAll(way, fed) // the child has its own
	dir := filepath.Join(job.Dir, "devices", c.device)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, hostFailure("make", dir, err)
	}
	if c.log, err = os.OpenFile(filepath.Join(dir, "child.log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644); err != nil {
		return nil, hostFailure("open log in", dir, err)
	}
	files = append(files, c.log)
	c.tail = &lastLines{file: c.log}
	c.cmd = exec.Command(s.Command[0], s.Command[1:]...)
	c.cmd.Env = record.Without(oneThread(s.Env, crowded), job.Secret)
	c.cmd.SysProcAttr = ownGroup()
	if way != nil {
		c.cmd.ExtraFiles = append(c.cmd.ExtraFiles, way)
	}
	if fed != nil {
		job.Feed = inherited + len(c.cmd.ExtraFiles)
		c.cmd.ExtraFiles = append(c.cmd.ExtraFiles, fed)
	}
	job.Held = record.Held(needs(job))
	theirs, err := c.pipes(&files)
	if err != nil {
		return nil, hostFailure("make pipes for", "child", err)
	}
	start := (*exec.Cmd).Start
	if job.Device.Serial.Emulated != nil {
		start = func(cmd *exec.Cmd) error { return startCoarse(cmd, slack(crowded)) }
	}
	if err := start(c.cmd); err != nil {
		return nil, record.NewFailure(record.RigHost, "start", s.Command[0], err)
	}
	for _, f := range theirs {
		_ = f.Close() // the child has its own
	}
	s.children.add(c.cmd.Process)
	go func() { defer s.guard(); c.readAll(take, noise, s.GracePeriods) }()
	go func() { defer s.guard(); c.hand(job) }()
	go func() {
		_ = c.cmd.Wait() // how it ended is in ProcessState
		s.children.remove(c.cmd.Process)
		close(c.gone)
	}()
	return c, nil
}

// inherited is the number of the first file that a child is given at its start,
// behind its three streams.
const inherited = 3

// closeAll closes files that a child has its own copies of; nil ones are none.
func closeAll(files ...*os.File) {
	for _, f := range files {
		if f != nil {
			_ = f.Close()
		}
	}
}

// pipes connects the child's three streams and returns its ends of them.
func (c *child) pipes(files *[]*os.File) (theirs []*os.File, err error) {
	for i := range 3 {
		r, w, err := os.Pipe()
		if err != nil {
			return nil, err
		}
		*files = append(*files, r, w)
		switch i {
		case 0:
			c.cmd.Stdin, c.lifeline = r, w
			theirs = append(theirs, r)
		case 1:
			c.cmd.Stdout, c.stdout = w, r
			theirs = append(theirs, w)
		case 2:
			c.cmd.Stderr, c.stderr = w, r
			theirs = append(theirs, w)
		}
	}
	return theirs, nil
}

// hand writes the job. A child that does not read it is ended by the run's
// time like any other that hangs.
func (c *child) hand(job fixtures.Job) {
	defer close(c.given)
	line, err := json.Marshal(job)
	if err == nil {
		_, err = c.lifeline.Write(append(line, '\n'))
	}
	if err != nil {
		_ = c.lifeline.Close() // without a job it sees the end of its input and ends, and its end says why
	}
}

// tell writes an order; a child that is gone or does not read is past telling.
func (c *child) tell(word string) {
	select {
	case <-c.given: // an order before the job would be taken for it
	case <-c.gone:
		return
	}
	_ = c.lifeline.SetWriteDeadline(time.Now().Add(time.Second)) // not every platform has it for pipes
	_, _ = c.lifeline.WriteString(word + "\n")
}

func (c *child) readAll(take func(record.Event), noise func(string), g GracePeriods) {
	defer close(c.read)
	logged := make(chan struct{})
	go func() {
		defer close(logged)
		readLines(c.untilSilent(c.stderr, g), maxLine, c.tail.line)
	}()
	readLines(c.untilSilent(c.stdout, g), maxLine, func(b []byte, whole bool) {
		e, err := parseEvent(b)
		switch {
		case !whole:
			noise("half a line on the event stream: " + clip(b, 200))
		case err != nil:
			noise(fmt.Sprintf("a line on the event stream is %v: %s", err, clip(b, 200)))
		default:
			c.noteEnd(e)
			take(e)
		}
	})
	<-logged
}

func (c *child) noteEnd(e record.Event) {
	if e.Kind != record.KindChildEnded {
		return
	}
	var w ChildResult
	if len(e.Data) > 0 {
		_ = e.Decode(&w) // a last word without a cause: all is said
	}
	select {
	case c.ended <- w:
	default: // it said so before
	}
}

// wait passes the run's orders on until the child is gone, and says how it
// ended.
func (c *child) wait(h *halt, g GracePeriods) childExit {
	e := childExit{pid: c.cmd.Process.Pid}
	stop, now, kill := h.at(orderStop), h.at(orderNow), h.at(orderKill)
	ended := c.ended
	var overdue <-chan time.Time
	for {
		select {
		case <-stop:
			stop = nil
			go c.tell("stop " + wording.OneLine(h.why()))
		case <-now:
			now = nil
			go c.tell("now")
		case <-kill:
			kill = nil
			e.killed = "did not end when told to"
			killTree(c.cmd.Process)
		case w := <-ended:
			e.word, ended = &w, nil
			overdue = time.After(g.Exit)
		case <-overdue:
			overdue = nil
			e.killed = fmt.Sprintf("was still there %s after its last word", g.Exit)
			killTree(c.cmd.Process)
		case <-c.gone:
			if e.killed != "" {
				g.Drain = min(g.Drain, killedDrain)
			}
			c.finish(&e, g)
			e.halted = h.why()
			return e
		}
	}
}

// untilSilent reads from a child's output to its end, or until the child is
// dead and nothing has come for a while. What is in the pipe then is read
// however late the reader is.
func (c *child) untilSilent(f *os.File, g GracePeriods) io.Reader {
	return readerFunc(func(b []byte) (int, error) {
		select {
		case <-c.gone:
			_ = f.SetReadDeadline(time.Now().Add(g.Drain)) // not every platform has it for pipes; finish knows
		default:
		}
		return f.Read(b)
	})
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(b []byte) (int, error) { return f(b) }

// readWithin bounds the reading of what a dead child has said.
const readWithin = time.Minute

// finish reads what the child still said and closes everything.
func (c *child) finish(e *childExit, g GracePeriods) {
	within := readWithin
	for _, f := range []*os.File{c.stdout, c.stderr} { // wakes a reader that waits
		if err := f.SetReadDeadline(time.Now().Add(g.Drain)); err != nil {
			within = g.Drain + time.Second
		}
	}
	select {
	case <-c.read:
	case <-time.After(within):
	}
	_ = c.stdout.Close()
	_ = c.stderr.Close()
	<-c.read
	select {
	case w := <-c.ended:
		e.word = &w
	default:
	}
	e.signal, e.code = deathOf(c.cmd.ProcessState)
	if e.word != nil && e.killed == "" && (e.signal != 0 || e.code != 0) && e.word.Cause == "" {
		e.word = nil // it said goodbye and then crashed: what it left behind is not to be trusted
	}
	e.tail = c.tail.word()
	_ = c.lifeline.Close()
	_ = errors.Join(c.tail.err, c.log.Close()) // a log that could not be written changes no verdict
}
