package delivery

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"hilrig/azure"
	"hilrig/azure/hub"
	"hilrig/fixtures"
	"hilrig/record"
	"hilrig/record/wording"
)

// numbered is a telemetry message with the counter that its payload carries.
type numbered struct {
	seq  int64
	conn int64
	dup  bool
	at   time.Time
}

// counted are the run's messages that carry a counter, by the device's lives. Specs that need one are
// not applicable to a type that declares none.
func counted(ctx context.Context, b *fixtures.Trial) (lives [][]numbered) {
	if b.Type.Payload.Sequence == "" {
		b.NotApplicable("the type's payload has no counter (payload.sequence)")
	}
	return livesOf(b, messages(ctx, b, 5))
}

// livesOf reads the counters of messages, each life of the device by itself: a
// counter may begin again with it.
func livesOf(b *fixtures.Trial, events []hub.Event) (lives [][]numbered) {
	for _, life := range b.Lives(events) {
		lives = append(lives, numberedOf(b, life))
	}
	return lives
}

// numberedOf reads the counters of messages.
func numberedOf(b *fixtures.Trial, events []hub.Event) []numbered {
	var all []numbered
	for _, e := range events {
		seq, err := fixtures.NumberAt(e.Message.Payload, b.Type.Payload.Sequence)
		if err != nil {
			b.NotRun(fmt.Sprintf("payload without its counter: %v; see delivery/payload", err))
		}
		all = append(all, numbered{seq: seq, conn: e.Conn, dup: e.Message.Dup, at: e.At})
	}
	return all
}

// noLoss looks for gaps within each session: what an outage between two
// sessions cost is recovery's to measure. Without a counter the messages are
// counted against the type's interval.
func noLoss(ctx context.Context, b *fixtures.Trial) {
	if b.Type.Payload.Sequence == "" {
		noLossByCount(ctx, b)
		return
	}
	got, err := b.Messages(ctx, 5)
	if len(got) > 0 {
		b.Must(err) // it delivered, and then it stopped
	}
	b.Premise(err)
	goesOn(ctx, b, got[len(got)-1])
	b.Measure("messages judged", float64(len(got)), "", nil, nil)
	warnOfRestarts(b, b.Lives(got))
	for _, all := range livesOf(b, got) {
		missing, gap := missingOf(all)
		b.That(len(missing) == 0, fixtures.Finding{
			Expected: fmt.Sprintf("every message from %d to %d", all[0].seq, all[len(all)-1].seq),
			Seen:     "missing: number " + strings.Join(missing, ", "), At: gap,
			Look: "the firmware's send queue: how long is it, what does it drop when it is full, does it keep a message until its PUBACK?",
		})
	}
}

// warnOfRestarts tells of lives that nobody asked for: what a device had not
// sent yet is lost with each.
func warnOfRestarts(b *fixtures.Trial, lives [][]hub.Event) {
	unasked := b.Unasked(lives)
	if len(unasked) == 0 {
		return
	}
	var when []string
	for _, i := range unasked[:min(len(unasked), 4)] {
		when = append(when, fmt.Sprintf("%.2f s", b.At(lives[i][0].At)))
	}
	first := lives[unasked[0]][0]
	n, _ := b.Counter(first)
	b.WarnOf(fixtures.Finding{
		Expected: "a counter that begins again only when the device is restarted",
		Seen: fmt.Sprintf("%s that nobody asked for: in a new session its counter began again, at %d, without a command, a load or a power cycle (%s)",
			times(len(unasked), "a restart", "restarts"), n, strings.Join(when, ", ")),
		Look: "the device's console just before: a crash, a watchdog, a supply that breaks down when the radio sends; or a counter that the firmware begins anew with each session",
		At:   first.At,
	})
}

