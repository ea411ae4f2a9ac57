package localhub

import (
	"maps"
	"sync"

	"hilrig/azure"
	"hilrig/azure/mqttwire"
)

// subscriptions are the filters of every device's session. A persistent
// session keeps them while its device is away (MQTT 3.1.1 section 3.1.2.4).
type subscriptions struct {
	mu sync.Mutex
	of map[string]*subscribed
}

type subscribed struct {
	clean   bool // ends with its connection
	filters map[string]*filter
}

type filter struct {
	qos    byte
	served bool // its SUBACK is out, or was in an earlier connection of the session
}

func newSubscriptions() *subscriptions { return &subscriptions{of: map[string]*subscribed{}} }

// begin is a CONNECT: a session goes on only where both it and the one before
// are persistent: then it is present.
func (s *subscriptions) begin(id string, clean bool) (present bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.of[id]
	present = old != nil && !old.clean && !clean
	if !present {
		old = &subscribed{filters: map[string]*filter{}}
		s.of[id] = old
	}
	old.clean = clean
	return present
}

func (s *subscriptions) forget(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.of, id)
}

// add takes the filters of a SUBSCRIBE, unless the session would then have more
// than IoT Hub takes, and returns how many that is. The same filter again takes
// the place of the first [MQTT-3.8.4-3].
func (s *subscriptions) add(id string, filters []mqttwire.Filter) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	session := s.of[id]
	if session == nil {
		return 0
	}
	all := maps.Clone(session.filters)
	for _, f := range filters {
		all[f.Topic] = nil
	}
	if len(all) > azure.MaxFilters {
		return len(all)
	}
	for _, f := range filters {
		old := session.filters[f.Topic]
		session.filters[f.Topic] = &filter{qos: azure.GrantedQoS(f.QoS), served: old != nil && old.served}
	}
	return len(session.filters)
}

// serve is the SUBACK of filters: what they ask for is delivered from now on.
func (s *subscriptions) serve(id string, filters []mqttwire.Filter) {
	s.mu.Lock()
	defer s.mu.Unlock()
	session := s.of[id]
	if session == nil {
		return
	}
	for _, f := range filters {
		if known := session.filters[f.Topic]; known != nil {
			known.served = true
		}
	}
}

func (s *subscriptions) remove(id string, filters []mqttwire.Filter) {
	s.mu.Lock()
	defer s.mu.Unlock()
	session := s.of[id]
	if session == nil {
		return
	}
	for _, f := range filters {
		delete(session.filters, f.Topic)
	}
}

// Serves says whether the device's session has a filter that is acknowledged.
// That of a persistent session stays while its device is away.
func (h *Hub) Serves(deviceID, topicFilter string) bool {
	h.subs.mu.Lock()
	defer h.subs.mu.Unlock()
	session := h.subs.of[deviceID]
	if session == nil {
		return false
	}
	f := session.filters[topicFilter]
	return f != nil && f.served
}

// find is the session's filter of a kind. Only the documented filters are
// served, as Edge Hub does: one that is wider is granted and then ignored.
func (s *subscriptions) find(id string, kind azure.TopicKind) (f filter, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	session := s.of[id]
	if session == nil {
		return filter{}, false
	}
	for topic, f := range session.filters {
		if k, err := azure.ParseFilter(id, topic); err == nil && k == kind {
			return *f, true
		}
	}
	return filter{}, false
}
