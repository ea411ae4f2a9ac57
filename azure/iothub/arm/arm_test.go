package arm_test

import (
	"context"
	"crypto/sha1"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	azfake "github.com/Azure/azure-sdk-for-go/sdk/azcore/fake"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/iothub/armiothub"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/iothub/armiothub/fake"

	"hilrig/azure/iothub/arm"
	"hilrig/record"
)

const resource = "/subscriptions/91d12660-3dec-467a-be2a-213b5544ddc0/resourceGroups/a-group/providers/Microsoft.Devices/IotHubs/a-hub"

// signedIn is whoever asks.
type signedIn struct{}

const token = "a-token-of-nobodys"

func (signedIn) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: token, ExpiresOn: time.Now().Add(time.Hour)}, nil
}

// asked keeps what is sent on its way to who answers it.
type asked struct {
	to interface {
		Do(*http.Request) (*http.Response, error)
	}
	requests []string // method, what is behind the hub, If-Match
}

func (a *asked) Do(r *http.Request) (*http.Response, error) {
	_, what, found := strings.Cut(r.URL.Path, resource)
	if !found {
		what = r.URL.Path[strings.LastIndex(r.URL.Path, "/"):]
	}
	a.requests = append(a.requests, strings.TrimSpace(r.Method+" "+what+" "+strings.Join(r.Header["If-Match"], "")))
	if v := r.URL.Query().Get("api-version"); v != "2026-11-01" {
		return nil, errors.New("api-version " + v)
	}
	return a.to.Do(r)
}

func client(t *testing.T, a *asked) *arm.Client {
	t.Helper()
	id, err := arm.ParseID(resource)
	if err != nil {
		t.Fatal(err)
	}
	c, err := arm.New(id, signedIn{}, arm.Options{Poll: time.Second, Client: azcore.ClientOptions{Transport: a, Retry: policy.RetryOptions{MaxRetries: -1}}})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// text answers everything by one text.
type text struct {
	status int
	body   string
}

func (x text) Do(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: x.status, Status: http.StatusText(x.status), Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(x.body)), Request: r}, nil
}

// What stands in the examples of api-version 2026-11-01 (Azure/azure-rest-api-
// specs, Microsoft.Devices/IoTHub/stable/2026-11-01/examples/iothub_get.json and
// Get_IotHub_With_DeviceRegistry.json), as far as it is read.
func TestHubIsReadAsInTheExamples(t *testing.T) {
	properties := func(more string) string {
		return `{"name":"testHub","type":"Microsoft.Devices/IotHubs","etag":"AAAAAAFD6M4=","id":"` + resource + `","location":"centraluseuap","sku":{"name":"S1","capacity":1,"tier":"Standard"},
"properties":{"state":"Active","provisioningState":"Succeeded","hostName":"iot-dps-cit-hub-1.azure-devices.net","minTlsVersion":"1.2",
"networkRuleSets":{"applyToBuiltInEventHubEndpoint":true,"defaultAction":"Deny","ipRules":[{"action":"Allow","filterName":"rule1","ipMask":"131.117.159.53"},{"action":"Allow","filterName":"rule2","ipMask":"157.55.59.128/25"}]},
"eventHubEndpoints":{"events":{"path":"iot-dps-cit-hub-1","endpoint":"sb://iothub-ns-iot-dps-ci-245306-76aca8e13b.servicebus.windows.net/","partitionCount":2,"partitionIds":["0","1"],"retentionTimeInDays":1}},
"routing":{"fallbackRoute":{"condition":"true","endpointNames":["events"],"isEnabled":true,"source":"DeviceMessages"},"routes":[]}` + more + `}}`
	}
	plain := arm.Hub{
		Name: "testHub", Location: "centraluseuap", State: "Active", SKU: "S1", Tier: "Standard", Units: 1, HostName: "iot-dps-cit-hub-1.azure-devices.net", MinimumTLS: "1.2",
		LocalAuth: true, PublicAccess: true, IPRules: []string{"131.117.159.53", "157.55.59.128/25"}, IPRulesForEvents: true,
		EventsEndpoint: "sb://iothub-ns-iot-dps-ci-245306-76aca8e13b.servicebus.windows.net/", EventsPath: "iot-dps-cit-hub-1", Partitions: 2, Fallback: true,
	}
	linked := plain
	linked.DeviceHostName, linked.ServiceHostName = "iot-dps-cit-hub-1.device.azure-devices.net", "iot-dps-cit-hub-1.service.azure-devices.net"
	linked.Gateway, linked.Linked, linked.LocalAuth, linked.PublicAccess = "V2", "Success", false, false
	for name, x := range map[string]struct {
		more string
		want arm.Hub
	}{
		"as it ever was": {"", plain},
		"with what is new": {`,"deviceHostName":"iot-dps-cit-hub-1.device.azure-devices.net","serviceHostName":"iot-dps-cit-hub-1.service.azure-devices.net","iotHubDetails":{"gatewayVersion":"V2"},
"deviceRegistry":{"namespaceResourceId":"/subscriptions/x","linkingProperties":{"state":"Success"}},"disableLocalAuth":true,"publicNetworkAccess":"Disabled"`, linked},
	} {
		a := &asked{to: text{200, properties(x.more)}}
		got, err := client(t, a).Hub(t.Context())
		if err != nil || !reflect.DeepEqual(got, x.want) {
			t.Errorf("%s: got %+v, %v\nwant %+v", name, got, err, x.want)
		}
	}
}