func times(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// missingOf are the numbers that are missing in the sessions of a life, the
// first ten of them, and when the first was missed.
func missingOf(all []numbered) (missing []string, gap time.Time) {
	seen := map[int64]bool{}
	for _, m := range all {
		seen[m.seq] = true
	}
	for i := 1; i < len(all); i++ {
		a, c := all[i-1], all[i]
		for n := a.seq + 1; a.conn == c.conn && n < c.seq && len(missing) < 10; n++ {
			if !seen[n] {
				missing = append(missing, fmt.Sprint(n))
				if gap.IsZero() {
					gap = c.at
				}
			}
		}
	}
	return missing, gap
}

// goesOn asks a session that is up for another message where the last one is
// old: one that has stalled loses everything that comes.
func goesOn(ctx context.Context, b *fixtures.Trial, last hub.Event) {
	_, _, live := b.Session()
	if !live || time.Since(last.At) < 2*b.Type.Timing.Interval {
		return
	}
	b.Step("the last message is %.1f s old; wait for the next", time.Since(last.At).Seconds())
	_, err := b.AwaitMessage(ctx, last.Seq+1, b.Type.Timing.PublishWithin)
	if _, _, live := b.Session(); live {
		b.Must(err)
	}
}

func noLossByCount(ctx context.Context, b *fixtures.Trial) {
	b.Step("no counter in the payload: counting messages against the interval")
	start := time.Now()
	mark := b.Mark()
	const n = 5
	count := 0
	_, err := b.Await(ctx, mark, n*b.Type.Timing.Interval*3/2+5*time.Second, fmt.Sprintf("%d messages in %d intervals", n, n), func(e hub.Event) bool {
		if e.Telemetry() {
			count++
		}
		return count >= n
	})
	b.Measure("messages judged", float64(count), "", nil, nil)
	b.Measure("time for them", time.Since(start).Seconds(), "s", nil, nil)
	b.Must(err)
}

// resends is whether a message of another session may be one that is sent again:
// a hub that shows no packets does not show DUP. One that shows no connections
// either does not show where a session ends: there nothing is judged.
func resends(b *fixtures.Trial) (unmarked bool) {
	if b.Shows(hub.AllPackets) {
		return false
	}
	if !b.Shows(hub.Handshakes) {
		b.NotApplicable("this hub shows neither DUP nor connections: what comes again may be a resend (a tap would show them)")
	}
	return true
}

func order(ctx context.Context, b *fixtures.Trial) {
	unmarked := resends(b)
	for _, life := range counted(ctx, b) {
		high, conn := int64(-1), int64(0)
		for _, m := range life {
			if unmarked && m.conn != conn {
				high, conn = -1, m.conn
			}
			b.That(m.seq > high || m.dup || m.seq == high, fixtures.Finding{
				Expected: "numbers that rise", Seen: fmt.Sprintf("number %d after number %d, not marked DUP", m.seq, high),
				Look: "whether two tasks of the firmware publish, and whether it resends behind newer messages", At: m.at,
			})
			high = max(high, m.seq)
		}
	}
}

func payload(ctx context.Context, b *fixtures.Trial) {
	got := messages(ctx, b, 3)
	schema, err := b.Type.Payload.Compile()
	if err != nil { // it could be read before the run
		b.Must(record.NewFailure(record.RigHost, "judge payloads by", "the type's schema", err))
	}
	warned := false
	isJSON := schema != nil || b.Type.Payload.Sequence != ""
	for _, e := range got {
		body := e.Message.Payload
		if isJSON || strings.HasPrefix(e.Message.System[azure.SystemContentType], "application/json") {
			judgeUTF8(b, "a payload", body, e.At)
			warned = warned || warnOfNames(b, "a payload", body, e.At)
		}
		b.That(len(body) > 0, fixtures.Finding{Expected: "a payload", Seen: "an empty message", At: e.At, Look: "what the firmware publishes before its first measurement"})
		if isJSON {
			judgeWhole(b, "a payload", body, e.At)
		}
		if p := b.Type.Payload.Sequence; p != "" {
			_, err := fixtures.NumberAt(body, p)
			b.That(err == nil, fixtures.Finding{Expected: "a counter at " + p, Seen: fmt.Sprintf("%v in %.120q", err, body), At: e.At, Look: payloadLook})
		}
		if schema != nil {
			var v any
			err := json.Unmarshal(body, &v)
			if err == nil {
				err = schema.Validate(v)
			}
			if err != nil {
				b.Fail(fixtures.Finding{Expected: "a payload by " + b.Type.Payload.Schema, Seen: fmt.Sprintf("%.120q: %s", body, wording.OneLine(err.Error())), At: e.At, Look: "what builds the payload in the firmware, or the schema that the type names in payload.schema"})
			}
		}
	}
	b.Measure("payload size", float64(len(got[len(got)-1].Message.Payload)), "B", nil, nil)
	for _, m := range numbers(got[len(got)-1].Message.Payload) {
		b.Measure("payload "+m.Name, m.Value, "", nil, nil)
	}
}

// numbers are the payload's own measurements: its top-level numbers, by name.
func numbers(payload []byte) []record.Measurement {
	var m map[string]any
	if json.Unmarshal(payload, &m) != nil {
		return nil
	}
	var out []record.Measurement
	for _, k := range sortedKeys(m) {
		if v, ok := m[k].(float64); ok {
			out = append(out, record.Measurement{Name: k, Value: v})
		}
	}
	return out
}

func sortedKeys(m map[string]any) []string { return slices.Sorted(maps.Keys(m)) }
