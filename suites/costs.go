package suites

import (
	"time"

	"hilrig/fixtures"
)

// Costs are the catalogue's, by spec id; what is not here watches only.
func Costs() map[string]fixtures.Cost {
	const s = time.Second
	return map[string]fixtures.Cost{
		"provisioning/root":                 {Loads: 1},
		"provisioning/certificate":          {Loads: 1},
		"provisioning/key":                  {Loads: 1, Connects: 1},
		"provisioning/presented":            {Connects: 1},
		"provisioning/replace":              {Connects: 2, Loads: 3},
		"provisioning/rejects-garbage":      {Connects: 1, Loads: 2},
		"provisioning/rejects-truncated":    {Connects: 1, Loads: 1},
		"provisioning/rejects-wrong-kind":   {Connects: 1, Loads: 1},
		"provisioning/rejects-unknown-slot": {Connects: 1},
		"provisioning/aborted-transfer":     {Connects: 4, Loads: 5, Aborts: 1},
		"provisioning/line-endings":         {Connects: 1, Loads: 2},
		"provisioning/long-certificate":     {Connects: 1, Loads: 3},
		"provisioning/key-forms":            {Connects: 1, Loads: 3},
		"provisioning/mismatched-pair":      {Connects: 1, Loads: 2},
		"provisioning/back-to-back":         {Connects: 2, Loads: 6},
		"provisioning/persistent":           {Connects: 2},
		"provisioning/power-cut":            {Connects: 3, Loads: 2},
		"tls/unknown-root":                  {Connects: 3},
		"tls/self-signed":                   {Connects: 2},
		"tls/wrong-name":                    {Connects: 4},
		"tls/expired":                       {Connects: 2},
		"tls/not-yet-valid":                 {Connects: 2},
		"tls/no-server-auth":                {Connects: 2},
		"tls/not-a-ca":                      {Connects: 2},
		"tls/namesake-root":                 {Connects: 2},
		"tls/stolen-certificate":            {Connects: 4},
		"tls/no-downgrade":                  {Connects: 4},
		"tls/each-suite":                    {Connects: 6},
		"tls/large-chain":                   {Connects: 4},
		"tls/fragmented":                    {Connects: 2},
		"tls/slow":                          {Connects: 1, Fixed: 3 * s},
		"tls/handshakes":                    {Connects: 5},
		"tls/root-rotation":                 {Connects: 4, Loads: 6},
		"session/no-self-takeover":          {Fixed: 2 * s},
		"session/pings":                     {Fixed: 4 * s},
		"session/ping-unanswered":           {Connects: 1, Fixed: 2 * s},
		"session/late-pingresp":             {Fixed: 2 * s},
		"session/no-suback":                 {Connects: 2},
		"session/refused":                   {Connects: 10, Fixed: 5 * s},
		"session/no-connack":                {Connects: 5, Fixed: 5 * s},
		"delivery/interval":                 {Messages: 5},
		"delivery/unacknowledged":           {Connects: 1, Messages: 1},
		"delivery/stored-message":           {Connects: 1},
		"recovery/server-disconnect":        {Connects: 2, Fixed: 1 * s},
		"recovery/backoff":                  {Connects: 6, Fixed: 5 * s},
		"recovery/takeover-backoff":         {Connects: 6, Fixed: 5 * s},
		"recovery/connection-cut":           {Connects: 3, Fixed: 3 * s},
		"recovery/black-hole":               {Connects: 1, Fixed: 2 * s},
		"recovery/cut-in-handshake":         {Connects: 10, Fixed: 5 * s},
		"recovery/session-present":          {Connects: 1},
		"recovery/hub-restart":              {Connects: 1, Fixed: 2 * s},
		"recovery/slow-link":                {Connects: 2, Fixed: 2 * s},
		"recovery/power-cycle":              {Connects: 1},
		"session/conformance":               {Messages: 5},
		"soak/reconnect-100":                {Connects: 20},
		"soak/steady":                       {Soaks: 1},
		"soak/intermittent":                 {Soaks: 1, Connects: 3},
		"recovery/long-outage":              {Soaks: 1, Connects: 1},
	}
}
