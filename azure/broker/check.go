package broker

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"strings"
	"time"

	"hilrig/azure/hub"
)

// Finding is what one step of a check says.
type Finding struct {
	What string
	Err  error  // what would make a run fail; nil: nothing
	Cure string // of what is no error and may be in the way; empty: all is well
}

// Check goes the way of a run, step by step, and stops where the next step
// could say nothing new: the name, the port, TLS and the chain that the broker
// presents, the root, and for each topic the observer.
func (c Config) Check(ctx context.Context, topics []string) (found []Finding) {
	host, _, err := net.SplitHostPort(c.reached())
	if err != nil {
		return []Finding{{Err: err}}
	}
	lookup, cancel := context.WithTimeout(ctx, dialWithin)
	defer cancel()
	if addresses, err := net.DefaultResolver.LookupHost(lookup, host); err == nil && net.ParseIP(host) == nil {
		found = append(found, Finding{What: fmt.Sprintf("%s is %s", host, strings.Join(addresses, ", "))})
	} // else it is an address, or reaching it says why
	raw, err := c.reach(ctx)
	if err != nil {
		return append(found, Finding{Err: err})
	}
	_ = raw.Close() // nothing was asked of it
	found = append(found, Finding{What: c.reached() + " is open"})
	handshake, stop := context.WithTimeoutCause(ctx, dialWithin, errSilent{dialWithin})
	defer stop()
	w, err := c.dial(handshake, c.Observer.Certificate)
	if err != nil {
		return append(found, Finding{Err: err})
	}
	found = append(found, secured(w.ConnectionState(), time.Now())...)
	_ = w.Close()
	for _, t := range topics {
		f := c.checkTopic(ctx, t)
		found = append(found, f...)
		if f[0].Err != nil {
			break // the next one would find the same
		}
	}
	return found
}

// secured says what TLS came to. What is not in time was refused before.
func secured(s tls.ConnectionState, now time.Time) (found []Finding) {
	leaf := s.PeerCertificates[0]
	version := Finding{What: fmt.Sprintf("%s %s", tls.VersionName(s.Version), tls.CipherSuiteName(s.CipherSuite))}
	if s.Version > tls.VersionTLS12 {
		version.What += " with this machine; the guide's devices have TLS 1.2"
	}
	root := Finding{What: fmt.Sprintf("the root signs what the broker presents: %q, valid until %s by this machine's clock, which says %s",
		leaf.Subject, leaf.NotAfter.Format(time.DateTime), now.Format(time.DateTime))}
	if leaf.NotAfter.Before(now.AddDate(0, 0, 14)) {
		root.Cure = "renew it soon"
	}
	return []Finding{version, root}
}

// checkTopic listens as a run does. It registers nobody, so it makes no state
// and runs no command of the lab.
func (c Config) checkTopic(ctx context.Context, topic string) []Finding {
	c.Register = Commands{}
	before := time.Now()
	h, _, err := c.Open(ctx, hub.Setup{Topic: topic})
	if err != nil {
		return []Finding{{Err: err}}
	}
	took := time.Since(before).Round(time.Millisecond)
	v := h.Events()
	var found []Finding
	if how, ok := v.Listening(); ok {
		f := Finding{What: fmt.Sprintf("the observer hears itself on %s: %s, QoS %d, ready in %s", topic, how.Protocol, how.QoS, took)}
		switch {
		case how.QoS == 0:
			f.Cure = "the broker grants QoS 0: a message that came by QoS 1 looks like one by 0"
		case !how.Retain:
			f.Cure = "what needs RETAIN cannot be judged; a broker with MQTT 5 shows it"
		}
		found = append(found, f)
	} else {
		found = append(found, Finding{What: "the observer is subscribed to " + topic + " and did not hear itself there: that it hears anything is not proven",
			Cure: "let it write this topic in the broker's ACL, or see that a run's first message comes"})
	}
	for _, e := range v.Since(0) {
		if e.Kind == hub.KindLeftover {
			found = append(found, Finding{What: fmt.Sprintf("a retained message of %d bytes lies on %s; runs do not count it", len(e.Message.Payload), e.Message.Topic),
				Cure: "mosquitto_pub --retain --null-message takes it away"})
		}
	}
	if err := h.Close(ctx); err != nil {
		found = append(found, Finding{Err: err})
	}
	return found
}
