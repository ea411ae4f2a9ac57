package arm

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/iothub/armiothub"
)

// Hub is what Resource Manager says of a hub, as far as it decides what a rig
// can do there.
type Hub struct {
	Name             string   `json:"name"`
	Location         string   `json:"location"`
	State            string   `json:"state"`
	SKU              string   `json:"sku"`  // F1, B1, S1 …
	Tier             string   `json:"tier"` // Free, Basic, Standard: Basic has no twins, methods and messages to the device
	Units            int64    `json:"units"`
	HostName         string   `json:"host_name"`
	DeviceHostName   string   `json:"device_host_name,omitempty"`  // with TLS 1.3, where the hub has it
	ServiceHostName  string   `json:"service_host_name,omitempty"` // the same for services
	Gateway          string   `json:"gateway,omitempty"`           // V1 or V2
	MinimumTLS       string   `json:"minimum_tls,omitempty"`
	LocalAuth        bool     `json:"local_auth"`    // keys of shared access policies are taken
	PublicAccess     bool     `json:"public_access"` // else by private link alone
	IPRules          []string `json:"ip_rules,omitempty"`
	IPRulesForEvents bool     `json:"ip_rules_for_events"`       // they hold for the Event Hubs-compatible endpoint too
	Linked           string   `json:"device_registry,omitempty"` // state of the link to Azure Device Registry
	EventsEndpoint   string   `json:"events_endpoint"`
	EventsPath       string   `json:"events_path"`
	Partitions       int32    `json:"partitions"`
	Fallback         bool     `json:"fallback_route"` // what no route takes goes to the events endpoint
	Routes           []Route  `json:"routes,omitempty"`
}

// Route takes messages of devices elsewhere.
type Route struct {
	Name      string   `json:"name"`
	Source    string   `json:"source"`
	Condition string   `json:"condition"`
	Endpoints []string `json:"endpoints"`
	Enabled   bool     `json:"enabled"`
}

// Swallowed says why telemetry does not come to the events endpoint; empty: it
// does, unless a condition keeps some of it.
func (h Hub) Swallowed() string {
	all := ""
	for _, r := range h.Routes {
		if !r.Enabled || r.Source != "DeviceMessages" {
			continue
		}
		if slices.Contains(r.Endpoints, "events") {
			return ""
		}
		if r.Condition == "" || strings.EqualFold(r.Condition, "true") {
			all = r.Name
		}
	}
	switch {
	case all != "":
		return "route " + all + " takes every message elsewhere, and none goes to the built-in endpoint: add a route with the endpoint events"
	case !h.Fallback:
		return "the fallback route is off and no route goes to the built-in endpoint: enable it, or add a route with the endpoint events"
	}
	return ""
}

// newer is what Microsoft's client does not know yet.
type newer struct {
	Properties struct {
		DeviceHostName  string `json:"deviceHostName"`
		ServiceHostName string `json:"serviceHostName"`
		Details         struct {
			Gateway string `json:"gatewayVersion"`
		} `json:"iotHubDetails"`
		Registry struct {
			Linking struct {
				State string `json:"state"`
			} `json:"linkingProperties"`
		} `json:"deviceRegistry"`
	} `json:"properties"`
}

// Hub reads the hub.
func (c *Client) Hub(ctx context.Context) (Hub, error) {
	var resp *http.Response // the whole answer: newer properties are in it
	got, err := c.hubs.Get(policy.WithCaptureResponse(ctx, &resp), c.id.Group, c.id.Name, nil)
	if err != nil {
		return Hub{}, c.failed(ctx, "read", "properties", err)
	}
	var more newer
	body, err := runtime.Payload(resp)
	if err == nil {
		err = json.Unmarshal(body, &more)
	}
	if err != nil {
		return Hub{}, c.failed(ctx, "read", "properties", err)
	}
	h := hubOf(got.Description)
	h.DeviceHostName, h.ServiceHostName = more.Properties.DeviceHostName, more.Properties.ServiceHostName
	h.Gateway, h.Linked = more.Properties.Details.Gateway, more.Properties.Registry.Linking.State
	return h, nil
}

// of is what a pointer points to, and nothing of none.
func of[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

func hubOf(d armiothub.Description) Hub {
	p, sku := of(d.Properties), of(d.SKU)
	h := Hub{
		Name: of(d.Name), Location: of(d.Location), State: of(p.State), SKU: string(of(sku.Name)), Tier: string(of(sku.Tier)), Units: of(sku.Capacity),
		HostName: of(p.HostName), MinimumTLS: of(p.MinTLSVersion), LocalAuth: !of(p.DisableLocalAuth),
		PublicAccess: of(p.PublicNetworkAccess) != armiothub.PublicNetworkAccessDisabled,
	}
	if events := p.EventHubEndpoints["events"]; events != nil {
		h.EventsEndpoint, h.EventsPath, h.Partitions = of(events.Endpoint), of(events.Path), of(events.PartitionCount)
	}
	rules := of(p.NetworkRuleSets)
	h.IPRulesForEvents = of(rules.ApplyToBuiltInEventHubEndpoint)
	for _, r := range rules.IPRules {
		h.IPRules = append(h.IPRules, of(r.IPMask))
	}
	routing := of(p.Routing)
	h.Fallback = of(of(routing.FallbackRoute).IsEnabled)
	for _, r := range routing.Routes {
		route := Route{Name: of(r.Name), Source: string(of(r.Source)), Condition: of(r.Condition), Enabled: of(r.IsEnabled)}
		for _, e := range r.EndpointNames {
			route.Endpoints = append(route.Endpoints, of(e))
		}
		h.Routes = append(h.Routes, route)
	}
	return h
}

// Quota is what is used of the day's messages and of the registry.
type Quota struct {
	Messages    int64 `json:"messages"`
	MaxMessages int64 `json:"max_messages"`
	Devices     int64 `json:"devices"`
	MaxDevices  int64 `json:"max_devices"`
}

// Quota reads it.
func (c *Client) Quota(ctx context.Context) (Quota, error) {
	var q Quota
	for pages := c.hubs.NewGetQuotaMetricsPager(c.id.Group, c.id.Name, nil); pages.More(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return Quota{}, c.failed(ctx, "read", "quota", err)
		}
		for _, m := range page.Value {
			switch of(m.Name) {
			case "TotalMessages":
				q.Messages, q.MaxMessages = of(m.CurrentValue), of(m.MaxValue)
			case "TotalDeviceCount":
				q.Devices, q.MaxDevices = of(m.CurrentValue), of(m.MaxValue)
			}
		}
	}
	return q, nil
}
