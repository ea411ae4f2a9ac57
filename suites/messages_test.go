package suites_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"hilrig/azure/hub"
	"hilrig/azure/localhub"
	"hilrig/fixtures"
	"hilrig/record"
	"hilrig/suites"
)

// kindMessages is a hub that sees what arrives, and nothing else. Whoever writes
// a hub of another kind begins like this.
const kindMessages = "messages"

// messagesHub shows the messages of a local hub that stands behind it.
type messagesHub struct {
	hub.Registry
	behind hub.Hub
	events *hub.Events
	stop   func()
}

func openMessages(ctx context.Context, s hub.Setup) (hub.Hub, string, error) {
	behind, address, err := localhub.Open(ctx, s)
	if err != nil {
		return nil, "", err
	}
	h := &messagesHub{Registry: hub.Of(behind).Registry, behind: behind, events: hub.NewEvents(s.DeviceID, 0)}
	h.stop = behind.Events().Watch(func(e hub.Event) {
		if e.Kind == hub.KindMessage {
			m := &hub.Message{Topic: e.Message.Topic, Payload: e.Message.Payload, Enqueued: e.Message.Enqueued}
			h.events.Add(hub.Event{At: e.At, Kind: hub.KindMessage, DeviceID: e.DeviceID, Text: e.Text, Message: m})
		}
	})
	return h, address, nil
}

func (h *messagesHub) Events() *hub.Events  { return h.events }
func (h *messagesHub) Letters() hub.Letters { return "AR" }

func (h *messagesHub) Close(ctx context.Context) error {
	h.stop()
	return h.behind.Close(ctx)
}

// At a hub that sees messages alone, what needs no more is judged as ever, and
// the rest is not applicable and says why.
func TestAHubThatSeesOnlyMessages(t *testing.T) {
	t.Parallel()
	specs, err := suites.Select(suites.All(), "core", nil)
	if err != nil {
		t.Fatal(err)
	}
	job := emulatedJob(t, specs)
	job.Hub.Kind = kindMessages
	results := runChild(t, job)
	judged := map[string]int{}
	for _, s := range specs {
		r := results[s.ID]
		switch why := s.WhyNotAt("AR"); {
		case why != "":
			if r.Verdict != record.NotApplicable || r.Cause != why {
				t.Errorf("%s: %s %q, want not applicable: %s", s.ID, r.Verdict, r.Cause, why)
			}
		case r.Verdict == record.NotApplicable && s.ID == "delivery/auth-method":
		case r.Verdict != record.Pass:
			t.Errorf("%s: %s %s %s %v", s.ID, r.Verdict, r.Message, r.Cause, r.Warnings)
		default:
			judged[s.Area()]++
		}
	}
	for _, area := range []string{"identity", "provisioning", "delivery"} {
		if judged[area] < 4 {
			t.Errorf("%d specs of %s were judged", judged[area], area)
		}
	}
}

// A device that never connects is red once there too, and nobody is told of
// connections that such a hub cannot see.
func TestADeviceThatIsNeverHeardAtAHubThatSeesOnlyMessages(t *testing.T) {
	t.Parallel()
	specs, err := suites.Select(suites.All(), "", []string{"provisioning/root", "provisioning/certificate", "provisioning/key", "delivery/first-message", "delivery/no-loss"})
	if err != nil {
		t.Fatal(err)
	}
	job := emulatedJob(t, specs)
	job.Hub.Kind = kindMessages
	job.Device.Serial.Emulated.Faults = []string{"no-client-certificate"}
	short(&job)
	results := runChild(t, job)
	first, behind := results["delivery/first-message"], results["delivery/no-loss"]
	if first.Verdict != record.Fail || first.Class != record.ClassDevice || !strings.Contains(first.Message, "which shows no connections") {
		t.Errorf("%s (%s): %s", first.Verdict, first.Class, first.Message)
	}
	if behind.Verdict != record.NotRun {
		t.Errorf("one cause, two reds: %s %s", behind.Verdict, behind.Message)
	}
	if slices.ContainsFunc(specs[:3], func(s fixtures.Spec) bool { return results[s.ID].Verdict != record.Pass }) {
		t.Errorf("%v", results)
	}
}

// short makes what is waited for in vain quick.
func short(job *fixtures.Job) {
	t := &job.Device.Type.Timing
	t.ConnectWithin, t.PublishWithin = t.ConnectWithin/8, t.PublishWithin/8
}
