package terminal

import (
	"bytes"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/vbauerster/cupwriter"
	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
)

// tall is a terminal of so many lines that keeps what is drawn.
type tall struct {
	*rows
	flushed chan struct{}
}

func (tall) IsTerminal() bool { return true }

func (t tall) Flush(n int) error {
	err := t.rows.Flush(n)
	select {
	case t.flushed <- struct{}{}:
	default:
	}
	return err
}

// What was drawn is wiped before it is drawn anew, also where more bars are than
// lines: nothing of it stays above, and the first line is not touched.
func TestAllRowsThatWereDrawnAreWiped(t *testing.T) {
	for _, c := range []struct{ bars, height, want int }{{3, 24, 3}, {22, 24, 22}, {24, 24, 22}, {31, 24, 22}, {31, 2, 1}, {31, 1, 1}} {
		var out bytes.Buffer
		to := tall{&rows{Writer: cupwriter.New(&out, true), size: func() (int, int, error) { return 80, c.height, nil }}, make(chan struct{}, 3)}
		refresh := make(chan any)
		all := mpb.New(mpb.WithConsoleWriter(to), mpb.WithManualRefresh(refresh))
		var bars []*mpb.Bar
		for range c.bars {
			bars = append(bars, all.New(10, mpb.NopStyle(), mpb.PrependDecorators(decor.Name("a row"))))
		}
		for range 3 {
			refresh <- nil
			<-to.flushed
		}
		for _, b := range bars {
			b.Abort(false)
		}
		all.Wait()
		frames := regexp.MustCompile("\x1b\\[(\\d+)A\x1b\\[J").FindAllStringSubmatch(out.String(), -1)
		if len(frames) < 2 {
			t.Fatalf("%d bars on %d lines: %d frames", c.bars, c.height, len(frames))
		}
		first, _, _ := strings.Cut(out.String(), "\x1b")
		if drawn := strings.Count(first, "\n"); drawn != c.want {
			t.Errorf("%d bars on %d lines: %d drawn, want %d", c.bars, c.height, drawn, c.want)
		}
		for _, f := range frames {
			if up, err := strconv.Atoi(f[1]); err != nil || up != c.want {
				t.Errorf("%d bars on %d lines: %s rows are wiped, want %d", c.bars, c.height, f[1], c.want)
			}
		}
	}
}
