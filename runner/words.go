package runner

import "sync"

// words puts what a run says of its own halting into the log and the events,
// from a goroutine of its own: whoever gives an order waits for nobody.
type words struct {
	said chan word
	log  func(text string)

	mu   sync.Mutex // held while something is told
	tell func(text string)
}

// word is a text, or, where told is set, a question whether all before it is
// said.
type word struct {
	text string
	told chan struct{}
}

func newWords(log func(string)) *words { return &words{said: make(chan word, 16), log: log} }

// say does not wait; beyond what sixteen orders have to say it is dropped.
func (w *words) say(text string) {
	select {
	case w.said <- word{text: text}:
	default:
	}
}

// speak says it all until done is closed.
func (w *words) speak(done <-chan struct{}) {
	for {
		select {
		case <-done:
			return
		case s := <-w.said:
			if s.told != nil {
				close(s.told)
				continue
			}
			w.mu.Lock()
			if w.tell != nil {
				w.tell(s.text)
			}
			w.mu.Unlock()
			w.log(s.text)
		}
	}
}

// to says where words go from now on.
func (w *words) to(tell func(string)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.tell = tell
}

// hush waits until all that was said is told, and tells nobody any more.
func (w *words) hush() {
	told := make(chan struct{})
	w.said <- word{told: told}
	<-told
	w.to(nil)
}
