package events

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azeventhubs/v2"

	"hilrig/azure/hub"
	"hilrig/azure/iothub/access"
)

const (
	openWithin   = 10 * time.Second       // everything up to the positions of all partitions
	provenWithin = 2 * time.Second        // the last event of before, read again
	emptyWithin  = 300 * time.Millisecond // without a word more, where nothing of before can be read
	askAfter     = 2 * time.Second        // without a word the endpoint is asked for one
	answerWithin = 4 * time.Second        // that it has for it
	prefetch     = 50                     // events of a partition, up to 256 kB each
)

// NoticedWithin bounds how long a reader takes to notice that it hears nothing any
// more.
const NoticedWithin = 2*askAfter + answerWithin

// session is one connection to the endpoint. It ends with its first error: what
// comes then is up to the reader, who is to tell of it.
type session struct {
	source *source
	client *azeventhubs.ConsumerClient
	ids    []string
	read   map[string]int64 // sequence number of the last event of each partition; shared with the sessions after it
	answer time.Duration    // that the endpoint took for what was asked last, while it opened

	mu      sync.Mutex
	current *wire // that the client uses

	failed  chan error // its first error
	running sync.WaitGroup
	stop    context.CancelFunc
}

// connect opens a session: rights are proven, and the position of each partition
// is known. Positions of before stay.
func (s *source) connect(ctx context.Context, read map[string]int64) (*session, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, openWithin, errNoAnswer)
	defer cancel()
	n := &session{source: s, read: read, failed: make(chan error, 1), stop: func() {}}
	options := &azeventhubs.ConsumerClientOptions{
		ApplicationID:    "hilrig",
		RetryOptions:     azeventhubs.RetryOptions{MaxRetries: -1}, // the reader tries again, and tells
		NewWebSocketConn: n.dial,
	}
	var err error
	if s.Credential != nil {
		n.client, err = azeventhubs.NewConsumerClient(s.namespace, s.entity, s.Group, s.Credential, options)
	} else {
		n.client, err = azeventhubs.NewConsumerClientFromConnectionString(s.ConnectionString, "", s.Group, options)
	}
	if err != nil {
		return nil, s.explain(stepConnect, err)
	}
	defer context.AfterFunc(ctx, n.hangUp)() // the client waits without a bound in places
	if err := n.position(ctx); err != nil {
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		}
		n.close()
		return nil, s.explain(stepConnect, err)
	}
	return n, nil
}

// position finds out where each partition ends.
func (n *session) position(ctx context.Context) error {
	all, err := n.client.GetEventHubProperties(ctx, nil)
	if err != nil {
		return err
	}
	n.ids = all.PartitionIDs
	unknown := slices.DeleteFunc(slices.Clone(n.ids), func(id string) bool { _, known := n.read[id]; return known })
	errs := make([]error, len(unknown))
	var each sync.WaitGroup
	asked := time.Now()
	for i, id := range unknown {
		each.Go(func() {
			p, err := n.client.GetPartitionProperties(ctx, id, nil)
			switch errs[i] = err; {
			case err != nil:
			case p.IsEmpty:
				n.passed(id, none)
			default:
				n.passed(id, p.LastEnqueuedSequenceNumber)
			}
		})
	}
	each.Wait()
	n.answer = time.Since(asked)
	return errors.Join(errs...)
}

// none is the position in a partition that has held no event.
const none = -1

// dial is for the client, which would not tell what goes wrong on the way.
func (n *session) dial(ctx context.Context, _ azeventhubs.WebSocketConnParams) (net.Conn, error) {
	w, err := n.source.dial(ctx)
	if err != nil {
		return nil, err
	}
	n.mu.Lock()
	n.current = w
	n.mu.Unlock()
	return w, nil
}