func TestQuota(t *testing.T) {
	a := &asked{to: text{200, `{"value":[{"name":"TotalMessages","currentValue":7900,"maxValue":8000},{"name":"TotalDeviceCount","currentValue":3,"maxValue":500},{"name":"another","currentValue":1}]}`}}
	if got, err := client(t, a).Quota(t.Context()); err != nil || got != (arm.Quota{Messages: 7900, MaxMessages: 8000, Devices: 3, MaxDevices: 500}) {
		t.Errorf("%+v, %v", got, err)
	}
}

// Telemetry that a route takes elsewhere never arrives.
func TestSwallowed(t *testing.T) {
	route := func(condition, endpoint string, enabled bool) arm.Route {
		return arm.Route{Name: "r", Source: "DeviceMessages", Condition: condition, Endpoints: []string{endpoint}, Enabled: enabled}
	}
	for name, x := range map[string]struct {
		hub  arm.Hub
		want string
	}{
		"no routes":                       {arm.Hub{Fallback: true}, ""},
		"no routes, no fallback":          {arm.Hub{}, "fallback route is off"},
		"a route that takes all":          {arm.Hub{Fallback: true, Routes: []arm.Route{route("true", "storage", true)}}, "route r takes every message"},
		"a route without condition":       {arm.Hub{Fallback: true, Routes: []arm.Route{route("", "storage", true)}}, "route r takes every message"},
		"such a route, and one to events": {arm.Hub{Routes: []arm.Route{route("", "storage", true), route("true", "events", true)}}, ""},
		"such a route that is off":        {arm.Hub{Fallback: true, Routes: []arm.Route{route("true", "storage", false)}}, ""},
		"a route that takes some":         {arm.Hub{Fallback: true, Routes: []arm.Route{route("level = 'x'", "storage", true)}}, ""},
		"a route for twins":               {arm.Hub{Fallback: true, Routes: []arm.Route{{Name: "r", Source: "TwinChangeEvents", Endpoints: []string{"storage"}, Enabled: true}}}, ""},
	} {
		if got := x.hub.Swallowed(); got == "" != (x.want == "") || !strings.Contains(got, x.want) {
			t.Errorf("%s: got %q", name, got)
		}
	}
}

// shelf is the certificates of a hub, behind Microsoft's own fake of the
// service.
type shelf struct {
	held    map[string]armiothub.CertificateDescription
	version int
}

func (s *shelf) server() *fake.CertificatesServer {
	refuse := func(status int, code string) (e azfake.ErrorResponder) { e.SetResponseError(status, code); return e }
	return &fake.CertificatesServer{
		Get: func(_ context.Context, _, _, name string, _ *armiothub.CertificatesClientGetOptions) (r azfake.Responder[armiothub.CertificatesClientGetResponse], e azfake.ErrorResponder) {
			d, there := s.held[name]
			if !there {
				return r, refuse(404, "CertificateNotFound")
			}
			r.SetResponse(200, armiothub.CertificatesClientGetResponse{CertificateDescription: d}, nil)
			return r, e
		},
		ListByIotHub: func(context.Context, string, string, *armiothub.CertificatesClientListByIotHubOptions) (r azfake.Responder[armiothub.CertificatesClientListByIotHubResponse], e azfake.ErrorResponder) {
			all := armiothub.CertificatesClientListByIotHubResponse{}
			for _, d := range s.held {
				all.Value = append(all.Value, &d)
			}
			r.SetResponse(200, all, nil)
			return r, e
		},
		CreateOrUpdate: func(_ context.Context, _, _, name string, d armiothub.CertificateDescription, o *armiothub.CertificatesClientCreateOrUpdateOptions) (r azfake.Responder[armiothub.CertificatesClientCreateOrUpdateResponse], e azfake.ErrorResponder) {
			old, there := s.held[name]
			if there && (o == nil || o.IfMatch == nil || *o.IfMatch != *old.Etag) {
				return r, refuse(412, "PreconditionFailed")
			}
			raw, err := base64.StdEncoding.DecodeString(*d.Properties.Certificate)
			if err != nil {
				return r, refuse(400, "InvalidCertificate")
			}
			s.put(name, raw, *d.Properties.IsVerified)
			r.SetResponse(map[bool]int{true: 200, false: 201}[there], armiothub.CertificatesClientCreateOrUpdateResponse{CertificateDescription: s.held[name]}, nil)
			return r, e
		},
		Delete: func(_ context.Context, _, _, name, etag string, _ *armiothub.CertificatesClientDeleteOptions) (r azfake.Responder[armiothub.CertificatesClientDeleteResponse], e azfake.ErrorResponder) {
			if *s.held[name].Etag != etag {
				return r, refuse(412, "PreconditionFailed")
			}
			delete(s.held, name)
			r.SetResponse(204, armiothub.CertificatesClientDeleteResponse{}, nil)
			return r, e
		},
	}
}

