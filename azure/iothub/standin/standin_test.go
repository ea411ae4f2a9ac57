package standin_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azeventhubs/v2"

	"hilrig/azure/iothub/standin"
)

// event is what a client read.
type event struct {
	Device     string            `json:"device"`
	Auth       string            `json:"auth"`
	Generation string            `json:"generation"`
	Body       string            `json:"body"`
	Properties map[string]string `json:"properties"`
	Enqueued   time.Time         `json:"enqueued"`
	Partitions []string          `json:"partitions"`
}

// Two clients of Microsoft's, of which neither knows the other, read the same.
func TestMicrosoftsClientsReadTheSame(t *testing.T) {
	t.Parallel()
	e := standin.Start(t, standin.Config{})
	at := time.Now().UTC().Truncate(time.Millisecond)
	want := []event{
		{Device: "d1", Body: `{"seq":1}`, Properties: map[string]string{"kind": "a&b"}, Generation: "7", Enqueued: at, Auth: `{"scope":"device","type":"x509","issuer":"iothub"}`},
		{Device: "d2", Body: "not json", Properties: map[string]string{}, Generation: "8", Enqueued: at, Auth: `{"scope":"device","type":"sas","issuer":"iothub"}`},
	}
	for _, w := range want {
		e.Arrive(standin.Event{Device: w.Device, Body: []byte(w.Body), Properties: w.Properties, Generation: w.Generation, Enqueued: &at, Auth: w.Auth})
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for name, read := range map[string]func(context.Context, *testing.T, *standin.Endpoint, int) ([]string, []event){
		"azeventhubs for Go": byGo, "@azure/event-hubs for Node": byNode,
	} {
		partitions, got := read(ctx, t, e, len(want))
		if !slices.Equal(partitions, []string{"0", "1", "2", "3"}) {
			t.Errorf("%s: partitions %q", name, partitions)
		}
		slices.SortFunc(got, func(a, b event) int { return strings.Compare(a.Device, b.Device) })
		if !slices.EqualFunc(got, want, func(a, b event) bool {
			return a.Device == b.Device && a.Body == b.Body && a.Auth == b.Auth && a.Generation == b.Generation && a.Enqueued.Equal(b.Enqueued) && maps.Equal(a.Properties, b.Properties)
		}) {
			t.Errorf("%s:\ngot  %+v\nwant %+v", name, got, want)
		}
	}
}

func byGo(ctx context.Context, t *testing.T, e *standin.Endpoint, count int) (partitions []string, read []event) {
	t.Helper()
	client, err := azeventhubs.NewConsumerClientFromConnectionString(e.Events(), "", standin.Group, &azeventhubs.ConsumerClientOptions{
		CustomEndpoint: e.Address, TLSConfig: &tls.Config{RootCAs: e.Roots()},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = client.Close(ctx) }()
	all, err := client.GetEventHubProperties(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range all.PartitionIDs {
		p, err := client.GetPartitionProperties(ctx, id, nil)
		if err != nil {
			t.Fatal(err)
		}
		if p.IsEmpty {
			continue
		}
		earliest := true
		from, err := client.NewPartitionClient(id, &azeventhubs.PartitionClientOptions{StartPosition: azeventhubs.StartPosition{Earliest: &earliest}})
		if err != nil {
			t.Fatal(err)
		}
		for range p.LastEnqueuedSequenceNumber + 1 {
			got, err := from.ReceiveEvents(ctx, 1, nil)
			if err != nil {
				t.Fatal(err)
			}
			one := event{Body: string(got[0].Body), Properties: map[string]string{}, Enqueued: *got[0].EnqueuedTime}
			one.Device, _ = got[0].SystemProperties["iothub-connection-device-id"].(string)
			one.Auth, _ = got[0].SystemProperties["iothub-connection-auth-method"].(string)
			one.Generation, _ = got[0].SystemProperties["iothub-connection-auth-generation-id"].(string)
			for name, value := range got[0].Properties {
				one.Properties[name], _ = value.(string)
			}
			read = append(read, one)
		}
		if err := from.Close(ctx); err != nil {
			t.Error(err)
		}
	}
	if len(read) != count {
		t.Errorf("read %d events, want %d", len(read), count)
	}
	return all.PartitionIDs, read
}

func byNode(ctx context.Context, t *testing.T, e *standin.Endpoint, count int) (partitions []string, read []event) {
	t.Helper()
	program, modules := standin.Modules(t)
	root := filepath.Join(t.TempDir(), "root.pem")
	if err := os.WriteFile(root, e.Root, 0o600); err != nil {
		t.Fatal(err)
	}
	var complaint bytes.Buffer
	node := exec.CommandContext(ctx, program, "testdata/amqp/read.js", e.Address, standin.Group, "2")
	node.Env = append(os.Environ(), "SDK_MODULES="+modules, "NODE_EXTRA_CA_CERTS="+root, "CONNECTION_STRING="+e.Events())
	node.Stderr = &complaint
	out, err := node.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, complaint.String())
	}
	lines := json.NewDecoder(bytes.NewReader(out))
	for lines.More() {
		var one event
		if err := lines.Decode(&one); err != nil {
			t.Fatal(err)
		}
		if one.Partitions != nil {
			partitions = one.Partitions
			continue
		}
		read = append(read, one)
	}
	if len(read) != count {
		t.Errorf("read %d events, want %d", len(read), count)
	}
	return partitions, read
}