// start reads all partitions, until the session ends. proven tells when each
// one that holds events has given its last again.
func (n *session) start(ctx context.Context, deliver func(context.Context, hub.Event) error) (proven <-chan struct{}, held int, err error) {
	ctx, n.stop = context.WithCancel(ctx)
	var unproven sync.WaitGroup
	for _, id := range n.ids {
		last := n.readUpTo(id) // others are read already
		from := azeventhubs.StartPosition{SequenceNumber: &last, Inclusive: true}
		if last == none {
			all := true
			from = azeventhubs.StartPosition{Earliest: &all}
		}
		p, err := n.client.NewPartitionClient(id, &azeventhubs.PartitionClientOptions{StartPosition: from, Prefetch: prefetch})
		if err != nil {
			return nil, 0, n.source.explain(stepRead, err)
		}
		prove := func() {}
		if last != none {
			held++
			unproven.Add(1)
			prove = sync.OnceFunc(unproven.Done)
		}
		n.running.Go(func() {
			defer prove()
			n.follow(ctx, id, p, prove, deliver)
		})
	}
	n.running.Go(func() { n.watch(ctx) })
	all := make(chan struct{})
	go func() { unproven.Wait(); close(all) }()
	return all, held, nil
}

// quiet tells when the endpoint has said something since then, and nothing more
// for a while: a refusal would have come. It is asked for until ctx ends.
func (n *session) quiet(ctx context.Context, since time.Time) <-chan struct{} {
	all := make(chan struct{})
	while := emptyWithin + 2*n.answer
	go func() {
		for left := while; left > 0; {
			select {
			case <-time.After(left):
			case <-ctx.Done():
				return
			}
			if heard := n.wire().lastHeard(); heard.After(since) {
				left = while - time.Since(heard)
			}
		}
		close(all)
	}()
	return all
}

// watch ends the session with its connection, or where the endpoint does not
// answer any more: the connection to one that hangs stays.
func (n *session) watch(ctx context.Context) {
	w := n.wire()
	asks := time.NewTicker(askAfter)
	defer asks.Stop()
	for {
		select {
		case <-w.over:
			n.fail(fmt.Errorf("the connection is lost: %w", w.why()))
			return
		case <-ctx.Done():
			return
		case <-asks.C:
		}
		if time.Since(w.lastHeard()) < askAfter || n.answers(ctx, w) {
			continue
		}
		n.fail(fmt.Errorf("%w: asked, within %s", access.ErrSilent, answerWithin))
		return
	}
}

// answers asks the endpoint for something. Whatever comes meanwhile will do, a
// refusal too: what it means is for who reads.
func (n *session) answers(ctx context.Context, w *wire) bool {
	asked := time.Now()
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	_, err := n.client.GetEventHubProperties(ctx, nil)
	return err == nil || w.lastHeard().After(asked) || !errors.Is(ctx.Err(), context.DeadlineExceeded)
}

// follow reads one partition.
func (n *session) follow(ctx context.Context, id string, p *azeventhubs.PartitionClient, prove func(), deliver func(context.Context, hub.Event) error) {
	defer func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = p.Close(ctx)
	}()
	for {
		got, err := p.ReceiveEvents(ctx, 1, nil)
		if err != nil {
			n.fail(err)
			return
		}
		read := time.Now()
		for _, e := range got {
			prove()
			if e.SequenceNumber <= n.readUpTo(id) {
				continue // of before
			}
			event, is := asEvent(e, read)
			if is && n.source.wants(event.DeviceID) {
				if err := deliver(ctx, event); err != nil {
					return
				}
			}
			n.passed(id, e.SequenceNumber)
		}
	}
}

func (n *session) readUpTo(id string) int64 {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.read[id]
}

func (n *session) passed(id string, sequence int64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.read[id] = sequence
}

// fail ends the session with its first error.
func (n *session) fail(err error) {
	select {
	case n.failed <- err:
	default:
	}
}

func (n *session) wire() *wire {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.current
}

func (n *session) hangUp() {
	if w := n.wire(); w != nil {
		_ = w.Close()
	}
}

// close ends all of it. The read positions are the caller's again.
func (n *session) close() {
	n.stop()
	n.hangUp()
	n.running.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = n.client.Close(ctx)
}