func (s *shelf) put(name string, raw []byte, verified bool) {
	s.version++
	sum := sha1.Sum(raw)
	s.held[name] = armiothub.CertificateDescription{
		Name: to.Ptr(name), Etag: to.Ptr(fmt.Sprintf("version-%d", s.version)),
		Properties: &armiothub.CertificateProperties{Thumbprint: to.Ptr(hex.EncodeToString(sum[:])), IsVerified: to.Ptr(verified), Subject: to.Ptr("CN=" + string(raw)), Expiry: to.Ptr(time.Unix(2e9, 0))},
	}
}

func TestCertificates(t *testing.T) {
	ours, other := &x509.Certificate{Raw: []byte("ours")}, []byte("another")
	for _, x := range []struct {
		name   string
		there  []byte // under the name
		marked bool   // verified
		do     func(context.Context, *arm.Client) error
		want   error
		asked  string
		held   string // thereafter
	}{
		{"added", nil, false, add(ours), nil, "GET /certificates/c, PUT /certificates/c", "ours verified"},
		{"added again", ours.Raw, true, add(ours), nil, "GET /certificates/c", "ours verified"},
		{"verified", ours.Raw, false, add(ours), nil, "GET /certificates/c, PUT /certificates/c version-1", "ours verified"},
		{"another one is not replaced", other, true, add(ours), arm.ErrConflict, "GET /certificates/c", "another verified"},
		{"removed", ours.Raw, true, remove, nil, "GET /certificates/c, DELETE /certificates/c version-1", ""},
		{"removed when it is gone", nil, false, remove, arm.ErrNotFound, "GET /certificates/c", ""},
	} {
		t.Run(x.name, func(t *testing.T) {
			s := &shelf{held: map[string]armiothub.CertificateDescription{}}
			if x.there != nil {
				s.put("c", x.there, x.marked)
			}
			a := &asked{to: fake.NewCertificatesServerTransport(s.server())}
			c := client(t, a)
			if err := x.do(t.Context(), c); !errors.Is(err, x.want) || x.want == nil && err != nil {
				t.Errorf("got %v, want %v", err, x.want)
			}
			if got := strings.Join(a.requests, ", "); got != x.asked {
				t.Errorf("asked %s\nwant  %s", got, x.asked)
			}
			all, err := c.Certificates(t.Context())
			held := ""
			for _, one := range all {
				held += strings.TrimPrefix(one.Subject, "CN=") + map[bool]string{true: " verified"}[one.Verified]
			}
			if err != nil || held != x.held {
				t.Errorf("held %q, %v; want %q", held, err, x.held)
			}
		})
	}
}

// A hub is made by a PUT that is waited for, and only where a GET finds none and
// the name is free.
func TestHubsAreMadeWhereThereIsNone(t *testing.T) {
	for _, x := range []struct {
		name         string
		there, taken bool
		refused      string // the PUT, at the end
		want         error
		asked        string
	}{
		{"made", false, false, "", nil, "GET, POST /checkNameAvailability, PUT, GET /get/fake/status, GET"},
		{"one that is there is only read", true, false, "", arm.ErrExists, "GET"},
		{"another's name", false, true, "", arm.ErrName, "GET, POST /checkNameAvailability"},
		{"refused", false, false, "RequestDisallowedByPolicy", arm.ErrPolicy, "GET, POST /checkNameAvailability, PUT"},
	} {
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			var made armiothub.Description
			s := fake.ResourceServer{
				Get: func(context.Context, string, string, *armiothub.ResourceClientGetOptions) (r azfake.Responder[armiothub.ResourceClientGetResponse], e azfake.ErrorResponder) {
					if !x.there && made.SKU == nil {
						e.SetResponseError(404, "ResourceNotFound")
					}
					r.SetResponse(200, armiothub.ResourceClientGetResponse{Description: made}, nil)
					return r, e
				},
				CheckNameAvailability: func(_ context.Context, asked armiothub.OperationInputs, _ *armiothub.ResourceClientCheckNameAvailabilityOptions) (r azfake.Responder[armiothub.ResourceClientCheckNameAvailabilityResponse], e azfake.ErrorResponder) {
					free := armiothub.NameAvailabilityInfo{NameAvailable: to.Ptr(!x.taken && *asked.Name == "a-hub"), Message: to.Ptr("somebody has it")}
					r.SetResponse(200, armiothub.ResourceClientCheckNameAvailabilityResponse{NameAvailabilityInfo: free}, nil)
					return r, e
				},
				BeginCreateOrUpdate: func(_ context.Context, _, _ string, d armiothub.Description, _ *armiothub.ResourceClientBeginCreateOrUpdateOptions) (r azfake.PollerResponder[armiothub.ResourceClientCreateOrUpdateResponse], e azfake.ErrorResponder) {
					if x.refused != "" {
						e.SetResponseError(403, x.refused)
						return r, e
					}
					made = d
					r.AddNonTerminalResponse(201, nil)
					r.SetTerminalResponse(200, armiothub.ResourceClientCreateOrUpdateResponse{Description: d}, nil)
					return r, e
				},
			}
			a := &asked{to: fake.NewResourceServerTransport(&s)}
			h, err := client(t, a).CreateHub(t.Context(), arm.NewHub{Location: "westeurope", SKU: "F1", Units: 1})
			if !errors.Is(err, x.want) || x.want == nil && (err != nil || h.SKU != "F1" || h.Units != 1 || h.MinimumTLS != "1.2" || h.Location != "westeurope") {
				t.Errorf("%+v, %v", h, err)
			}
			if got := strings.Join(a.requests, ", "); got != x.asked {
				t.Errorf("asked %s\nwant  %s", got, x.asked)
			}
		})
	}
}

func add(certificate *x509.Certificate) func(context.Context, *arm.Client) error {
	return func(ctx context.Context, c *arm.Client) error {
		got, err := c.AddCertificate(ctx, "c", certificate)
		if err == nil && (!got.Verified || got.Name != "c") {
			err = fmt.Errorf("got %+v", got)
		}
		return err
	}
}

func remove(ctx context.Context, c *arm.Client) error { return c.RemoveCertificate(ctx, "c") }

func TestFailuresAreToldApart(t *testing.T) {
	for _, x := range []struct {
		status int
		code   string
		want   error
	}{
		{401, "InvalidAuthenticationToken", arm.ErrForbidden},
		{403, "AuthorizationFailed", arm.ErrForbidden},
		{403, "RequestDisallowedByPolicy", arm.ErrPolicy},
		{404, "ResourceNotFound", arm.ErrNotFound},
		{404, "ResourceGroupNotFound", arm.ErrGroup},
		{409, "MissingSubscriptionRegistration", arm.ErrUnregistered},
		{409, "ScopeLocked", arm.ErrPolicy},
		{409, "IotHubSettingConflict", arm.ErrConflict},
		{412, "PreconditionFailed", arm.ErrPrecondition},
		{429, "TooManyRequests", arm.ErrUnavailable},
		{503, "", arm.ErrUnavailable},
	} {
		body := `{"error":{"code":"` + x.code + `","message":"it is refused"}}`
		_, err := client(t, &asked{to: text{x.status, body}}).Hub(t.Context())
		var f *record.Failure
		if !errors.Is(err, x.want) || !errors.As(err, &f) || f.Class != record.RigCloud || f.Cure == "" || strings.Contains(err.Error(), "\n") || strings.Contains(fmt.Sprintf("%v%+v", err, err), token) {
			t.Errorf("%d %s: got %v", x.status, x.code, err)
		}
	}
}

func TestResourceIDs(t *testing.T) {
	for id, want := range map[string]bool{
		resource: true, strings.ToLower(resource): true, "": false, "a-hub": false, "a-hub.azure-devices.net": false,
		strings.Replace(resource, "Microsoft.Devices/IotHubs", "Microsoft.Storage/storageAccounts", 1): false,
	} {
		got, err := arm.ParseID(id)
		if want && (err != nil || got.Name != "a-hub" || got.Group != "a-group") {
			t.Errorf("%s: %+v, %v", id, got, err)
		}
		if !want && record.ClassOf(err) != record.Usage {
			t.Errorf("%s: %v", id, err)
		}
	}
}

func TestCertificateThatSigns(t *testing.T) {
	if arm.SignsDevices(&x509.Certificate{IsCA: true}) == "" || arm.SignsDevices(&x509.Certificate{}) != "" {
		t.Error("CA:TRUE is what signs")
	}
}
